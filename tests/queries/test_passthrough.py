"""Whose code has a part in what a lookup gives to the database?"""

from typing import Any

import pytest
from django.db import connection, models
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import Exact, In, IntegerFieldExact, IntegerFieldOverflow

from django_mullet.queries.passthrough import class_as_is, class_listed, range_as_is
from tests.testapp.models import Item

METHODS = (
    *("as_sql", "as_postgresql", "process_lhs", "process_rhs"),
    *("get_prep_lookup", "get_rhs_op", "get_db_prep_lookup"),
)

ID, N, NAME, AUTHOR = (Item._meta.get_field(name) for name in ("id", "n", "name", "author"))


def lookup_of(kind: Any, field: Any, value: Any = 1) -> Any:
    field.model = Item
    return kind(field.get_col("testapp_item"), value)


def own(base: Any, method: str) -> Any:
    """Return a class that has a method of its own, which does what that of `base` does."""

    def asked(self: Any, *args: Any) -> Any:
        return getattr(super(kind, self), method)(*args)

    kind = type("Own", (base,), {method: asked})
    return kind


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (ID, int),
        (N, None),  # psycopg is told how large they are
        (NAME, str),
        (AUTHOR, int),
        (models.FloatField(), None),
        (models.UUIDField(), None),
    ],
)
def test_values_of_django_s_fields(field: Any, expected: Any) -> None:
    assert class_as_is(lookup_of(Exact, field, None)) is expected
    assert class_listed(lookup_of(In, field, [])) is expected


def test_values_of_other_lookups() -> None:
    assert class_as_is(lookup_of(In, ID, [1])) is None
    assert class_listed(lookup_of(Exact, ID)) is None
    assert class_listed(lookup_of(RelatedIn, AUTHOR, [1])) is int


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("base", [Exact, IntegerFieldExact])
def test_a_lookup_with_a_method_of_its_own_is_asked(base: Any, method: str) -> None:
    assert class_as_is(lookup_of(base, ID)) is int
    assert class_as_is(lookup_of(own(base, method), ID)) is None


def test_so_is_what_comes_after_the_range() -> None:
    kind = type("Own", (IntegerFieldOverflow, own(Exact, "process_rhs")), {})

    assert class_as_is(lookup_of(kind, ID)) is None


@pytest.mark.parametrize("method", [*METHODS, "batch_process_rhs"])
@pytest.mark.parametrize("base", [In, RelatedIn])
def test_so_is_one_of_lists(base: Any, method: str) -> None:
    assert class_listed(lookup_of(base, AUTHOR, [1])) is int
    assert class_listed(lookup_of(own(base, method), AUTHOR, [1])) is None


@pytest.mark.parametrize("method", ["get_prep_value", "get_db_prep_value"])
@pytest.mark.parametrize("base", [models.BigAutoField, models.TextField])
def test_a_field_with_a_method_of_its_own_is_asked(base: Any, method: str) -> None:
    field = own(base, method)(primary_key=True)

    assert class_as_is(lookup_of(Exact, field, "1")) is None
    assert class_listed(lookup_of(In, field, ["1"])) is None


def test_a_field_of_text_that_makes_something_of_it_is_asked() -> None:
    assert class_as_is(lookup_of(Exact, own(models.CharField, "to_python")(), "a")) is None


def test_a_lookup_that_does_not_prepare_values_is_asked() -> None:
    unprepared = {"prepare_rhs": False}

    assert class_as_is(lookup_of(type("Own", (Exact,), unprepared), ID)) is None
    assert class_listed(lookup_of(type("Own", (In,), unprepared), ID, [1])) is None


def test_a_lookup_that_transforms_both_sides_is_asked() -> None:
    for find, lookup in (
        (class_as_is, lookup_of(Exact, NAME, "a")),
        (class_listed, lookup_of(In, NAME, ["a"])),
    ):
        lookup.bilateral_transforms = [models.functions.Upper]

        assert find(lookup) is None


def test_an_expression_on_the_left_is_asked() -> None:
    upper = models.functions.Upper(NAME.get_col("testapp_item"))

    assert class_as_is(Exact(upper, "a")) is None
    assert class_listed(In(upper, ["a"])) is None


def test_integers_have_the_range_of_their_column() -> None:
    first, last = range_as_is(lookup_of(IntegerFieldExact, ID), connection)

    assert first <= -(2**31) < 2**31 - 1 <= last < float("inf")


def test_integers_may_have_no_range() -> None:
    infinite = (float("-inf"), float("inf"))

    class Operations:
        def integer_field_range(self, kind: str) -> tuple[None, None]:
            return None, None

    class Backend:
        ops = Operations()

    assert range_as_is(lookup_of(IntegerFieldExact, ID), Backend()) == infinite
    assert range_as_is(lookup_of(Exact, ID), connection) == infinite
