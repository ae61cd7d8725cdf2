"""What of an instance is left as it is, until its row is read again?"""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.test import override_settings

from django_mullet import ModelSchema
from django_mullet.fields.round_trip import as_loaded, decimal_places_of
from tests.fieldtypes import models as fieldtypes
from tests.fieldtypes import schemas

EVENING = datetime(2020, 1, 1, 21, tzinfo=timezone(timedelta(hours=9)))


def test_the_instance_itself_stays_as_it_is() -> None:
    row = fieldtypes.Numbers(decimal=0, small=1)

    loaded = as_loaded(schemas.NumbersSchema, row)

    assert (str(loaded.decimal), loaded.small) == ("0.000", 1)
    assert type(loaded) is fieldtypes.Numbers
    assert row.decimal == 0
    assert type(row.decimal) is int


@pytest.mark.parametrize("value", [None, datetime(2020, 1, 1, tzinfo=UTC), "noon"], ids=str)
def test_what_cannot_be_otherwise_is_left_alone(value: Any) -> None:
    row = fieldtypes.Moments(datetime=value)

    assert as_loaded(schemas.MomentsSchema, row) is row


@pytest.mark.parametrize("value", ["no list", [Decimal("1.00")], [None], []], ids=str)
def test_so_is_an_array_of_what_is_as_loaded(value: Any) -> None:
    row = fieldtypes.Arrays(decimals=value, moments=[], integers=[])

    assert as_loaded(schemas.ArraysSchema, row) is row


def test_without_time_zones_a_moment_has_none_to_be_in() -> None:
    row = fieldtypes.Moments(datetime=EVENING)

    with override_settings(USE_TZ=False):
        assert as_loaded(schemas.MomentsSchema, row) is row
    assert as_loaded(schemas.MomentsSchema, row).datetime.hour == 12


@pytest.mark.parametrize(
    ("field", "places"),
    [
        (models.DecimalField(max_digits=5, decimal_places=2), 2),
        (models.DecimalField(), None),
        (ArrayField(ArrayField(models.DecimalField(max_digits=5, decimal_places=1))), 1),
        (
            models.GeneratedField(
                expression=models.Value(Decimal(1)),
                output_field=models.DecimalField(max_digits=5, decimal_places=3),
                db_persist=True,
            ),
            3,
        ),
        (models.FloatField(), None),
    ],
)
def test_the_places_of_decimals_are_those_of_the_column(field: Any, places: int | None) -> None:
    assert decimal_places_of(field) == places


def test_what_a_validator_makes_of_a_number_keeps_its_digits() -> None:
    class Exact(ModelSchema[fieldtypes.Numbers]):
        decimal: Decimal

    def spelled(value: str) -> str:
        return Exact.model_construct(decimal=Decimal(value)).model_dump_json()

    assert spelled("1") == '{"decimal":"1.000"}'
    assert spelled("1.2345") == '{"decimal":"1.2345"}'
    assert spelled("NaN") == '{"decimal":"NaN"}'


def test_a_decimal_of_no_column_has_the_digits_that_it_has() -> None:
    class Annotated(ModelSchema[fieldtypes.Numbers]):
        total: Decimal

    assert Annotated(total=Decimal("1E+1")).model_dump_json() == '{"total":"10"}'
