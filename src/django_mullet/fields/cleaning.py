"""Values cleaned before a column takes them: time zones, decimals, paths, NUL characters.

Each function takes a field and a value that a request has sent, already of the right type. It
raises `ValueError`, or Django's `ValidationError`, where the database would answer with an error
that no client understands.
"""

from datetime import UTC, datetime, time
from decimal import Decimal, localcontext
from enum import Enum
from math import isfinite
from typing import Any

from django.conf import settings
from django.utils import timezone
from pydantic import Secret, SecretBytes, SecretStr
from pydantic_core import to_jsonable_python

__all__ = [
    "DECIMAL_PATTERN",
    "MAX_DEPTH",
    "address",
    "decimal",
    "json",
    "moment",
    "path",
    "plain",
    "text",
    "time_of_day",
]

DECIMAL_PATTERN = r"^-?(\d+(\.\d*)?|\.\d+)$"
"""What the OpenAPI document says of a decimal of any number of digits."""

MAX_DEPTH = 100
"""How deep JSON may be: Pydantic reads and writes 250 levels, of which some are the schema's."""


def plain(field: Any, value: Any) -> Any:
    """Return what stands in an enumeration's member or in a secret of Pydantic's."""
    if isinstance(value, Secret | SecretBytes | SecretStr):
        return value.get_secret_value()
    return value.value if isinstance(value, Enum) else value


def moment(field: Any, value: Any) -> Any:
    """Return a date and time in UTC if the project has `USE_TZ`, as Django reads it, else a naive.

    One without a time zone is in the current one, as it is in Django's forms.
    """
    if not isinstance(value, datetime):
        return value
    try:
        if settings.USE_TZ:
            aware = timezone.make_aware(value) if timezone.is_naive(value) else value
            return aware.astimezone(UTC)
        return value if timezone.is_naive(value) else timezone.make_naive(value)
    except OverflowError:
        raise ValueError("This is not between the years 1 and 9999 in UTC.") from None


def time_of_day(field: Any, value: Any) -> Any:
    """Return a time without a time zone; no database has others."""
    if isinstance(value, time) and value.tzinfo is not None:
        raise ValueError("A time of day has no time zone.")
    return value


def decimal(field: Any, value: Any) -> Any:
    """Return a decimal with as many places as the column has, and no negative zero."""
    if not isinstance(value, Decimal) or not value.is_finite() or field.decimal_places is None:
        return value
    with localcontext(prec=field.max_digits):
        return value.quantize(Decimal(1).scaleb(-field.decimal_places)) + 0


def address(field: Any, value: Any) -> Any:
    """Return an IP address as Django writes it; it stores null for an empty one."""
    written = field.to_python(value)
    return None if written == "" and field.blank and field.null else written


def path(field: Any, value: Any) -> Any:
    """Return a path that is one of those that Django's form lets a user choose."""
    return field.formfield(required=not field.blank).clean(str(value))


def text(field: Any, value: Any) -> Any:
    """Return a text that PostgreSQL can store, and UTF-8 can express."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("Null characters are not allowed.")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ValueError("Surrogates without their other half are not allowed.") from None
    return value


def json(field: Any, value: Any) -> Any:
    """Return a value that is JSON as RFC 8259 has it: NaN and infinity are not."""
    level = [to_jsonable_python(value)]
    for _ in range(MAX_DEPTH + 1):
        for item in level:
            text(field, item)
            if isinstance(item, float) and not isfinite(item):
                raise ValueError("JSON has no NaN and no infinity.")
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return value
    raise ValueError(f"More than {MAX_DEPTH} levels are not allowed.")


def _inside(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    return item if isinstance(item, list) else []
