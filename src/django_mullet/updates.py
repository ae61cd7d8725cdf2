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
from django.db.models import QuerySet
from django.db.models.expressions import Expression

from django_mullet._compat import UpdatesBy, update_query
from django_mullet.parameters import MARK, Hole, Parameter, Unfit, fits, with_holes
from django_mullet.shapes import Bound
from django_mullet.verification import is_due, verify

__all__ = ["PreparedUpdates"]

MOST = 64
"""Statements that are kept for a model: which columns are null is another one each time."""

PREPARING = ("pre_save", "get_db_prep_save", "get_db_prep_value", "get_prep_value")
"""What makes of a value in Python one for the database."""

ADVICE = "Report it, please; until it is mended, leave 'PreparedUpdates' out of the model."


def _update(rows: Any, pk: Any, values: Any) -> int | None:
    bound, model = None, rows.model
    if type(rows) is QuerySet and not rows.query.where and _is_plain(model):
        with suppress(Exception):  # which Django raises too, in its own order
            bound = _bound(rows, pk, values)
    if bound is None:
        return None
    if is_due():
        query = update_query(rows.filter(pk=pk), values)
        verify(f"{model.__name__}.save()", bound, query, rows.db, advice=ADVICE)
    with connections[rows.db].cursor() as cursor:
        cursor.execute(*bound)
        number: int = cursor.rowcount
    return number


class PreparedUpdates(UpdatesBy):
    """Mixed into a model, before `models.Model`: `save()` does not build its UPDATE anew each time.

    Whoever calls it; and whatever the model makes of it. What is compiled once for each set of
    columns and database, is then filled with values.
    """

    _updates_by = staticmethod(_update)


@cache
def _is_plain(model: Any) -> bool:
    """Return whether an UPDATE of the table of `model` depends on nothing but its values."""
    return type(model._base_manager) is models.Manager and all(
        map(_is_plain_field, model._meta.local_concrete_fields)
    )


def _is_plain_field(field: Any) -> bool:
    """Return whether `field` is known to do the same with a value each time, and only that."""
    return (
        all(getattr(type(field), name).__module__.startswith("django.") for name in PREPARING)
        and not hasattr(field, "get_placeholder")
        and not hasattr(field, "get_placeholder_sql")  # its name since Django 6.1
        and (field.remote_field is None or _is_plain_field(field.target_field))
    )


def _bound(rows: Any, pk: Any, values: Any) -> Bound | None:
    connection = connections[rows.db]
    params = [_param(field, value, connection) for field, _, value in values]
    statement = _statement(rows, values, params) if fits(pk) else None
    return None if statement is None else statement.bound(pk, params, connection)


def _param(field: Any, value: Any, connection: Any) -> Any:
    if hasattr(value, "resolve_expression") or hasattr(value, "prepare_database_save"):
        raise Unfit
    return field.get_db_prep_save(value, connection=connection)


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


def _statement(rows: Any, values: Any, params: list[Any]) -> _Statement | None:
    key = (
        rows.db,
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
        known[key] = _compiled(rows, given)
    return known.get(key)


def _compiled(rows: Any, given: Any) -> _Statement | None:
    query = with_holes(update_query(rows.filter(pk=Parameter("pk")), given))
    compiler = query.get_compiler(using=rows.db)
    if not type(compiler).__module__.startswith("django.db."):
        return None
    sql, params = compiler.as_sql()
    start, end = sql.split(MARK)
    [*slots, key] = params
    return _Statement(start, end, key, takes_null=None in slots)
