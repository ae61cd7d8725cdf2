"""Which values can a field have, as a client sends them in JSON?"""

from base64 import b64encode
from datetime import UTC, timedelta, timezone
from typing import Any

from django.contrib.postgres.fields import (
    ArrayField,
    BigIntegerRangeField,
    DateRangeField,
    DateTimeRangeField,
    DecimalRangeField,
    HStoreField,
    IntegerRangeField,
)
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from hypothesis import provisional
from hypothesis import strategies as st
from pydantic import TypeAdapter

from django_mullet.fields.registry import value_field

__all__ = ["values_of"]

Values = st.SearchStrategy[Any]

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])
DURATION = TypeAdapter(timedelta)


def text(max_size: int | None = None, min_size: int = 0) -> Values:
    """Any text but for what no database stores: NUL, and half a surrogate pair."""
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    return st.text(letters, min_size=min_size, max_size=max_size)


# PostgreSQL has numbers of its own in JSON, of 15 digits what a float has too.
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(-1e15, 1e15).map(lambda number: round(number, 3))
    | text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text(), inner, max_size=3),
    max_leaves=8,
)


def values_of(field: Any) -> Values:
    """Return what a client can send for `field`."""
    source = value_field(field)
    [strategy] = [make for kind, make in BY_FIELD.items() if kind is type(source)]
    values = strategy(source)
    if source.choices:
        values = st.sampled_from([value for value, _ in source.choices])
    return st.none() | values if field.null else values


def valid_for(field: Any, values: Values) -> Values:
    """Leave out what Django refuses: some addresses that Hypothesis thinks of, for instance."""

    def is_valid(value: str) -> bool:
        try:
            field.run_validators(value)
        except ValidationError:
            return False
        return True

    return values.filter(is_valid)


def integers(field: Any) -> Values:
    return st.integers(*BaseDatabaseOperations.integer_field_ranges[field.get_internal_type()])


def decimals(field: Any) -> Values:
    limit = 10 ** (field.max_digits - field.decimal_places) - 1
    return st.decimals(-limit, limit, places=field.decimal_places).map(str)


def bytestrings(field: Any) -> Values:
    return st.binary(max_size=field.max_length).map(lambda value: b64encode(value).decode())


def moments(field: Any) -> Values:
    return st.datetimes(timezones=ZONES).filter(_is_in_utc).map(lambda moment: moment.isoformat())


def _is_in_utc(moment: Any) -> bool:
    try:
        moment.astimezone(UTC)
    except OverflowError:
        return False
    return True


def dates(field: Any) -> Values:
    return st.dates().map(lambda day: day.isoformat())


def durations(field: Any) -> Values:
    limit = timedelta(microseconds=2**63 - 1)
    return st.timedeltas(-limit, limit).map(lambda span: DURATION.dump_python(span, mode="json"))


def ranges(bounds: Values, key: Any) -> Values:
    pairs = st.lists(bounds, min_size=2, max_size=2).map(lambda pair: sorted(pair, key=key))
    ends = st.tuples(pairs, st.sampled_from(["[)", "(]", "()", "[]", "empty"]))
    whole = ends.map(lambda drawn: {"lower": drawn[0][0], "upper": drawn[0][1], "bounds": drawn[1]})
    return whole | whole.flatmap(
        lambda value: st.sampled_from([value | {"lower": None}, value | {"upper": None}])
    )


def arrays(field: Any) -> Values:
    if not isinstance(field.base_field, ArrayField):
        return st.lists(values_of(field.base_field), max_size=field.size or 4)
    row = values_of(field.base_field.base_field)
    # An array of empty arrays is an empty array to PostgreSQL.
    return st.integers(1, 3).flatmap(
        lambda size: st.lists(st.lists(row, min_size=size, max_size=size), max_size=3)
    )


SMALL = st.integers(-(2**31), 2**31 - 2)
BIG = st.integers(-(2**63), 2**63 - 2)
DAYS = dates(None).filter(lambda day: day != "9999-12-31")

BY_FIELD: dict[type, Any] = {
    models.BinaryField: bytestrings,
    models.BooleanField: lambda field: st.booleans(),
    models.CharField: lambda field: text(field.max_length, 0 if field.blank else 1),
    models.DateField: dates,
    models.DateTimeField: moments,
    models.DecimalField: decimals,
    models.DurationField: durations,
    models.EmailField: lambda field: valid_for(field, st.emails()),
    models.FilePathField: lambda field: st.sampled_from([str(field.path) + "/models.py"]),
    models.FloatField: lambda field: st.floats(allow_nan=False, allow_infinity=False),
    models.GenericIPAddressField: lambda field: valid_for(field, st.ip_addresses().map(str)),
    models.JSONField: lambda field: JSON.filter(lambda value: value is not None),
    models.SlugField: lambda field: st.from_regex(r"[-a-zA-Z0-9_]{1,50}", fullmatch=True),
    models.TextField: lambda field: text(None, 0 if field.blank else 1),
    models.TimeField: lambda field: st.times().map(lambda time: time.isoformat()),
    models.URLField: lambda field: valid_for(field, provisional.urls()),
    models.UUIDField: lambda field: st.uuids().map(str),
    **dict.fromkeys(
        [
            models.IntegerField,
            models.SmallIntegerField,
            models.BigIntegerField,
            models.PositiveIntegerField,
            models.PositiveSmallIntegerField,
            models.PositiveBigIntegerField,
        ],
        integers,
    ),
    ArrayField: arrays,
    HStoreField: lambda field: st.dictionaries(text(), st.none() | text()),
    IntegerRangeField: lambda field: ranges(SMALL, None),
    BigIntegerRangeField: lambda field: ranges(BIG, None),
    DecimalRangeField: lambda field: ranges(st.decimals(-1000, 1000, places=2).map(str), float),
    DateRangeField: lambda field: ranges(DAYS, None),
    DateTimeRangeField: lambda field: ranges(
        st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat()), None
    ),
}
