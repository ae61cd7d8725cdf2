"""The Python types of the fields of `django.contrib.postgres`.

To import this needs psycopg, as those fields do.
"""

from datetime import date, timedelta
from typing import Any

from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    HStoreField,
    IntegerRangeField,
    RangeField,
)
from django.contrib.postgres.search import SearchVectorField

from django_mullet.fields import cleaning
from django_mullet.fields.info import facts_of_values
from django_mullet.fields.ranges import Range
from django_mullet.fields.registry import annotation_of, register_field_type, type_of

__all__: list[str] = []

_STEPS: dict[type, Any] = {
    IntegerRangeField: 1,
    BigIntegerRangeField: 1,
    DateRangeField: timedelta(days=1),
}
"""The ranges over whole steps, which PostgreSQL writes without their upper bound."""


# Arrays


def _list(field: Any) -> Any:
    return list[annotation_of(field.base_field)]  # type: ignore[misc]


def _size(field: Any) -> dict[str, Any]:
    return {"max_length": field.size}


def _rectangular(field: Any, value: Any) -> Any:
    _lengths(field, value)
    return value


def _lengths(field: Any, value: Any) -> tuple[int, ...]:
    """Return the length in each dimension; PostgreSQL's arrays are rectangular."""
    if not isinstance(field, ArrayField) or value is None:
        return ()
    inner = {_lengths(field.base_field, item) for item in value}
    if len(inner) > 1:
        raise ValueError("Nested arrays must have the same length.")
    return (len(value), *inner.pop()) if inner else (0,)


def _read_items(field: Any, value: Any) -> Any:
    return _each(field, value, type_of(field.base_field).read)


def _write_items(field: Any, value: Any) -> Any:
    return _each(field, value, type_of(field.base_field).write)


def _each(field: Any, value: Any, convert: Any) -> Any:
    if value is None or convert is None:
        return value
    return [None if item is None else convert(field.base_field, item) for item in value]


# Ranges


def _range(field: Any) -> Any:
    return Range[type_of(field.base_field).annotation]  # type: ignore[misc]


def _clean_range(field: Any, value: Any) -> Any:
    """Return a range as PostgreSQL writes it, so that it is the same before and after."""
    if not isinstance(value, Range):
        return value
    lower, upper = (_clean_bound(field, bound) for bound in (value.lower, value.upper))
    if lower is not None and upper is not None and lower > upper:
        raise ValueError("The lower bound is above the upper one.")
    first, last = "()" if value.bounds == "empty" else value.bounds
    first = "(" if lower is None else first
    last = ")" if upper is None else last
    if (step := _step(field)) is not None:
        if lower is not None and first == "(":
            lower, first = _next(field, lower, step), "["
        if upper is not None and last == "]":
            upper, last = _next(field, upper, step), ")"
    is_empty = lower is not None and upper is not None and _is_empty(lower, upper, first + last)
    if is_empty or value.bounds == "empty":
        return value.model_copy(update={"lower": None, "upper": None, "bounds": "empty"})
    return value.model_copy(update={"lower": lower, "upper": upper, "bounds": first + last})


def _clean_bound(field: Any, bound: Any) -> Any:
    return None if bound is None else facts_of_values(field.base_field).checked(bound)


def _step(field: Any) -> Any:
    return next((step for kind, step in _STEPS.items() if isinstance(field, kind)), None)


def _next(field: Any, bound: Any, step: Any) -> Any:
    if bound == date.max:
        raise ValueError("The last day that there is cannot belong to a range.")
    return _clean_bound(field, bound + step)


def _is_empty(lower: Any, upper: Any, bounds: str) -> bool:
    is_empty: bool = lower > upper or (lower == upper and bounds != "[]")
    return is_empty


def _read_range(field: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, list | tuple):  # as Django lets a program write it
        value = field.get_prep_value(value)
    bounds = "empty" if value.isempty else f"{'[('[not value.lower_inc]}{'])'[not value.upper_inc]}"
    return {"lower": value.lower, "upper": value.upper, "bounds": bounds}


def _write_range(field: Any, value: Any) -> Any:
    if not isinstance(value, Range):
        return value
    if value.bounds == "empty":
        return field.range_type(empty=True)
    return field.range_type(value.lower, value.upper, value.bounds)


def _texts(field: Any, value: Any) -> Any:
    for text in (*value.keys(), *value.values()):
        cleaning.text(field, text)
    return value


register_field_type(
    ArrayField,
    annotation=_list,
    limits=_size,
    clean=_rectangular,
    read=_read_items,
    write=_write_items,
)
register_field_type(HStoreField, annotation=dict[str, str | None], clean=_texts)
register_field_type(
    RangeField,
    annotation=_range,
    clean=_clean_range,
    read=_read_range,
    write=_write_range,
)
register_field_type(SearchVectorField, annotation=str, read_only=True)
