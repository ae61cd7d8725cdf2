"""How do decimals and durations stand in JSON? (Bytes are in `test_field_types.py`.)"""

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, TypeAdapter

from django_mullet import ModelSchema
from tests.fieldtypes.models import Moments, Numbers

# RFC 3339, appendix A.
TIME = r"T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S)"
RFC_3339 = re.compile(rf"P(\d+D({TIME})?|{TIME})")


class Schema(ModelSchema[Moments]):
    duration: timedelta


class AfterSchema(ModelSchema[Moments]):
    model_config = ConfigDict(title="After")
    duration: timedelta | None
    between: list[timedelta]


class AmountSchema(ModelSchema[Numbers]):
    amount: Decimal  # that a queryset annotates


@pytest.mark.parametrize("text", ["1.50", "0.00000000", "-0.0000000123", "100", "1E+2"])
def test_a_decimal_is_written_without_an_exponent(text: str) -> None:
    shown = json.loads(AmountSchema(amount=Decimal(text)).model_dump_json())["amount"]

    assert shown == text.replace("1E+2", "100")


def written(span: timedelta) -> str:
    text: str = json.loads(Schema(duration=span).model_dump_json())["duration"]
    return text


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(), "PT0S"),
        (timedelta(days=1), "P1D"),
        (timedelta(days=400), "P400D"),
        (timedelta(hours=2), "PT2H"),
        (timedelta(hours=2, seconds=1), "PT2H0M1S"),
        (timedelta(minutes=3), "PT3M"),
        (timedelta(days=8, hours=1, minutes=2, seconds=3), "P8DT1H2M3S"),
        (timedelta(microseconds=1), "PT0.000001S"),
        (timedelta(hours=1, milliseconds=500), "PT1H0M0.5S"),
        (timedelta(days=-1), "-P1D"),
        (timedelta(microseconds=-1), "-PT0.000001S"),
        (timedelta(days=-400, microseconds=5), "-P399DT23H59M59.999995S"),
        (timedelta.min, "-P999999999D"),
    ],
)
def test_a_duration_is_written_in_days(span: timedelta, text: str) -> None:
    assert written(span) == text
    assert Schema(duration=span).model_dump(mode="json") == {"duration": text}
    assert Schema(duration=span).model_dump() == {"duration": span}


LIMIT = timedelta(microseconds=2**63 - 1)


@settings(max_examples=200, deadline=None)
@given(st.timedeltas(-LIMIT, LIMIT))
def test_what_is_written_is_read_as_the_same(span: timedelta) -> None:
    assert TypeAdapter(timedelta).validate_python(written(span)) == span


@settings(max_examples=200, deadline=None)
@given(st.integers(0, LIMIT // timedelta(seconds=1)))
def test_what_rfc_3339_has_words_for_is_written_as_it_says(seconds: int) -> None:
    assert RFC_3339.fullmatch(written(timedelta(seconds=seconds)))


def test_durations_within_other_types_are_written_so_too() -> None:
    days = [timedelta(days=400), timedelta(days=800)]

    shown = AfterSchema(duration=None, between=days)

    assert shown.model_dump(mode="json") == {"duration": None, "between": ["P400D", "P800D"]}


@pytest.mark.django_db
def test_rows_and_instances_are_written_alike() -> None:
    moment = Moments(date="2026-01-31", datetime="2026-01-31T12:00Z", time="12:00")
    moment.duration = timedelta(days=400, seconds=1)
    moment.save()
    rows = TypeAdapter(list[Schema])

    found = rows.dump_json(Schema.from_qs(Moments.objects.all()))

    assert found == rows.dump_json([Schema.from_model(moment)]) == b'[{"duration":"P400DT1S"}]'


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_the_document_calls_it_a_duration(mode: Any) -> None:
    properties = Schema.model_json_schema(mode=mode)["properties"]

    assert properties["duration"] == {"type": "string", "format": "duration", "title": "Duration"}


def test_a_schema_can_say_how_it_writes_durations() -> None:
    class SecondsSchema(ModelSchema[Moments]):
        model_config = ConfigDict(ser_json_timedelta="float")
        duration: timedelta

    shown = SecondsSchema(duration=timedelta(days=1))

    assert shown.model_dump(mode="json") == {"duration": 86400.0}
