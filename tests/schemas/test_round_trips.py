"""Is what the API shows of a row what it takes, whatever the field and its options?

Django is asked what it takes: a body may hold what `Model.clean_fields()` lets pass.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from itertools import count, product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import connection, models
from pydantic import TypeAdapter, ValidationError

from django_mullet import Create, Patch, Update, schema_for
from tests.fieldtypes.models import Computed
from tests.fieldtypes.schemas import ComputedSchema

pytestmark = pytest.mark.django_db(transaction=True)

CREATE: Any = Create  # of schemas that are made while the tests run
UPDATE: Any = Update
APP = "tests.catalogue"  # of which the models in question are, in a registry without its own
HERE = Path(__file__).parent
KATHMANDU_NOON = datetime(2020, 1, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=45)))
serial = count()


@contextmanager
def model_with(**fields: Any) -> Iterator[Any]:
    """A model with a table, and with these fields."""
    options = {"app_label": APP.rpartition(".")[2], "apps": Apps([APP])}
    namespace = {"__module__": __name__, "Meta": type("Meta", (), options), **fields}
    made: Any = type(f"RoundTrip{next(serial)}", (models.Model,), namespace)
    with connection.schema_editor() as editor:
        editor.create_model(made)
    try:
        yield made
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(made)


def as_json(schema: Any) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(schema.model_dump_json())
    return shown


def first_is_a(value: Any) -> None:
    """Fail on an empty value, of which Django gives validators none."""
    if value[0] != "a":
        raise DjangoValidationError("The first is not an a.")


class Hue(models.TextChoices):
    RED = "red"


class Number(models.IntegerChoices):
    ONE = 1


VALIDATORS = [first_is_a, MinLengthValidator(2)]

Kind = tuple[Callable[..., Any], list[Any]]

FIELDS: dict[str, Kind] = {
    "char": (lambda **o: models.CharField(max_length=9, **o), ["", "a", 5, Hue.RED]),
    "validated char": (
        lambda **o: models.CharField(
            max_length=9, validators=[*VALIDATORS, RegexValidator("^a+$")], **o
        ),
        ["", "aa", "ab", "a"],
    ),
    "choices": (lambda **o: models.CharField(max_length=9, choices=Hue, **o), ["", "red", "gone"]),
    "choices with empty": (
        lambda **o: models.CharField(max_length=9, choices=[("", "-"), ("a", "A")], **o),
        ["", "a", "gone"],
    ),
    "text": (lambda **o: models.TextField(validators=VALIDATORS, **o), ["", "aa", "a", "ba"]),
    "email": (models.EmailField, ["", "a@b.com", "gone"]),
    "url": (models.URLField, ["", "http://a.com", "gone"]),
    "slug": (models.SlugField, ["", "a", "a.b"]),
    "unicode slug": (lambda **o: models.SlugField(allow_unicode=True, **o), ["", "é", "a.b"]),
    "integer": (models.IntegerField, [1, "1", Number.ONE]),
    "numbers": (lambda **o: models.IntegerField(choices=Number, **o), [1, 7]),
    "small": (models.SmallIntegerField, [1]),
    "big": (models.BigIntegerField, [2**40]),
    "positive big": (models.PositiveBigIntegerField, [2**40]),
    "boolean": (models.BooleanField, [True, 0]),
    "float": (models.FloatField, [1, 1.5]),
    "decimal": (
        lambda **o: models.DecimalField(max_digits=6, decimal_places=2, **o),
        [0, "1.5", Decimal("1E+2")],
    ),
    "date": (models.DateField, [date(2020, 1, 1)]),
    "datetime": (models.DateTimeField, ["2020-01-01T00:00:00+03:00"]),
    "time": (models.TimeField, [time(12, 0, 0, 5)]),
    "duration": (models.DurationField, [timedelta(days=1, microseconds=5)]),
    "uuid": (models.UUIDField, [UUID(int=1)]),
    "address": (models.GenericIPAddressField, ["10.0.0.1", "2001:DB8::0:1", "::ffff:10.0.0.1"]),
    "json": (models.JSONField, [{}, [], "", 0, {"a": [1]}]),
    "validated json": (lambda **o: models.JSONField(validators=VALIDATORS, **o), [{}, [], ["a"]]),
    "binary": (lambda **o: models.BinaryField(editable=True, **o), [b"", b"a"]),
    "path": (lambda **o: models.FilePathField(path=str(HERE), **o), ["", __file__]),
    "file": (models.FileField, ["", "a.txt"]),
    "array": (lambda **o: ArrayField(models.IntegerField(), **o), [[], [1]]),
    "validated array": (
        lambda **o: ArrayField(
            models.CharField(max_length=9, blank=True, validators=VALIDATORS),
            validators=VALIDATORS,
            **o,
        ),
        [[], ["a"]],
    ),
    "short array": (lambda **o: ArrayField(models.IntegerField(), size=2, **o), [[], [1]]),
    "array of decimals": (
        lambda **o: ArrayField(models.DecimalField(max_digits=6, decimal_places=2), **o),
        [[], [0, "1.5"]],
    ),
    "array of arrays": (
        lambda **o: ArrayField(ArrayField(models.IntegerField()), **o),
        [[], [[1], [2]]],
    ),
}
OPTIONS = [{"null": null, "blank": blank} for null, blank in product([False, True], [False, True])]
ALL = [
    pytest.param(*kind, id=name, marks=[pytest.mark.postgres] if "array" in name else [])
    for name, kind in FIELDS.items()
]


def is_taken(field: Any, value: Any) -> bool:
    """Return whether `clean_fields()` takes `value`.

    It asks of `blank` whether a form may be left empty. Where a body has null, a list or an object
    it is so of itself, if no validator would see it. So is an empty text that is a choice.
    """
    if value is None or isinstance(field, models.FileField):  # a file is read-only
        return True
    has_validators = not all(isinstance(each, MaxLengthValidator) for each in field.validators)
    if value in field.empty_values and not has_validators and not isinstance(value, str):
        return True
    if value == "" and (isinstance(field, models.JSONField) or ("", "-") in field.flatchoices):
        return True
    row = field.model(value=value)
    try:
        row.clean_fields()
    except DjangoValidationError:
        return False
    return True


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("kind", "values"), ALL)
def test_what_is_shown_can_be_sent_where_django_takes_it(
    kind: Callable[..., Any], values: list[Any], options: dict[str, bool]
) -> None:
    with model_with(value=kind(**options), other=models.IntegerField(default=0)) as model:
        schema: Any = schema_for(model)
        for value in [*values, *([None] if options["null"] else [])]:
            made = model.objects.create(value=value)
            row = model.objects.get(pk=made.pk)
            shown = as_json(schema.from_model(row))
            field = model._meta.get_field("value")

            with nullcontext() if is_taken(field, row.value) else pytest.raises(ValidationError):
                TypeAdapter(UPDATE[schema]).validate_python(shown).save(row)

            assert as_json(schema.from_model(row)) == shown
            assert as_json(schema.from_qs(model.objects.filter(pk=row.pk))[0]) == shown


# Before a row is read again


@pytest.mark.parametrize("how", ["default", "computed default", "by code"])
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        *ALL,
        pytest.param(
            lambda **o: models.DecimalField(max_digits=6, decimal_places=2, **o),
            [0, 1.5, "1.5", Decimal("1E+2"), Decimal("0.125")],
            id="more decimals",
        ),
        pytest.param(
            lambda **o: models.DecimalField(max_digits=6, decimal_places=0, **o),
            [0, 1.5, Decimal("2.00")],
            id="decimals without places",
        ),
        pytest.param(
            models.DateTimeField,
            ["2020-01-01T00:00:00+03:00", KATHMANDU_NOON, KATHMANDU_NOON.astimezone(UTC)],
            id="moments",
        ),
        pytest.param(models.DateField, ["2020-01-01", KATHMANDU_NOON], id="days"),
        pytest.param(models.UUIDField, [str(UUID(int=1)), UUID(int=1).hex], id="uuids"),
        pytest.param(models.TimeField, ["12:00"], id="times"),
        pytest.param(models.FloatField, ["1.5", Decimal("1.5")], id="floats"),
        pytest.param(models.BooleanField, ["t", "1", 0], id="booleans"),
        pytest.param(
            lambda **o: models.GenericIPAddressField(unpack_ipv4=True, **o),
            ["::ffff:10.0.0.1", "FE80::1", "10.0.0.1"],
            id="addresses",
        ),
        pytest.param(
            lambda **o: ArrayField(ArrayField(models.DateTimeField(null=True)), **o),
            [[[KATHMANDU_NOON, None]], [[KATHMANDU_NOON.astimezone(UTC)]]],
            id="moments in arrays",
            marks=pytest.mark.postgres,
        ),
    ],
)
def test_what_has_been_set_is_shown_as_it_will_be_read(
    kind: Callable[..., Any], values: list[Any], how: str
) -> None:
    for value in values:
        default = {"default": (lambda value=value: value) if "computed" in how else value}
        if isinstance(value, list | dict) and how == "default":
            continue  # all rows would share it: Django warns
        field = kind(null=True, blank=True, **({} if how == "by code" else default))
        with model_with(value=field, other=models.IntegerField(default=0)) as model:
            schema: Any = schema_for(model)
            body: Any = TypeAdapter(CREATE[schema]).validate_python({})
            given = {"value": value} if how == "by code" else {}

            made = body.create(**given)

            shown = as_json(schema.from_model(made))
            assert shown == as_json(schema.from_model(model.objects.get(pk=made.pk))), value


@pytest.mark.parametrize("is_saved_by_body", [True, False])
def test_what_the_database_generates_is_fresh(is_saved_by_body: bool) -> None:
    row = Computed.objects.create(side=2)
    body = TypeAdapter(Patch[ComputedSchema]).validate_python({"side": 3})

    if is_saved_by_body:
        body.save(row)
    else:
        body.update(row).save()

    assert ComputedSchema.from_model(row).area == 9


def test_what_an_expression_has_made_is_shown() -> None:
    row = Computed.objects.create(side=2)
    row.side = models.F("side") + 1
    row.save()

    assert ComputedSchema.from_model(row).side == 3


def test_an_expression_of_no_row_is_an_error() -> None:
    row = Computed(side=models.Value(2), area=4, pk=1)
    with pytest.raises(ValidationError):
        ComputedSchema.from_model(row)

    row._state.adding = False  # of a row that somebody else has deleted
    with pytest.raises(ValidationError):
        ComputedSchema.from_model(row)


def test_what_an_encoder_takes_is_shown_as_it_is_kept() -> None:
    field = models.JSONField(encoder=DjangoJSONEncoder)
    with model_with(value=field, other=models.IntegerField(default=0)) as model:
        schema: Any = schema_for(model)
        made = model.objects.create(value={"at": KATHMANDU_NOON, "price": Decimal("1.50")})

        shown = as_json(schema.from_model(made))

        assert shown["value"] == {"at": "2020-01-01T12:00:00+05:45", "price": "1.50"}
        assert shown == as_json(schema.from_model(model.objects.get()))
