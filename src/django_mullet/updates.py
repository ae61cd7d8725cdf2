"""How is a row updated without its statement being built anew?

`Model.save()` builds and compiles an UPDATE each time, which is most of what it costs. Here it is
Django's own `save()` that runs, with all that it does besides, and what was compiled before is
filled with values: for each model, set of columns and database. Whatever is not plainly known is
left to Django.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.migrations.state import StateApps
from django.db.models import QuerySet
from django.db.models.expressions import Expression
from django.db.models.sql import Query

from django_mullet._compat import UpdatesBy, update_query
from django_mullet.parameters import MARK, Hole, Parameter, Unfit, fits, with_holes
from django_mullet.shapes import Bound
from django_mullet.verification import is_due, verify

__all__ = ["PreparedUpdates"]

MOST = 64
"""Statements that are kept for a model: which columns are null is another one each time."""

PREPARING = ("get_db_prep_save", "get_db_prep_value", "get_prep_value")
"""What makes of a value in Python one for the database."""

ADVICE = "Report it, please; until it is mended, leave 'PreparedUpdates' out of the model."


def _update(rows: Any, pk: Any, values: Any) -> int | None:
    alias, bound = rows.db, None
    with suppress(Exception):  # which Django raises too, in its own order
        bound = _bound(rows, alias, pk, values)
    if bound is None:
        return None
    if is_due():
        query = update_query(rows.filter(pk=pk), values)
        verify(f"{rows.model.__name__}.save()", bound, query, alias, advice=ADVICE)
    with connections[alias].cursor() as cursor:
        cursor.execute(*bound)
        number: int = cursor.rowcount
    return number


class PreparedUpdates(UpdatesBy):
    """Mixed into a model, before `models.Model`: `save()` does not build its UPDATE anew each time.

    Whoever calls it; and whatever the model makes of it. What is compiled once for each set of
    columns and database, is then filled with values. Raises `TypeError` where a model names it
    after another, whose `save()` would not see it.
    """

    _updates_by = staticmethod(_update)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        order = cls.__mro__
        if models.Model in order and order.index(models.Model) < order.index(PreparedUpdates):
            raise TypeError(
                f"'{cls.__name__}' must name 'PreparedUpdates' before its other bases, or 'save()' "
                "does not see it."
            )


def _bound(rows: Any, alias: str, pk: Any, values: Any) -> Bound | None:
    if not (_are_all(rows) and _is_plain(rows.model) and fits(pk)):
        return None
    connection = connections[alias]
    params = [_param(field, value, connection) for field, _, value in values]
    statement = _statement(rows, alias, values, params)
    return None if statement is None else statement.bound(pk, params, connection)


def _are_all(rows: Any) -> bool:
    """Return whether `rows` are all of a model, and nothing else has been asked for.

    The models that migrations make are not meant: what is kept for them would be kept for good.
    """
    model, query = rows.model, rows.query
    return (
        type(rows) is QuerySet
        and type(query) is Query
        and not isinstance(model._meta.apps, StateApps)
        and vars(query) == _query_of_all(model)
    )


@cache
def _query_of_all(model: Any) -> dict[str, Any]:
    return vars(QuerySet(model).all().query)


@cache
def _is_plain(model: Any) -> bool:
    """Return whether an UPDATE of the table of `model` depends on nothing but its values."""
    return all(map(_is_plain_field, model._meta.local_concrete_fields))


def _is_plain_field(field: Any) -> bool:
    """Return whether `field` is known to do the same with a value each time, and only that."""
    return (
        all(getattr(type(field), name).__module__.startswith("django.") for name in PREPARING)
        and not hasattr(field, "get_placeholder")
        and not hasattr(field, "get_placeholder_sql")  # its name since Django 6.1
        and (field.remote_field is None or _is_plain_field(field.target_field))
    )


def _param(field: Any, value: Any, connection: Any) -> Any:
    if hasattr(value, "resolve_expression") or hasattr(value, "prepare_database_save"):
        raise Unfit
    param = field.get_db_prep_save(value, connection=connection)
    if hasattr(param, "as_sql"):
        raise Unfit
    return param


@dataclass(frozen=True, slots=True)
class _Statement:
    """What was compiled, around the key of the row."""

    start: str
    end: str
    key: Hole
    takes_null: bool
    """Whether null is a parameter, as it is since Django 6.1."""

    def bound(self, pk: Any, params: list[Any], connection: Any) -> Bound:
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
    query = with_holes(update_query(rows.filter(pk=Parameter("pk")), given))
    compiler = query.get_compiler(using=alias)
    if not type(compiler).__module__.startswith("django.db."):
        return None
    sql, params = compiler.as_sql()
    start, end = sql.split(MARK)
    [*slots, key] = params
    return _Statement(start, end, key, takes_null=None in slots)
