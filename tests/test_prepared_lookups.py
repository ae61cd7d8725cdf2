"""Is each lookup of each field the same in a prepared query, whatever it is given?"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.postgres.fields.ranges import RangeField
from django.core.exceptions import EmptyResultSet, FieldError
from django.db import connection, models, transaction
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_mullet.exceptions import NotPreparable
from django_mullet.parameters import MOST
from django_mullet.prepared import prepared
from tests.fieldtypes.models import Documents

pytestmark = pytest.mark.django_db

SCALARS: list[Any] = [
    None,
    "",
    "a",
    "2020-02-03",
    "é%_",
    0,
    1,
    -1,
    2020,
    10**30,
    1.5,
    Decimal("1.25"),
    True,
    False,
    b"\x00a",
    date(2020, 2, 3),
    timezone.now(),
    timedelta(days=1, microseconds=1),
    UUID(int=7),
    "127.0.0.1",
    {"a": 1},
    {"a": [None]},
    object(),
]
READ_AT_ONCE = ("isnull", "has_keys", "has_any_keys")
"""Lookups that are refused: what they are given is read when the queryset is built."""

VALUES = st.sampled_from(SCALARS) | st.lists(st.sampled_from(SCALARS), max_size=3)


def lookups() -> list[tuple[type[models.Model], str]]:
    """Return each lookup of each field, with one transform before it where there are any."""
    found = []
    for model in apps.get_app_config("fieldtypes").get_models():
        if (model._meta.required_db_vendor or connection.vendor) != connection.vendor:
            continue
        for field in model._meta.get_fields():
            if not field.concrete or not hasattr(field, "get_lookups"):
                continue
            for name, lookup in field.get_lookups().items():
                found.append((model, f"{field.name}__{name}"))
                if not isinstance(lookup, type) or issubclass(lookup, models.Lookup):
                    continue
                output = getattr(lookup, "output_field", None)
                inner = output.get_lookups() if isinstance(output, models.Field) else {}
                found += [(model, f"{field.name}__{name}__{after}") for after in inner]
    return found


def is_about_ranges(model: type[models.Model], lookup: str) -> bool:
    """Return whether the lookup makes another expression of a range than of its bound."""
    name, _, kind = lookup.partition("__")
    return kind == "contains" and isinstance(model._meta.get_field(name), RangeField)


def outcome(query: Any) -> Any:
    """Return the SQL and the rows, or which error there is."""
    try:
        found: QuerySet[Any] = query()
        try:
            sql, params = found.query.get_compiler("default").as_sql()
        except EmptyResultSet:
            return "empty", list(found)
        with transaction.atomic():
            return sql, repr([_value(param) for param in params]), list(found)
    except Exception as error:  # whatever a field thinks of a value that it cannot have
        return type(error)


def _value(param: Any) -> Any:
    return bytes(param) if isinstance(param, memoryview) else param


def test_there_are_lookups() -> None:
    assert len(lookups()) > 700
    assert {name.rpartition("__")[2] for _, name in lookups()} >= {
        *("exact", "in", "range", "isnull", "contains", "regex", "year", "date", "has_key")
    }


def test_a_lookup_that_leaves_no_condition_is_the_same() -> None:
    def having(keys: Any) -> QuerySet[Any]:
        return Documents.objects.filter(nullable__has_key=keys).values_list("pk")

    expected = outcome(lambda: having([]))

    function = prepared(having)
    function("a")
    assert outcome(lambda: function([])) == expected


COMPARING = ("exact", "in", "gt", "gte", "lt", "lte")
NUMBERS = [0, 1, *(edge + off for edge in (2**15, 2**31, 2**63) for off in (-1, 0))]
NUMBERS += [-number - 1 for number in NUMBERS]
LISTS: list[list[Any]] = [
    *([2**63], [-(2**63) - 1], [2**31, 1], [1], [2], [1, 1], [2, 1], [1, 2, 3], [3, 2, 1, 2]),
    *([None], [1, None], [None, 2], [True], [True, 1], [1, 1.0], [1, "1"], []),
    *(["a"], ["b"], ["b", "a", "b"], [""], ["a", None], ["a", 1], ["1"], ["1", "2"]),
]


@pytest.mark.parametrize(
    ("model", "lookup"),
    [pair for pair in lookups() if pair[1].split("__")[1:] in [[name] for name in COMPARING]],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_it_is_the_same_again_and_again(model: type[models.Model], lookup: str) -> None:
    def of_value(value: Any) -> QuerySet[Any]:
        return model._base_manager.filter(**{lookup: value}).values_list("pk")

    values = LISTS if lookup.endswith("__in") else [*NUMBERS, "a", "b", "", "1", "2", True]
    function = prepared(of_value)

    for value in values * 2:
        assert outcome(lambda value=value: function(value)) == outcome(
            lambda value=value: of_value(value)
        )


@pytest.mark.parametrize("length", [MOST, MOST + 1])
def test_lists_may_have_any_length(length: int) -> None:
    function = prepared(lambda keys: Documents.objects.filter(pk__in=keys).values_list("pk"))

    for keys in (list(range(length)), list(range(length, 0, -1))):
        assert outcome(lambda keys=keys: function(keys)) == outcome(
            lambda keys=keys: Documents.objects.filter(pk__in=keys).values_list("pk")
        )


@given(data=st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_lookup_is_the_same(data: st.DataObject) -> None:
    model, lookup = data.draw(st.sampled_from(lookups()), label="lookup")
    value = data.draw(VALUES, label="value")
    manager = model._base_manager

    def of_value(value: Any) -> QuerySet[Any]:
        if data_negated:
            return manager.exclude(**{lookup: value}).values_list("pk")
        return manager.filter(**{lookup: value}).values_list("pk")

    data_negated = data.draw(st.booleans(), label="exclude()")
    expected = outcome(lambda: of_value(value))
    function = prepared(of_value)

    if lookup.endswith(READ_AT_ONCE) or expected is FieldError:
        with pytest.raises(NotPreparable):
            function.traced()
        return
    if is_about_ranges(model, lookup):
        assert outcome(lambda: function(value)) in (expected, NotPreparable)
        return
    # Both run, in tests, and are compared: a difference would be a `PreparedMismatch`.
    assert outcome(lambda: function(value)) == expected
    assert outcome(lambda: function(value)) == expected
    other = data.draw(VALUES, label="another value")
    assert outcome(lambda: function(other)) == outcome(lambda: of_value(other))
