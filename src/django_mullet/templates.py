"""What is known of a queryset that waits for its values?

A `Template` has the queryset with parameters for values, and compiles it once for each database and
each question that is asked of it.
"""

from collections.abc import Callable
from contextvars import Context
from datetime import timedelta, timezone
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models import QuerySet
from django.utils.timezone import override as override_timezone
from django.utils.translation import override as override_language

from django_mullet.exceptions import NotPreparable
from django_mullet.parameters import Parameter, explained, with_holes
from django_mullet.shapes import Asking, Shape, objects

__all__ = ["Change", "Template", "elsewhere"]

T = TypeVar("T")

Change = Callable[[Any], Any]
"""Makes another queryset of one."""


class Template:
    """A queryset with parameters for values, what it is compiled to, and what is made of it.

    `again` is the same, traced in another context.
    """

    def __init__(
        self, name: str, queryset: QuerySet[Any], again: QuerySet[Any], depth: int = 0
    ) -> None:
        self.name = name
        self.queryset_with_holes = queryset
        self._again = again
        self._shapes: dict[tuple[str, Asking], Shape | None] = {}
        self._changed: dict[Any, Template] = {}
        self._answers: dict[Any, Any] = {}
        self._filtered: dict[tuple[str, ...], tuple[Template, list[str]] | None] = {}
        self.depth = depth
        """How many times `filter()` was called afterwards."""
        query: Any = queryset.query
        with_holes(query)  # to see that it can be
        self.locks: bool = query.select_for_update
        self.takes_limits = not (query.is_sliced or query.combinator)

    def changed(self, key: Any, change: Change, *, filters: int = 0) -> "Template":
        """Return the template of what `change` makes of the queryset; `key` stands for that.

        `filters` is how many times `change` calls `filter()`.
        """
        found = self._changed.get(key)
        if found is None:
            made = change(self.queryset_with_holes), change(self._again)
            found = self._changed[key] = Template(self.name, *made, self.depth + filters)
        return found

    def asked(self, key: Any, question: Callable[[Any], T]) -> T:
        """Return the answer to `question` about the queryset; `key` stands for that."""
        if key not in self._answers:
            self._answers[key] = question(self.queryset_with_holes)
        answer: T = self._answers[key]
        return answer

    def filtered(self, lookups: tuple[str, ...]) -> "tuple[Template, list[str]] | None":
        """Return the template of `filter()` by `lookups`, and what it calls their values.

        `None` if each value makes another query.
        """
        if lookups in self._filtered:
            return self._filtered[lookups]
        names = [f"{lookup} of filter {self.depth}" for lookup in lookups]
        parameters = {lookup: Parameter(name) for lookup, name in zip(lookups, names, strict=True)}
        try:
            found = self.changed(
                ("filter", lookups), lambda queryset: queryset.filter(**parameters), filters=1
            )
        except NotPreparable:
            self._filtered[lookups] = None
            return None
        self._filtered[lookups] = found, names
        return found, names

    def shape(self, alias: str, asking: Asking) -> Shape | None:
        """Return what is compiled to ask the database `alias` for the queryset.

        `None` if the caller has made something of it that cannot be compiled once; raises
        `NotPreparable` if the function has.
        """
        key = alias, asking
        if key not in self._shapes:
            try:
                self._shapes[key] = self._compiled(alias, asking)
            except (EmptyResultSet, FullResultSet):
                self._shapes[key] = None
            except NotPreparable:
                if asking is objects and not self.depth:
                    raise
                self._shapes[key] = None
        return self._shapes[key]

    def _compiled(self, alias: str, asking: Asking) -> Shape:
        with explained(self.name):
            shape = Shape(self.queryset_with_holes, alias, asking)
            again = Context().run(elsewhere, lambda: Shape(self._again, alias, asking))
            if not shape.is_same_as(again):
                raise NotPreparable(
                    "it reads the clock, the language, the time zone or a ContextVar: give what "
                    "it finds there as a parameter"
                )
        return shape


def elsewhere(trace: Callable[[], Any]) -> Any:
    """Return what `trace` returns under a language and in a time zone of its own."""
    here = timezone(timedelta(hours=13, minutes=37))
    with override_timezone(here), override_language("eo"):
        return trace()
