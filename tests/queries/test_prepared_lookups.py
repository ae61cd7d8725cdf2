"""Is each lookup of each field the same in a prepared query, whatever it is given?"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.postgres.fields.ranges import RangeField
from django.core.exceptions import EmptyResultSet, FieldError
from django.db import connection, models, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Lower
from django.db.models.lookups import Exact
from django.test.utils import register_lookup
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_mullet import NotPreparable, prepared
from django_mullet.queries import verification
from django_mullet.queries.placeholders import MAX_KEPT
from tests.fieldtypes.models import Documents
from tests.saving import model_of
from tests.testapp.models import Author, Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests, where nothing is compared."""
    monkeypatch.setattr(verification, "in_tests", lambda: False)


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


@pytest.mark.parametrize("length", [MAX_KEPT, MAX_KEPT + 1])
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


NULLS: list[Any] = [
    *(["a"], [None, "a"], ("a", None), {None, "a"}, frozenset([None]), [None], [], [""]),
    *(["a", ""], {"a": 1, None: 2}.keys(), {"a": 1}.keys(), None, "", "a", "b", [None, "a", "b"]),
    *([["a", None]], range(0), [F("code")], (F("code"), "a"), [Value(None), "a"], [[F("code")]]),
]

NULLABLE: dict[str, Callable[[Any], QuerySet[Any]]] = {
    "filter": lambda value: Item.objects.filter(code__in=value),
    "exclude": lambda value: Item.objects.exclude(code__in=value),
    "exact": lambda value: Item.objects.exclude(code=value),
    "iexact": lambda value: Item.objects.exclude(code__iexact=value),
    "gt": lambda value: Item.objects.exclude(code__gt=value),
    "contains": lambda value: Item.objects.exclude(code__contains=value),
    "range": lambda value: Item.objects.exclude(code__range=value),
    "not or": lambda value: Item.objects.filter(~Q(code__in=value) | Q(n=1)),
    "not not": lambda value: Item.objects.exclude(~Q(code__in=value)),
    "not and": lambda value: Item.objects.exclude(code__in=value, n=0),
    "below": lambda value: Item.objects.exclude(author__name__in=value),
    "of many": lambda value: Author.objects.exclude(items__code__in=value),
    "within": lambda value: Author.objects.exclude(pk__in=Item.objects.exclude(code__in=value)),
    "exists": lambda value: Author.objects.filter(
        ~Exists(Item.objects.filter(author=OuterRef("pk")).exclude(code__in=value))
    ),
    "of a transform": lambda value: Item.objects.alias(low=Lower("code")).exclude(low__in=value),
}


@pytest.fixture
def items() -> None:
    ann, bo, _ = (Author.objects.create(name=name) for name in ("a", "b", "c"))
    for number, code in enumerate((None, "a", "b", "")):
        Item.objects.create(name="x", n=number, code=code, author=ann)
    Item.objects.create(name="y", author=bo)
    Item.objects.create(name="z", code="c")


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("function", NULLABLE.values(), ids=NULLABLE)
def test_nulls_hide_what_django_hides(function: Any) -> None:
    asking: Any = prepared(function)

    for value in NULLS * 2:
        expected = outcome(lambda value=value: function(value))
        assert outcome(lambda value=value: asking(value)) == expected, value
        counts = [answer(partial(count, each, value)) for each in (asking, function)]
        assert counts[0] == counts[1], value
        there = [answer(partial(exists, each, value)) for each in (asking, function)]
        assert there[0] == there[1], value


def count(function: Any, value: Any) -> int:
    return int(function(value).count())


def exists(function: Any, value: Any) -> bool:
    return bool(function(value).exists())


def answer(ask: Callable[[], Any]) -> Any:
    try:
        with transaction.atomic():
            return ask()
    except Exception as error:
        return type(error)


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("negated", [True, False])
def test_filters_of_a_caller_have_nulls_too(negated: bool) -> None:
    @prepared
    def items_of(author: Any) -> QuerySet[Item]:
        found = Item.objects.all()
        return found.exclude(author=author) if negated else found.filter(author=author)

    ann = Author.objects.get(name="a")
    for codes in (["a"], [None, "a"], [None], []):
        found = items_of(ann.pk).filter(code__in=codes)
        assert set(found) == set(items_of._function(ann.pk).filter(code__in=codes))


@pytest.mark.usefixtures("items")
@pytest.mark.parametrize("kind", [list, tuple, set])
def test_objects_in_a_list_are_of_the_model(kind: Any) -> None:
    of: Any = prepared(lambda authors: Item.objects.exclude(author__in=authors))
    ann, bo = Author.objects.filter(name__in=["a", "b"]).order_by("name")

    assert {item.name for item in of(kind([ann]))} == {"y", "z"}
    assert {item.name for item in of(kind([ann, bo]))} == {"z"}
    for wrong in (Item.objects.all()[0], Author(name="new")):
        expected = answer(
            lambda wrong=wrong: list(Item.objects.exclude(author__in=kind([ann, wrong])))
        )
        assert answer(lambda wrong=wrong: list(of(kind([ann, wrong])))) == expected


# Lookups and fields of somebody else


class Loose(Exact):
    """Makes of its value what it compares with, as nobody else knows."""

    def __init__(self, lhs: Any, rhs: Any) -> None:
        super().__init__(lhs, rhs.lower() if isinstance(rhs, str) else rhs)


class Doubled(Exact):
    """Turns its left side around, once."""

    def get_prep_lhs(self) -> Any:
        return Concat(super().get_prep_lhs(), Value("!"))


class Switched(Exact):
    """Reads something besides its value."""

    is_on = True

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return super().as_sql(compiler, connection) if self.is_on else ("1 = 1", [])


class Prefixed(Exact):
    """Prepares its value in its own way."""

    prefix = "a"

    def get_prep_lookup(self) -> Any:
        value = super().get_prep_lookup()
        return f"{self.prefix}{value}" if isinstance(value, str) else value


class Sided(Exact):
    """Has a left side that depends on something else."""

    is_on = True

    def process_lhs(self, compiler: Any, connection: Any, lhs: Any = None) -> Any:
        sql, params = super().process_lhs(compiler, connection, lhs)
        return (sql if self.is_on else f"LOWER({sql})"), params


OWN_LOOKUPS: list[Any] = [Loose, Doubled, Switched, Prefixed, Sided]


@pytest.mark.usefixtures("items", "unverified")
@pytest.mark.parametrize("lookup", OWN_LOOKUPS)
def test_a_lookup_of_somebody_else_is_asked_each_time(
    lookup: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(value: Any) -> QuerySet[Any]:
        return Item.objects.filter(code=value)

    asking: Any = prepared(of)
    Item.objects.create(name="A", code="aa")
    Item.objects.create(name="A", code="a!")
    Item.objects.create(name="B", code="B")
    with register_lookup(models.CharField, lookup):
        for is_on, prefix in ((True, "a"), (False, "b")):
            monkeypatch.setattr(Switched, "is_on", is_on)
            monkeypatch.setattr(Sided, "is_on", is_on)
            monkeypatch.setattr(Prefixed, "prefix", prefix)
            for value in ("A", "a", "a!", "", "b", None, "a"):
                assert answer(lambda value=value: list(asking(value))) == answer(
                    lambda value=value: list(of(value))
                ), value


class Shifting(models.IntegerField):  # type: ignore[type-arg]
    """Stores another number than it is given."""

    shift = 1

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return None if value is None else value + self.shift


class ShiftingLate(models.IntegerField):  # type: ignore[type-arg]
    """The same, for the database alone."""

    shift = 1

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        value = super().get_db_prep_value(value, connection, prepared)
        return None if value is None else value + self.shift


class ShiftingTyped(models.IntegerField):  # type: ignore[type-arg]
    """The same, by what it understands."""

    def get_prep_value(self, value: Any) -> Any:
        return self.to_python(value)

    def to_python(self, value: Any) -> Any:
        return None if value is None else int(value) + self.shift

    shift = 1


OWN_FIELDS: list[Any] = [Shifting, ShiftingLate, ShiftingTyped]


@pytest.mark.usefixtures("items", "unverified")
@pytest.mark.parametrize("kind", OWN_FIELDS)
@pytest.mark.parametrize("name", ["n", "n__in", "n__gt", "n__range"])
@pytest.mark.parametrize("negated", [True, False])
def test_a_field_of_somebody_else_is_asked_each_time(
    kind: Any, name: str, negated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of("testapp_item", n=kind(), name=models.CharField(max_length=100))

    def of(value: Any) -> QuerySet[Any]:
        found = model.objects.order_by("name")
        found = found.exclude(**{name: value}) if negated else found.filter(**{name: value})
        return found.values_list("n")

    asking: Any = prepared(of)
    for shift in (1, 0, 2):
        monkeypatch.setattr(kind, "shift", shift)
        values = [[0, 1], [2, 0], [None, 1], []] if name in ("n__in", "n__range") else [0, 1, None]
        for value in values:
            assert answer(lambda value=value: list(asking(value))) == answer(
                lambda value=value: list(of(value))
            ), (shift, value)
