"""Facts about a SQL statement that Django made for one object: its table and columns."""

import re
from collections.abc import Iterator
from typing import Any

from django.db.models.constants import LOOKUP_SEP

__all__ = ["is_of_one", "left_out", "table_of"]

_NAME = r'[`"]([^`"]+)[`"]'
_OF_ONE = re.compile(r"^SELECT (.*?) FROM .*(?:LIMIT 21|FETCH FIRST 21 ROWS ONLY)\s*$", re.DOTALL)
"""What `get()` makes."""


def table_of(sql: str) -> str:
    """Return the table that `sql` reads."""
    found = re.search(r'\bFROM\s+[`"]?([\w.]+)', sql)
    return found[1] if found else "another table"


def is_of_one(sql: str) -> bool:
    """Return whether `sql` looks for a single object."""
    return _OF_ONE.match(sql) is not None


def left_out(sql: str, model: Any) -> str | None:
    """Return the column that `sql` loads late, as `only()` would name it, if that is what it does.

    Of an object of `model`, or one that is joined to it: it has not all of the columns.
    """
    found = _OF_ONE.match(sql)
    selected = set(re.findall(rf"{_NAME}\.{_NAME}", found[1])) if found else set()
    for before, related in _joined(model):
        columns = {
            (field.model._meta.db_table, field.column): field
            for field in related._meta.concrete_fields
        }
        loaded = [field.attname for place, field in columns.items() if place in selected]
        if len(loaded) < len(columns):
            keys = {field.attname for field in columns.values() if field.primary_key}
            late = [name for name in loaded if name not in keys]
            if late:
                return f"{before}{late[0]}"
    return None


def _joined(model: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a queryset of `model` may have: its objects, and those of its relations."""
    yield "", model
    for field in model._meta.get_fields():
        is_one = field.many_to_one or field.one_to_one
        if is_one and field.related_model is not None and not field.auto_created:
            yield f"{field.name}{LOOKUP_SEP}", field.related_model
