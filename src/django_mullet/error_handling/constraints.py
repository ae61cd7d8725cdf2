"""Database constraints parsed from `IntegrityError`s: which one, over which fields.

The database alone can tell without a race: two requests that look whether a name is free both find
that it is. What it says is traced to the model by the constraint's name, or by the columns.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.apps import apps
from django.db import IntegrityError
from django.db.models import CheckConstraint, F, Model, Q
from django.db.models.constants import LOOKUP_SEP

__all__ = ["Refusal", "Violation", "unique_fields", "violation_of"]


class Refusal(Enum):
    """Why the database refuses a row."""

    UNIQUE = "unique"
    """There is one like it; an exclusion constraint says so too."""
    CHECK = "check"
    NOT_NULL = "null"
    FOREIGN_KEY = "foreign_key"
    """It refers to a row that there is not."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What a row would have violated."""

    refusal: Refusal
    fields: tuple[str, ...]
    """The names of the model's fields that the constraint is about."""
    message: str
    """In Django's words: the constraint's `violation_error_message`, for instance."""
    model: type[Model]
    """The one with the constraint."""


@dataclass(frozen=True, slots=True)
class _Report:
    """What the database says of it."""

    refusal: Refusal
    table: str | None = None
    name: str | None = None
    columns: tuple[str, ...] = ()


def violation_of(error: IntegrityError) -> Violation | None:
    """Return what `error` is about, or `None` where no model knows the constraint."""
    cause: Any = error.__cause__
    report = _from_sqlite(str(cause)) if not hasattr(cause, "diag") else _from_postgresql(cause)
    if report is None:
        return None
    for model in apps.get_models(include_auto_created=True):
        if report.table in (None, _bare(model._meta.db_table)):
            found = _named(model, report) or _by_columns(model, report)
            if found is not None:
                return found
    return None


def unique_fields(model: type[Model]) -> set[str]:
    """Return the names of the fields of `model` that a row may have to share with no other."""
    found: set[str] = set()
    for cls in (model, *model._meta.all_parents):
        meta = cls._meta
        found.update(field.name for field in meta.local_concrete_fields if field.unique)
        found.update(name for names in meta.unique_together for name in names)
        for constraint in meta.constraints:
            if not isinstance(constraint, CheckConstraint):
                found.update(_fields_of(constraint))
    return found


_SQLSTATES = {
    "23505": Refusal.UNIQUE,
    "23P01": Refusal.UNIQUE,
    "23514": Refusal.CHECK,
    "23502": Refusal.NOT_NULL,
    "23503": Refusal.FOREIGN_KEY,
}
"""Class 23 of PostgreSQL's error codes (its documentation, appendix A)."""


def _from_postgresql(error: Any) -> _Report | None:
    refusal = _SQLSTATES.get(error.sqlstate)
    if refusal is None:
        return None
    diag = error.diag
    # The words around the key are those of the server's language.
    key = re.search(r"\((.*?)\)=\(", diag.message_detail or "")
    columns = key[1].replace('"', "").split(", ") if key else [diag.column_name or ""]
    return _Report(refusal, diag.table_name, diag.constraint_name, tuple(columns))


_SQLITE = {
    "UNIQUE constraint failed: ": Refusal.UNIQUE,
    "CHECK constraint failed: ": Refusal.CHECK,
    "NOT NULL constraint failed: ": Refusal.NOT_NULL,
}
"""How SQLite's messages begin. One about a foreign key says nothing else."""


def _from_sqlite(message: str) -> _Report | None:
    for beginning, refusal in _SQLITE.items():
        if message.startswith(beginning):
            rest = message.removeprefix(beginning)
            if refusal is Refusal.CHECK or rest.startswith("index "):
                return _Report(refusal, name=rest.removeprefix("index ").strip("'"))
            table = rest.partition(".")[0]
            columns = [part.partition(".")[2] for part in rest.split(", ")]
            return _Report(refusal, table, columns=tuple(columns))
    return None


def _bare(db_table: str) -> str:
    """Return the name of the table alone, which may be quoted, and be one of a schema."""
    return db_table.rpartition('"."')[2].strip('"')


def _named(model: type[Model], report: _Report) -> Violation | None:
    for constraint in model._meta.constraints:
        fields = tuple(dict.fromkeys(_fields_of(constraint)))
        is_over_them = (
            report.name is None
            and report.refusal is Refusal.UNIQUE
            and not isinstance(constraint, CheckConstraint)
            and fields == _fields_at(model, report.columns)
        )
        if constraint.name == report.name or is_over_them:
            message = str(constraint.get_violation_error_message())
            return Violation(report.refusal, fields, message, model)
    return None


def _by_columns(model: type[Model], report: _Report) -> Violation | None:
    if report.table is None:
        return None
    columns = report.columns
    if report.refusal is Refusal.CHECK:
        columns = tuple(
            str(field.column)
            for field in model._meta.local_concrete_fields
            if report.name == f"{report.table}_{field.column}_check"
        )
    fields = _fields_at(model, columns)
    if not fields:
        return None
    if report.refusal is Refusal.FOREIGN_KEY and not _are_relations(model, fields):
        return None  # the key of a row that goes, to which others refer
    return Violation(report.refusal, fields, _message(model, report.refusal, fields), model)


def _are_relations(model: type[Model], fields: tuple[str, ...]) -> bool:
    return all(model._meta.get_field(name).is_relation for name in fields)


def _fields_at(model: type[Model], columns: tuple[str, ...]) -> tuple[str, ...]:
    names = {str(field.column): field.name for field in model._meta.local_concrete_fields}
    return tuple(names[column] for column in columns if column in names)


def _message(model: type[Model], refusal: Refusal, fields: tuple[str, ...]) -> str:
    if refusal is Refusal.UNIQUE:
        return " ".join(model().unique_error_message(model, fields).messages)
    if refusal is Refusal.NOT_NULL:
        field: Any = model._meta.get_field(fields[0])
        return str(field.error_messages["null"])
    if refusal is Refusal.FOREIGN_KEY:
        return "There is no object with this key."
    return "This value is out of range."


def _fields_of(constraint: Any) -> Iterator[str]:
    """Yield the names of the fields in `constraint`, some of them maybe more than once."""
    fields: tuple[str, ...] = getattr(constraint, "fields", ())
    yield from fields
    for part in getattr(constraint, "expressions", ()):
        # An exclusion constraint has pairs, of an expression or a name, and an operator.
        expression = part[0] if isinstance(part, tuple) else part
        yield from _names_in(F(expression) if isinstance(expression, str) else expression)
    if not fields:
        yield from _names_in(getattr(constraint, "condition", None))


def _names_in(expression: Any) -> Iterator[str]:
    if isinstance(expression, F):
        yield str(expression.name).split(LOOKUP_SEP)[0]  # type: ignore[attr-defined]
    elif isinstance(expression, Q):
        for child in expression.children:
            if isinstance(child, tuple):
                yield child[0].split(LOOKUP_SEP)[0]
                yield from _names_in(child[1])
            else:
                yield from _names_in(child)
    elif isinstance(expression, tuple | list):
        for part in expression:
            yield from _names_in(part)
    elif hasattr(expression, "get_source_expressions"):
        yield from _names_in(expression.get_source_expressions())
