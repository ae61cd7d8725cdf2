"""A queryset traced with placeholders in place of its values.

A `TracedQuery` has the queryset with parameters for values, and compiles it once for each database
and each question that is asked of it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP

from django_mullet.exceptions import NotPreparable
from django_mullet.queries.bounded_cache import Recent
from django_mullet.queries.compiled import Asking, CompiledQuery, objects
from django_mullet.queries.placeholders import Parameter, Unfit, explained, with_slots
from django_mullet.queries.purity import retraced
from django_mullet.queries.stock_django import is_usual

__all__ = ["Change", "TracedQuery"]

T = TypeVar("T")

Change = Callable[[Any], Any]
"""Makes another queryset of one."""

Filtered = tuple["TracedQuery", dict[str, str]]
"""The query of a `filter()`, and what it calls the value of each lookup."""

MAX_WEIGHT = 4000
"""What is kept of all that is made of one function's queryset, about that many kB and twice that at
most: a client may be who names the keys of a JSON field, or the columns."""

BASE_WEIGHT = 16
"""What a traced query weighs besides its names: about that many kB."""

CHARACTERS_OF_WEIGHT = 200
"""Characters of a name that weigh as much as another name."""

_numbers = count()
"""By which a traced query is known, to keep none alive for what was made of it."""


class TracedQuery:
    """A queryset with parameters for values, what it is compiled to, and what is made of it.

    `traces` are the same, traced in other surroundings.
    """

    def __init__(
        self,
        name: str,
        queryset: QuerySet[Any],
        traces: Mapping[str, QuerySet[Any]],
        outer: "_Outer | None" = None,
    ) -> None:
        self.name = name
        self.queryset = queryset
        self._traces = traces
        self._compiled: dict[tuple[str, Asking], CompiledQuery | None] = {}
        self._answers: dict[Any, Any] = {}
        self._made: Recent[Any] = Recent(MAX_WEIGHT) if outer is None else outer.made
        """What was made of the function's queryset: of this one, and of those made of it."""
        self._number = next(_numbers)
        self.weight = BASE_WEIGHT if outer is None else outer.weight
        self.depth = 0 if outer is None else outer.depth
        """How many times `filter()` was called afterwards."""
        query: Any = queryset.query
        self.is_usual = is_usual(queryset) and _has_slots(query)
        """Whether it may be compiled once: all of it is Django's."""
        self.locks: bool = query.select_for_update
        self.takes_window = not (query.is_sliced or query.combinator)

    def changed(self, key: Any, change: Change) -> "TracedQuery":
        """Return the query of what `change` makes of the queryset; `key` stands for that."""
        found: TracedQuery | None = self._made.get((self._number, key))
        if found is None:
            found = self._with(key, change)
            self._made.put((self._number, key), found, found.weight)
        return found

    def _with(self, key: Any, change: Change, *, filters: int = 0) -> "TracedQuery":
        made = change(self.queryset), retraced(self._traces, change)
        outer = _Outer(self._made, self.weight + _weight_of(key), self.depth + filters)
        return TracedQuery(self.name, *made, outer)

    def asked(self, key: Any, question: Callable[[Any], T]) -> T:
        """Return the answer to `question` about the queryset; `key` stands for that."""
        if key not in self._answers:
            self._answers[key] = question(self.queryset)
        answer: T = self._answers[key]
        return answer

    def filtered(self, lookups: Iterable[str]) -> Filtered | None:
        """Return the query of `filter()` by `lookups`, and what it calls their values.

        `None` if each value makes another query.
        """
        names = tuple(sorted(lookups))  # as `filter()` does: another order is no other query
        key = self._number, "filter", names
        found: list[Filtered | None] | None = self._made.get(key)
        if found is None:
            found = [self._filtered(names)]
            self._made.put(key, found, self.weight + _weight_of(names))
        return found[0]

    def _filtered(self, lookups: tuple[str, ...]) -> Filtered | None:
        names = {lookup: f"{lookup} of filter {self.depth}" for lookup in lookups}
        parameters = {lookup: Parameter(name) for lookup, name in names.items()}
        try:
            found = self._with(lookups, lambda queryset: queryset.filter(**parameters), filters=1)
        except (NotPreparable, TypeError, ValueError):  # as a key of several columns is compared
            return None
        return found, names

    def compiled(self, alias: str, asking: Asking) -> CompiledQuery | None:
        """Return what is compiled to ask the database `alias` for the queryset.

        `None` if the caller has made something of it that cannot be compiled once; raises
        `NotPreparable` if the function has.
        """
        key = alias, asking
        if key not in self._compiled:
            try:
                self._compiled[key] = self._compile(alias, asking)
            except (EmptyResultSet, FullResultSet, Unfit):
                self._compiled[key] = None
            except NotPreparable:
                if asking is objects and not self.depth:
                    raise
                self._compiled[key] = None
        return self._compiled[key]

    def _compile(self, alias: str, asking: Asking) -> CompiledQuery:
        with explained(self.name):
            compiled = CompiledQuery(self.queryset, alias, asking)
            others = retraced(self._traces, lambda trace: CompiledQuery(trace, alias, asking))
            if not all(map(compiled.is_same_as, others.values())):
                raise NotPreparable(
                    "it reads the clock, the language, the time zone or a ContextVar: give what "
                    "it finds there as a parameter"
                )
        return compiled


@dataclass(frozen=True, slots=True)
class _Outer:
    """What a traced query has from the one it was made of."""

    made: Recent[Any]
    weight: int
    depth: int


def _weight_of(key: Any) -> int:
    """Return by how much the names in `key` make heavier what it stands for."""
    if isinstance(key, str):
        return 1 + key.count(LOOKUP_SEP) + len(key) // CHARACTERS_OF_WEIGHT
    return sum(map(_weight_of, key)) if isinstance(key, tuple) else 1


def _has_slots(query: Any) -> bool:
    """Return whether `query` can be compiled with slots; raise `NotPreparable` if never."""
    try:
        with_slots(query)
    except Unfit:
        return False
    return True
