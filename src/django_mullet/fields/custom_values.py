"""Field classes that are not Django's and whose values differ from those of their base.

A number may become a measure when it comes from the database, and a text a list. Nothing says so
but the methods that do it: they are given a value, and what they return is looked at.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from django_mullet.fields.foreign_code import is_djangos, is_usual_column

__all__ = ["are_known_as", "differ_from"]

_SAMPLES: dict[Any, Any] = {
    bool: True,
    bytes: b"1",
    date: date(2026, 1, 31),
    datetime: datetime(2026, 1, 31, tzinfo=UTC),
    Decimal: Decimal(1),
    float: 1.0,
    int: 1,
    str: '["1"]',  # of which some make a list
    time: time(12),
    timedelta: timedelta(1),
    UUID: UUID(int=1),
}


def differ_from(annotation: Any, field: Any, read: Callable[[Any], Any] | None) -> bool:
    """Return whether a value of `field` is seen not to be what `annotation` says.

    `read` turns it into the schema's. What a method raises says nothing about its values.
    """
    return any(found is False for found in _seen(annotation, field, read))


def are_known_as(annotation: Any, field: Any, read: Callable[[Any], Any] | None) -> bool:
    """Return whether nothing speaks against the values of `field` being what `annotation` says."""
    is_usual = is_usual_column(field.model, field)
    return is_usual and all(_seen(annotation, field, read))


def _seen(annotation: Any, field: Any, read: Callable[[Any], Any] | None) -> Iterator[bool | None]:
    """Yield for each method that makes values whether they are such; `None` if it fails."""
    if annotation not in _SAMPLES:
        return
    sample = _SAMPLES[annotation]
    made: list[Callable[[], Any]] = []
    if not is_djangos(type(field).to_python):
        made.append(lambda: field.to_python(sample))
    if hasattr(field, "from_db_value") and not is_djangos(type(field).from_db_value):
        made.append(lambda: field.from_db_value(sample, None, None))
    for make in made:
        try:
            value = make()
        except Exception:  # it takes others, or wants a database
            yield None
        else:
            yield _is(annotation, field, value, read)


def _is(annotation: Any, field: Any, value: Any, read: Callable[[Any], Any] | None) -> bool:
    """Return whether the schema would show `value`, as it is or as its column has it."""
    adapter = TypeAdapter(annotation)
    for way in (_as_it_is, field.to_python) if read is None else (read,):
        with suppress(Exception):
            adapter.validate_python(way(value))
            return True
    return False


def _as_it_is(value: Any) -> Any:
    return value
