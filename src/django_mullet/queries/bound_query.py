"""A prepared query with the values of a call: `BoundQuery`.

It is compiled once and runs with its values; where Django has to compile it each time, it is built
in the ordinary way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connections
from django.db.models import QuerySet

from django_mullet.exceptions import NotPreparable
from django_mullet.queries.compiled import (
    ANSWERS,
    Asking,
    BoundSQL,
    CompiledQuery,
    Window,
    existence,
    number,
    objects,
)
from django_mullet.queries.fetching import fetch
from django_mullet.queries.placeholders import Unfit, fits, holds_iterators, repeatable
from django_mullet.queries.purity import aside
from django_mullet.queries.stock_django import reads_as_usual
from django_mullet.queries.traced import Change, TracedQuery
from django_mullet.queries.verification import ADVICE, is_due, require_alike, require_same, sent_by

__all__ = ["BoundQuery", "Build"]

Build = Callable[..., QuerySet[Any]]


@dataclass(slots=True, eq=False)  # one is made for each call, and a frozen one takes longer
class BoundQuery:
    """A traced query, the values of its placeholders, and which of its rows are wanted."""

    traced: TracedQuery
    values: Mapping[str, Any]
    build: Build
    """Builds the queryset in the ordinary way, with all of its rows."""
    window: Window | None = None

    def built(self) -> QuerySet[Any]:
        """Return the queryset, built in the ordinary way."""
        queryset = self.build()
        return queryset if self.window is None else queryset[slice(*self.window)]

    def changed(self, key: Any, change: Change) -> "BoundQuery":
        """Return what `change` makes of this query, compiled once for each `key`."""
        build = self.build
        traced = self.traced.changed(key, change)
        return BoundQuery(traced, self.values, lambda: change(build()), self.window)

    def filtered(self, lookups: Mapping[str, Any]) -> "BoundQuery | None":
        """Return this query with a `filter()` more; `None` if each value makes another query."""
        filtered = self.traced.filtered(lookups)
        if filtered is None or self.window is not None:
            return None
        if holds_iterators([*lookups.values()]):
            lookups = {name: repeatable(value) for name, value in lookups.items()}
        traced, names = filtered
        build = self.build
        values = {**self.values, **{names[each]: lookups[each] for each in lookups}}
        return BoundQuery(traced, values, lambda: build().filter(**lookups))

    @property
    def takes_window(self) -> bool:
        """Whether a part of the rows may still be chosen."""
        return self.window is None and self.traced.takes_window

    def within(self, window: Window) -> "BoundQuery":
        """Return this query for a part of its rows."""
        if self.traced.locks:  # `FOR UPDATE` stands after the limits
            return self.changed(window, lambda queryset: queryset[slice(*window)])
        return BoundQuery(self.traced, self.values, self.build, window)

    def results(self, alias: str) -> list[Any] | None:
        """Return what the queryset gives, from the database `alias`; `None`: ask Django."""
        runnable = self._runnable(alias, objects)
        if runnable is None:
            return None
        compiled, *query = runnable
        return compiled.results(*query)

    def exists(self, alias: str) -> bool | None:
        """Return whether there is a row; `None`: ask Django."""
        rows = self._rows(alias, existence)
        return None if rows is None else bool(rows)

    def count(self, alias: str) -> int | None:
        """Return how many rows there are; `None`: ask Django."""
        rows = self._rows(alias, number)
        return None if rows is None else int(rows[0][0])

    def _rows(self, alias: str, asking: Asking) -> list[Any] | None:
        runnable = self._runnable(alias, asking) if self.window is None else None
        return None if runnable is None else fetch(runnable[1], *runnable[2])

    def _runnable(self, alias: str, asking: Asking) -> tuple[CompiledQuery, Any, BoundSQL] | None:
        """Return what is to run, and on which connection; `None` if Django has to compile it."""
        if not reads_as_usual():
            return None
        traced, values = self.traced, self.values
        connection = connections[alias]
        if traced.locks and connection.get_autocommit():
            return None  # for which Django raises an error
        if not all(map(fits, values.values())):
            return None
        compiled = traced.compiled(alias, asking)
        if compiled is None:
            return None
        try:
            bound = compiled.bound(connection, values, self.window)
        except (EmptyResultSet, FullResultSet, NotPreparable, Unfit):
            return None
        if is_due():
            self._verify(compiled, bound, asking, alias)
        return compiled, connection, bound

    def _verify(self, compiled: CompiledQuery, bound: BoundSQL, asking: Asking, alias: str) -> None:
        """Raise `PreparedMismatch` if Django would ask for another thing than by `bound`."""
        name, built = self.traced.name, self.built()
        answer = partial(ANSWERS[asking], built.using(alias))
        require_same(name, bound, sent_by(answer, alias), advice=ADVICE)
        require_alike(name, compiled.aside, aside(built, alias))
