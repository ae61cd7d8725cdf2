"""UPDATE statements compiled once per model and set of fields.

What was compiled before is filled with values: for each model, set of columns and database.
Whatever is not plainly known is left to Django.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import Expression
from django.db.models.sql import Query

from django_mullet._compat.orm import update_query
from django_mullet.queries.compiled import BoundSQL
from django_mullet.queries.placeholders import MARK, BindSlot, Parameter, fits, with_slots
from django_mullet.queries.plain_fields import MOST, are_plain, param
from django_mullet.queries.stock_django import compiles_as_usual, updates_as_usual
from django_mullet.queries.verification import IN_SAVE, is_due, verify

__all__ = ["update"]


def update(rows: Any, pk: Any, values: Any) -> int | None:
    """Update the one of `rows` that has the key; return how many there were.

    `values` are fields with `None` and a value each. Returns `None` where it is Django that should
    do it.
    """
    alias, bound = rows.db, None
    with suppress(Exception):  # which Django raises too, in its own order
        bound = _bound(rows, alias, pk, values)
    if bound is None:
        return None
    if is_due():
        query = update_query(rows.filter(pk=pk), values)
        verify(f"{rows.model.__name__}.save()", bound, query, alias, advice=IN_SAVE)
    with connections[alias].cursor() as cursor:
        cursor.execute(*bound)
        number: int = cursor.rowcount
    return number


def _bound(rows: Any, alias: str, pk: Any, values: Any) -> BoundSQL | None:
    is_known = _are_all(rows) and are_plain(rows.model) and fits(pk)
    if not (is_known and updates_as_usual()):
        return None
    connection = connections[alias]
    params = [param(field, value, connection) for field, _, value in values]
    statement = _statement(rows, alias, values, params)
    return None if statement is None else statement.bound(pk, params, connection)


def _are_all(rows: Any) -> bool:
    """Return whether `rows` are all of a model, and nothing else has been asked for."""
    model, query = rows.model, rows.query
    return type(rows) is QuerySet and type(query) is Query and vars(query) == _query_of_all(model)


@cache
def _query_of_all(model: Any) -> dict[str, Any]:
    return vars(QuerySet(model).all().query)


@dataclass(frozen=True, slots=True)
class _Statement:
    """What was compiled, around the key of the row."""

    start: str
    end: str
    key: BindSlot
    takes_null: bool
    """Whether null is a parameter, as it is since Django 6.1."""

    def bound(self, pk: Any, params: list[Any], connection: Any) -> BoundSQL:
        sql, key = self.key.filled(pk, connection)
        if not self.takes_null:
            params = [param for param in params if param is not None]
        return f"{self.start}{sql}{self.end}", (*params, *key)


class _Given(Expression):
    """Stands for a value that is not null."""

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        return "%s", [self]


@cache
def _statements(model: Any) -> dict[Any, _Statement | None]:
    return {}


def _statement(rows: Any, alias: str, values: Any, params: list[Any]) -> _Statement | None:
    key = (
        alias,
        rows.model._meta.db_table,
        *[field.column for field, _, _ in values],
        *[param is None for param in params],
    )
    known = _statements(rows.model)
    if key not in known and len(known) < MOST:
        given = [
            (field, None, None if param is None else _Given())
            for (field, _, _), param in zip(values, params, strict=True)
        ]
        known[key] = None  # for good, if there is an error: a composite key, nothing to be set
        known[key] = _compiled(rows, alias, given)
    return known.get(key)


def _compiled(rows: Any, alias: str, given: Any) -> _Statement | None:
    query = with_slots(update_query(rows.filter(pk=Parameter("pk")), given))
    compiler = query.get_compiler(using=alias)
    if not compiles_as_usual(compiler):
        return None
    sql, params = compiler.as_sql()
    start, end = sql.split(MARK)
    [*slots, key] = params
    return _Statement(start, end, key, takes_null=None in slots)
