"""Compiled SQL, run with other values each time.

A `CompiledQuery` is the SQL of a queryset on one database, with slots for what it is compared with.
Given the values, it runs, and gives what the queryset would have given.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.db import connections
from django.db.models.query import ModelIterable, ValuesListIterable
from django.db.models.sql import Query

from django_mullet._compat.orm import fetches_as_usual, select_of
from django_mullet.exceptions import NotPreparable
from django_mullet.queries.fetching import fetch
from django_mullet.queries.instances import instances_of
from django_mullet.queries.placeholders import MARK, BindSlot, Unfit, with_slots
from django_mullet.queries.purity import aside
from django_mullet.queries.stock_django import compiles_as_usual

__all__ = [
    "ANSWERS",
    "Asking",
    "BoundSQL",
    "CompiledQuery",
    "Window",
    "existence",
    "number",
    "objects",
]

BoundSQL = tuple[str, tuple[Any, ...]]
"""SQL with its parameters, as `cursor.execute()` takes them."""

Asking = Callable[[Any], Any]
"""Makes the query that is asked of that of a queryset: one of the functions below."""

Window = tuple[int, int | None]
"""The first row that is wanted, and the first that is not any more."""


class _Counting(Query):
    """Notes by which query Django counts, in place of running it."""

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        self.made.append(self)  # type: ignore[attr-defined]
        return self

    def execute_sql(self, *args: Any) -> None:
        """Find nothing."""


def objects(query: Any) -> Any:
    """Return the query for the objects themselves."""
    return query


def existence(query: Any) -> Any:
    """Return the query whether there is a row: it gives one if so."""
    return query.exists()


def number(query: Any) -> Any:
    """Return the query how many rows there are; raise `NotPreparable` if it takes a subquery."""
    if query.is_sliced or query.distinct or query.combinator or query.annotations:
        raise NotPreparable("its rows are counted by another query")
    counting = query.chain(klass=_Counting)
    counting.made = []
    counting.get_count(using=None)
    [made] = counting.made
    made.__class__ = Query
    return made


ANSWERS: dict[Asking, Callable[[Any], Any]] = {
    objects: list,
    existence: lambda queryset: queryset.exists(),
    number: lambda queryset: queryset.count(),
}
"""How a queryset itself is asked."""


class CompiledQuery:
    """What `asking` makes of a queryset, compiled for the database `alias`.

    Raises `Unfit` where somebody else compiles it.
    """

    def __init__(self, queryset: Any, alias: str, asking: Asking) -> None:
        self._queryset = queryset
        self._query = asking(with_slots(queryset.query))
        self._compiler = self._query.get_compiler(using=alias)
        if not compiles_as_usual(self._compiler):
            raise Unfit
        sql, params = self._compiler.as_sql()
        self._start, *self._pieces = sql.split(MARK)
        self._params = tuple(params)
        self._slots = [param for param in params if isinstance(param, BindSlot)]
        self._alias = alias
        self.aside = aside(queryset, alias)
        """What is made of the rows, which the SQL does not show."""
        self._is_bare = _is_bare(queryset, self._compiler)
        gives_instances = self._is_bare and queryset._iterable_class is ModelIterable
        self._select = select_of(self._compiler) if gives_instances else None

    def is_same_as(self, other: "CompiledQuery") -> bool:
        """Return whether `other` asks for the same, compares the same with it, and gives the same.

        What a lookup compares is compiled here and now for both: it will be for each value.
        """
        return bool(self._text() == other._text())

    def _text(self) -> Any:
        params = [
            each.told(self._compiler) if isinstance(each, BindSlot) else repr(each)
            for each in self._params
        ]
        return self._start, self._pieces, params, self.aside

    def bound(self, connection: Any, values: Mapping[str, Any], window: Window | None) -> BoundSQL:
        """Return the query with `values`, and of its rows those within `window`.

        Raises what Django's lookups raise: `EmptyResultSet` and `FullResultSet` where no row, or
        every row, can fit a value.
        """
        fillings = iter(zip(self._slots, self._pieces, strict=True))
        pieces, params = [self._start], []
        for param in self._params:
            if isinstance(param, BindSlot):
                slot, piece = next(fillings)
                sql, filling = slot.filled(values[slot.name], connection)
                pieces += sql, piece
                params += filling
            else:
                params.append(param)
        if window is not None:
            pieces += " ", _limits_sql(self._alias, *window)
        return "".join(pieces), tuple(params)

    def results(self, connection: Any, bound: BoundSQL) -> list[Any]:
        """Run the query; return what the queryset gives for each row."""
        if not self._is_bare:
            iterable: Any = self._queryset._iterable_class(self._compiled(bound))
            return list(iterable)
        rows = fetch(connection, *bound)
        if self._select is None:
            return rows
        return instances_of(*self._select, self._alias, rows)

    def _compiled(self, bound: BoundSQL) -> Any:
        """Return the queryset, with a compiler that has compiled it already."""
        compiled = _twin(self._queryset)
        query = _twin(self._query)

        def get_compiler(*args: Any, **kwargs: Any) -> Any:
            compiler = _twin(self._compiler)
            compiler.connection = connections[self._alias]
            compiler.query = query
            compiler.setup_query = lambda **kwargs: None
            compiler.as_sql = lambda **kwargs: bound
            return compiler

        query.get_compiler = get_compiler
        compiled._query = query
        compiled._db = self._alias
        return compiled


@lru_cache(maxsize=256)
def _limits_sql(alias: str, start: int, stop: int | None) -> str:
    sql: str = connections[alias].ops.limit_offset_sql(start, stop)
    return sql


def _twin(original: Any) -> Any:
    """Return a copy as shallow as there is; `copy()` would evaluate a queryset."""
    twin = object.__new__(type(original))
    twin.__dict__.update(original.__dict__)
    return twin


def _is_bare(queryset: Any, compiler: Any) -> bool:
    """Return whether the rows of the cursor are all there is to the results, or to instances."""
    fields = [column for column, _, _ in compiler.select[: compiler.col_count]]
    if (
        compiler.has_extra_select
        or compiler.get_converters(fields)
        or compiler.has_composite_fields(fields)
    ):
        return False
    if queryset._iterable_class is ValuesListIterable:
        return True
    return (
        queryset._iterable_class is ModelIterable
        and not compiler.annotation_col_map
        and not compiler.klass_info.get("related_klass_infos")
        and fetches_as_usual(queryset)
    )
