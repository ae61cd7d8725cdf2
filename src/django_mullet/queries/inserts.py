"""INSERT statements compiled once per model and set of fields.

What was compiled before is filled with values: for each model, set of columns and database.
Whatever is not plainly known is left to Django.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.models.expressions import DatabaseDefault

from django_mullet._compat.orm import insert_compiler
from django_mullet.execution.outcomes import writing
from django_mullet.queries.compiled import BoundSQL
from django_mullet.queries.fetching import fetch
from django_mullet.queries.placeholders import Unfit
from django_mullet.queries.plain_fields import MOST, are_plain, param
from django_mullet.queries.stock_django import compiles_as_usual, inserts_as_usual
from django_mullet.queries.verification import IN_SAVE, is_due, require_same

__all__ = ["insert"]

HARMLESS = {
    models.Field.pre_save,
    models.DateField.pre_save,
    models.DateTimeField.pre_save,
    models.TimeField.pre_save,
}
"""What Django may ask once more, where it inserts the row after all; not so a file, for one."""


def insert(instance: Any, manager: Any, alias: str, fields: Any, returning: Any) -> Any:
    """Insert `instance` as a row; return a list with the row of what is `returning`, if anything.

    Returns `None` where it is Django that should do it, and raises what Django does.
    """
    model = manager.model
    is_known = type(manager) is models.Manager and are_plain(model) and _is_harmless(model)
    if not (is_known and inserts_as_usual()):
        return None
    row, connection = _Row(instance, model, alias, fields, returning), connections[alias]
    try:
        params = [_param(field, instance, connection) for field in fields]
    except Unfit:
        return None
    sql = _statement(row, params)
    if sql is None:
        return None
    bound = sql, _without_defaults(params)
    if is_due():
        now, _ = _built(row)
        require_same(f"{model.__name__}.save()", bound, now, advice=IN_SAVE)
    if returning:
        with writing(connection):
            return fetch(connection, *bound)
    with connection.cursor() as cursor:
        cursor.execute(*bound)
    return []


@dataclass(frozen=True, slots=True)
class _Row:
    """What is inserted, as `save()` says it."""

    instance: Any
    model: Any
    alias: str
    fields: Any
    returning: Any


@cache
def _is_harmless(model: Any) -> bool:
    return all(type(field).pre_save in HARMLESS for field in model._meta.local_concrete_fields)


def _param(field: Any, instance: Any, connection: Any) -> Any:
    value = field.pre_save(instance, add=True)
    if _is_default(value) and field.has_db_default():
        return value
    return param(field, value, connection)


def _is_default(value: Any) -> bool:
    """Return whether it is the database that knows the value."""
    return value.__class__ is DatabaseDefault


def _without_defaults(params: list[Any]) -> tuple[Any, ...]:
    return tuple([value for value in params if not _is_default(value)])


@cache
def _statements(model: Any) -> dict[Any, str | None]:
    return {}


def _statement(row: _Row, params: list[Any]) -> str | None:
    key = (
        row.alias,
        row.model._meta.db_table,
        tuple([field.column for field in row.fields]),
        tuple([field.column for field in row.returning]),
        tuple(map(_is_default, params)),
    )
    known = _statements(row.model)
    if key not in known and len(known) < MOST:
        (sql, filled), is_bare = _built(row)
        is_filled = len(filled) == len(_without_defaults(params))
        known[key] = sql if is_bare and is_filled else None
    return known.get(key)


def _built(row: _Row) -> tuple[BoundSQL, bool]:
    """Return the statement of Django's; and whether what it returns is what Django makes of it."""
    compiler = insert_compiler(row.instance, row.model, row.alias, row.fields, row.returning)
    [bound] = compiler.as_sql()
    columns = [field.get_col(row.model._meta.db_table) for field in row.returning]
    is_bare = (
        compiles_as_usual(compiler)
        and (not row.returning or compiler.connection.features.can_return_columns_from_insert)
        and not compiler.get_converters(columns)
    )
    return bound, is_bare
