"""Values as a column gives them back, computed from what code has set.

Until its row is read again an instance has what it was given: a price of `0`, a moment in the
current time zone, an address with capital letters. An answer says what the next one will.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.utils import timezone

from django_mullet.fields.info import find_field, has_items
from django_mullet.fields.registry import value_field

__all__ = ["as_loaded", "decimal_places_of"]

Convert = Callable[[Any, str], Any]
"""Takes a value and the alias of a database; returns that very value if it is as loaded."""


def as_loaded(schema: Any, instance: Any) -> Any:
    """Return `instance`, or a copy with what its row has in place of what code has set.

    Of the columns that `schema` shows.
    """
    values, using = instance.__dict__, instance._state.db or DEFAULT_DB_ALIAS
    changed = {}
    for name, convert in _columns(schema):
        if (value := values.get(name)) is not None:
            loaded = convert(value, using)
            if loaded is not value:
                changed[name] = loaded
    if not changed:
        return instance
    kind: Any = type(instance)
    twin = kind.__new__(kind)
    twin.__dict__.update(values, **changed)
    return twin


def decimal_places_of(field: Any) -> int | None:
    """Return how many places the decimals of `field` have, or those in its arrays, if it says."""
    if isinstance(field, models.GeneratedField):
        return decimal_places_of(field.output_field)
    if hasattr(field, "base_field"):
        return decimal_places_of(field.base_field)
    return field.decimal_places if isinstance(field, models.DecimalField) else None


@cache
def _columns(schema: Any) -> tuple[tuple[str, Convert], ...]:
    """Return the columns of which an instance may have values that are spelled otherwise."""
    found = []
    for name in schema.model_fields:
        field = find_field(schema.django_model(), name)
        if isinstance(field, models.Field) and field.concrete and not schema.is_nested(name):
            convert = _convert(value_field(field))
            if convert is not None:
                found.append((field.attname, convert))
    return tuple(found)


def _convert(field: Any) -> Convert | None:
    """Return what makes a value of `field` as loaded, if Pydantic would show another."""
    if has_items(field):
        inner = _convert(field.base_field)
        return None if inner is None else partial(_items, inner)
    found = [convert for kind, convert in _BY_FIELD.items() if isinstance(field, kind)]
    return partial(_tried, partial(found[0], field)) if found else None


def _tried(convert: Convert, value: Any, using: str) -> Any:
    try:
        return convert(value, using)
    except (InvalidOperation, TypeError, ValidationError, ValueError):  # it is of no such type
        return value


def _items(convert: Convert, value: Any, using: str) -> Any:
    if not isinstance(value, list | tuple):
        return value
    items = [None if item is None else convert(item, using) for item in value]
    return value if all(map(_is, items, value)) else items


def _is(one: Any, other: Any) -> bool:
    return one is other


def _decimal(field: Any, value: Any, using: str) -> Any:
    places = field.decimal_places
    if places is None or (type(value) is Decimal and value.as_tuple().exponent == -places):
        return value
    # PostgreSQL rounds what Django leaves to it as one learns it at school.
    is_postgresql = connections[using].vendor == "postgresql"
    rounding = ROUND_HALF_UP if is_postgresql else ROUND_HALF_EVEN
    with localcontext(prec=field.max_digits):
        return field.to_python(value).quantize(Decimal(1).scaleb(-places), rounding) + 0


def _moment(field: Any, value: Any, using: str) -> Any:
    if not settings.USE_TZ:
        return value
    zone = connections[using].timezone
    if type(value) is datetime and value.tzinfo is zone:
        return value
    found = field.to_python(value)
    return (timezone.make_aware(found) if timezone.is_naive(found) else found).astimezone(zone)


def _address(field: Any, value: Any, using: str) -> Any:
    if type(value) is str and value and ":" not in value:
        return value
    written = field.to_python(value) or None
    return value if written == value else written


_BY_FIELD: dict[type, Callable[[Any, Any, str], Any]] = {
    models.DateTimeField: _moment,
    models.DecimalField: _decimal,
    models.GenericIPAddressField: _address,
}
