"""Does every field keep what a client sends, and refuse what its column cannot hold?"""

import enum
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Annotated, Any

import pytest
from django.contrib.postgres.fields import ArrayField, IntegerRangeField
from django.db import connection, models
from django.db.models import Case, F, Q, Value, When
from django.db.models.fields.files import FieldFile
from django.db.models.functions import Coalesce, Concat, NullIf, Upper
from django.test import modify_settings, override_settings
from django.test.utils import isolate_apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    Base64Bytes,
    BaseModel,
    HttpUrl,
    JsonValue,
    SecretStr,
    TypeAdapter,
    ValidationError,
)

from django_mullet import (
    Create,
    ModelSchema,
    Patch,
    Range,
    Update,
    WriteOnly,
    annotation_of,
    register_field_type,
)
from django_mullet.fields.cleaning import MAX_DEPTH
from django_mullet.fields.info import facts_of_values, find_field
from django_mullet.fields.registry import reader_of
from tests.fieldtypes import models as fieldtypes
from tests.fieldtypes import schemas
from tests.fieldtypes.values import values_of

EVERYWHERE: list[Any] = [
    schemas.AttachmentsSchema,
    schemas.CompositeSchema,
    schemas.ComputedSchema,
    schemas.DocumentsSchema,
    schemas.DoubledSchema,
    schemas.FilesSchema,
    schemas.KeysSchema,
    schemas.MomentsSchema,
    schemas.NamedSchema,
    schemas.NumbersSchema,
    schemas.TextsSchema,
    schemas.TitledSchema,
]
ON_POSTGRESQL: list[Any] = [
    schemas.ArraysSchema,
    schemas.RangesSchema,
    schemas.SearchableSchema,
]
ALL = [
    *EVERYWHERE,
    *(pytest.param(schema, marks=pytest.mark.postgres) for schema in ON_POSTGRESQL),
]


def bodies(schema: type[ModelSchema[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """What creates an object of `schema`."""
    return st.fixed_dictionaries(
        {
            name: values_of(find_field(schema.django_model(), name))
            for name in schema.model_fields
            if not schema.is_read_only(name)
        }
    )


def as_json(schema: Any) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(schema.model_dump_json())
    return shown


def sent(variant: Any, body: dict[str, Any]) -> Any:
    return TypeAdapter(variant).validate_python(json.loads(json.dumps(body)))


def stored(schema: Any, instance: models.Model) -> dict[str, Any]:
    """What the API shows of the row of `instance`."""
    return as_json(schema.from_model(type(instance)._default_manager.get(pk=instance.pk)))


@pytest.mark.django_db
@pytest.mark.parametrize("schema", ALL, ids=lambda schema: schema.__name__)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_what_is_sent_is_what_is_shown(schema: Any, data: st.DataObject) -> None:
    schema.django_model()._default_manager.all().delete()  # those of the example before
    body = data.draw(bodies(schema))
    taken = sent(Create[schema], body)

    made = taken.create()
    shown = stored(schema, made)

    # Before a row is read again it is the same as afterwards.
    assert shown.items() >= as_json(taken).items()
    # What is shown can be sent.
    sent(Update[schema], shown).save(made)
    assert stored(schema, made) == shown


@pytest.mark.django_db
def test_a_relation_that_may_be_null_may_be_sent_as_null() -> None:
    """Whether a form may leave it blank is another question."""
    fieldtypes.Named.objects.create(name="a")
    body = {"named_id": "a", "unique_id": None, "content_type_id": None, "object_id": 1}

    made = sent(Create[schemas.RelationsSchema], body).create()

    assert stored(schemas.RelationsSchema, made) == {"id": made.pk, "many": [], **body}


def postgresql_has_hstore() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_available_extensions WHERE name = 'hstore'")
        return cursor.fetchone() is not None


@pytest.fixture
def hstore(transactional_db: None) -> Iterator[None]:
    if not postgresql_has_hstore():
        pytest.skip("needs the extension hstore")
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION hstore")
    with modify_settings(INSTALLED_APPS={"append": "django.contrib.postgres"}):
        connection.close()
        with connection.schema_editor() as editor:
            editor.create_model(fieldtypes.Stored)
        yield
        with connection.schema_editor() as editor:
            editor.delete_model(fieldtypes.Stored)
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION hstore")
    connection.close()


@pytest.mark.django_db
@pytest.mark.postgres
def test_ranges_of_a_queryset_are_shown_too() -> None:
    fieldtypes.Ranges.objects.create(integers=(1, 5))

    [shown] = schemas.RangesSchema.from_qs(fieldtypes.Ranges.objects.all())

    assert shown.integers == Range[int](lower=1, upper=5)


@pytest.mark.django_db
def test_a_composite_key_of_a_queryset_is_shown_too() -> None:
    fieldtypes.Composite.objects.create(shelf="a", place=1, title="b")

    [shown] = schemas.CompositeSchema.from_qs(fieldtypes.Composite.objects.all())

    assert shown.pk == ("a", 1)


@pytest.mark.postgres
def test_a_map_of_texts_is_kept(hstore: None) -> None:
    body = {"attributes": {"a": "1", "b": None, "": "é"}}

    made = sent(Create[schemas.StoredSchema], body).create()

    assert stored(schemas.StoredSchema, made) == {"id": made.pk, **body}


# What a column cannot hold


class EverythingElse(BaseModel):
    theme: str = "dark"


class TimesSchema(ModelSchema[fieldtypes.Moments]):
    datetime: datetime
    time: time


def refused(schema: Any, **values: Any) -> Any:
    """What is said about the values of a patch."""
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Patch[schema]).validate_python(values)
    return [error["msg"] for error in caught.value.errors()]


def patched(schema: Any, **values: Any) -> Any:
    return TypeAdapter(Patch[schema]).validate_python(values)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("schema", "values", "message"),
    [
        (schemas.TextsSchema, {"char": "a\0"}, "Null characters are not allowed."),
        (schemas.TextsSchema, {"char": None}, "Input should be a valid string"),
        (schemas.TextsSchema, {"email": "nobody"}, "Enter a valid email address."),
        (schemas.NumbersSchema, {"float": float("nan")}, "Input should be a finite number"),
        (schemas.NumbersSchema, {"small": 2**15}, "Input should be less than or equal to 32767"),
        (schemas.NumbersSchema, {"stars": 3}, "Input should be 1 or 2"),
        (
            schemas.MomentsSchema,
            {"datetime": "0001-01-01T00:00:00+01:00"},
            "This is not between the years 1 and 9999 in UTC.",
        ),
        (schemas.MomentsSchema, {"time": "12:00Z"}, "A time of day has no time zone."),
        (
            schemas.MomentsSchema,
            {"duration": "P106751992D"},
            (
                "Input should be less than or equal to 106751991 days and 4 hours and 54 seconds "
                "and 775807 microseconds"
            ),
        ),
        (schemas.KeysSchema, {"ip": ""}, "This field cannot be blank."),
        (schemas.DocumentsSchema, {"document": None}, "Input should not be null"),
        (
            schemas.DocumentsSchema,
            {"document": [float("inf")]},
            "JSON has no NaN and no infinity.",
        ),
        (schemas.DocumentsSchema, {"document": {"a\0": 1}}, "Null characters are not allowed."),
        (
            schemas.DocumentsSchema,
            {"document": nested(MAX_DEPTH + 1)},
            "More than 100 levels are not allowed.",
        ),
        (
            schemas.FilesSchema,
            {"binary": "YQ"},
            "Input should be base64, of the standard alphabet and padded",
        ),
        (
            schemas.FilesSchema,
            {"short": "YWJjZA=="},
            "Ensure this value has at most 3 characters (it has 4).",
        ),
        (
            schemas.FilesSchema,
            {"path": "/etc/passwd"},
            "Select a valid choice. /etc/passwd is not one of the available choices.",
        ),
        (
            schemas.ArraysSchema,
            {"matrix": [[1], [1, 2]]},
            "Nested arrays must have the same length.",
        ),
        (
            schemas.ArraysSchema,
            {"texts": ["a"] * 4},
            "List should have at most 3 items after validation, not 4",
        ),
        (schemas.ArraysSchema, {"texts": ["a\0"]}, "Null characters are not allowed."),
        (
            schemas.RangesSchema,
            {"integers": {"lower": 2, "upper": 1}},
            "The lower bound is above the upper one.",
        ),
        (
            schemas.RangesSchema,
            {"integers": {"upper": 2**31 - 1, "bounds": "[]"}},
            "Ensure this value is less than or equal to 2147483647.",
        ),
        (
            schemas.RangesSchema,
            {"dates": {"upper": "9999-12-31", "bounds": "[]"}},
            "The last day that there is cannot belong to a range.",
        ),
        (
            schemas.RangesSchema,
            {"decimals": {"lower": "1e-2000"}},
            "Ensure that there are no more than 1000 digits in total.",
        ),
        (
            schemas.StoredSchema,
            {"attributes": {"a": "\0"}},
            "Null characters are not allowed.",
        ),
    ],
    ids=str,
)
def test_what_a_column_cannot_hold_is_refused(schema: Any, values: Any, message: str) -> None:
    assert refused(schema, **values) == [message]


def test_half_a_surrogate_pair_is_refused_in_json() -> None:
    body = json.loads('{"document": "\\ud800"}')

    [message] = refused(schemas.DocumentsSchema, **body)

    assert "urrogate" in message


def test_json_as_deep_as_it_may_be_is_taken_and_shown() -> None:
    body = patched(schemas.DocumentsSchema, document=nested(MAX_DEPTH))

    assert as_json(body)["document"] == nested(MAX_DEPTH)


# What it holds in the place of a value


def test_a_moment_is_in_utc_and_one_without_a_zone_in_the_current() -> None:
    with override_settings(TIME_ZONE="Asia/Kathmandu"):
        body = patched(TimesSchema, datetime="2000-01-01T05:45:00")

    assert body.datetime == datetime(2000, 1, 1, tzinfo=UTC)
    assert patched(TimesSchema, datetime="2000-01-01T05:45+05:45").datetime == body.datetime


def test_without_time_zones_a_moment_has_none() -> None:
    with override_settings(USE_TZ=False, TIME_ZONE="Asia/Kathmandu"):
        aware = patched(TimesSchema, datetime="2000-01-01T00:00:00Z")
        naive = patched(TimesSchema, datetime="2000-01-01T05:45:00")

    assert aware.datetime == naive.datetime == datetime(2000, 1, 1, 5, 45)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("integers", {"lower": 1, "upper": 3, "bounds": "(]"}, Range[int](lower=2, upper=4)),
        ("integers", {"lower": 1, "upper": 2, "bounds": "()"}, Range[int](bounds="empty")),
        ("integers", {}, Range[int](bounds="()")),
        ("integers", {"lower": 1, "upper": 9, "bounds": "empty"}, Range[int](bounds="empty")),
        (
            "dates",
            {"lower": "2000-02-28", "bounds": "(]"},
            Range[date](lower=date(2000, 2, 29), bounds="[)"),
        ),
        (
            "decimals",
            {"lower": "1.0", "upper": "1.0", "bounds": "[]"},
            Range[Decimal](lower=Decimal("1.0"), upper=Decimal("1.0"), bounds="[]"),
        ),
        ("decimals", {"lower": "1", "upper": "1"}, Range[Decimal](bounds="empty")),
    ],
    ids=str,
)
def test_a_range_is_as_postgresql_writes_it(name: str, sent: Any, kept: Any) -> None:
    assert getattr(patched(schemas.RangesSchema, **{name: sent}), name) == kept


def test_a_decimal_has_the_places_of_its_column() -> None:
    assert str(patched(schemas.NumbersSchema, decimal="1").decimal) == "1.000"
    assert str(patched(schemas.NumbersSchema, decimal="-0").decimal) == "0.000"


def test_a_range_that_a_program_has_set_is_shown() -> None:
    row = fieldtypes.Ranges(id=1, integers=(1, 5), bigs=None, several=[(None, 2)])

    shown = schemas.RangesSchema.from_model(row)

    assert shown.integers == Range[int](lower=1, upper=5)
    assert (shown.bigs, shown.several) == (None, [Range[int](upper=2, bounds="()")])


# Other types than the table's


class Hue(enum.Enum):
    RED = "red"


class Shown(ModelSchema[fieldtypes.Texts]):
    url: HttpUrl
    char: SecretStr
    color: Hue
    text: WriteOnly[str | int]


class Addressed(ModelSchema[fieldtypes.Keys]):
    ip: IPv4Address


class Structured(ModelSchema[fieldtypes.Documents]):
    document: EverythingElse


class Encoded(ModelSchema[fieldtypes.Files]):
    binary: Base64Bytes


def test_values_of_other_types_are_written_as_the_column_has_them() -> None:
    body = patched(Shown, url="http://a.com/b", char="hidden", color="red", text=3)

    row = body.to_model()

    assert (row.url, row.char, row.color, row.text) == ("http://a.com/b", "hidden", "red", "3")
    assert patched(Addressed, ip="127.0.0.1").to_model().ip == "127.0.0.1"
    assert patched(Structured, document={}).to_model().document == {"theme": "dark"}


def test_limits_hold_for_values_of_other_types() -> None:
    long = "http://a.com/" + "b" * 200

    assert refused(Shown, url=long) == [
        f"Ensure this value has at most 200 characters (it has {len(long)})."
    ]
    assert refused(Shown, char="a" * 31) == [
        "Ensure this value has at most 30 characters (it has 31)."
    ]


def test_null_is_refused_where_the_column_has_none() -> None:
    class Nullable(ModelSchema[fieldtypes.Texts]):
        char: str | None
        nullable: str | None

    assert refused(Nullable, char=None) == ["Input should be a valid string"]
    assert patched(Nullable, nullable=None).nullable is None


def test_what_is_of_no_known_type_is_left_to_the_column() -> None:
    class Lax(ModelSchema[fieldtypes.Moments]):
        datetime: str | bytes

    class Anything(ModelSchema[fieldtypes.Ranges]):
        integers: Any

    class EitherNumber(ModelSchema[fieldtypes.Numbers]):
        float: int | Annotated[float, "either"]

    assert patched(Lax, datetime="noon").datetime == "noon"
    assert patched(Anything, integers=(1, 2)).to_model().integers == (1, 2)
    assert patched(EitherNumber, float=1.5).float == 1.5
    assert refused(EitherNumber, float=float("inf")) == ["Input should be a finite number"]


def test_a_map_is_written_as_it_is() -> None:
    body = patched(schemas.StoredSchema, attributes={"a": None, "b": "c"})

    assert body.to_model().attributes == {"a": None, "b": "c"}


def test_choices_hold_for_values_of_other_types() -> None:
    class Colored(ModelSchema[fieldtypes.Texts]):
        color: Annotated[str | int, "either"]

    assert refused(Colored, color="blue") == ["Choose one of: red, green."]


def test_a_type_that_knows_base64_is_left_alone() -> None:
    assert patched(Encoded, binary="YQ==").binary == b"a"


# Fields that nobody here has heard of


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


class MoneyField(models.IntegerField):  # type: ignore[type-arg]
    """A field with values of a type of its own, which is registered."""


class CountryField(models.CharField):  # type: ignore[type-arg]
    """A field with values that can be turned into texts, which is not."""


register_field_type(
    MoneyField,
    annotation=Decimal,
    read=lambda field, money: Decimal(money.cents) / 100,
    write=lambda field, amount: Money(int(amount * 100)),
    limits=lambda field: {"decimal_places": 2, "max_digits": 5},
    clean=lambda field, amount: abs(amount),
)


class Account(models.Model):
    balance = MoneyField()
    country = CountryField(max_length=2)
    balances = ArrayField(MoneyField())
    limit = MoneyField(null=True, blank=True)
    past_limits = ArrayField(MoneyField(null=True), null=True)

    class Meta:
        app_label = "registered"

    def __str__(self) -> str:
        return "account"


class Currency(models.Model):
    rate = MoneyField(primary_key=True)
    successor = models.ForeignKey("self", models.CASCADE, null=True, blank=True)

    class Meta:
        app_label = "registered"

    def __str__(self) -> str:
        return "currency"


class AccountSchema(ModelSchema[Account]):
    balance: Decimal
    country: str
    balances: list[Decimal]


class LimitsSchema(ModelSchema[Account]):
    limit: Decimal | None
    past_limits: list[Decimal | None] | None


class CurrencySchema(ModelSchema[Currency]):
    successor_id: Decimal | None


class Country:
    def __str__(self) -> str:
        return "np"


def test_a_registered_field_is_read_and_written_as_it_says() -> None:
    row = Account(balance=Money(150), country=Country(), balances=[Money(1)])

    shown = AccountSchema.from_model(row)
    written = patched(AccountSchema, balance="-2.5", balances=["0.5"]).to_model()

    assert as_json(shown) == {"balance": "1.5", "country": "np", "balances": ["0.01"]}
    assert (written.balance.cents, [money.cents for money in written.balances]) == (250, [50])
    assert refused(AccountSchema, balance="1.001") == [
        "Decimal input should have no more than 2 decimal places"
    ]


def test_a_registered_field_without_a_value_has_none() -> None:
    row = Account(limit=None, past_limits=[None, Money(1)])

    shown = LimitsSchema.from_model(row)
    written = patched(LimitsSchema, limit=None, past_limits=[None, "0.5"]).to_model()

    assert as_json(shown) == {"limit": None, "past_limits": [None, "0.01"]}
    assert written.limit is None
    assert written.past_limits[0] is None
    assert written.past_limits[1].cents == 50
    assert as_json(LimitsSchema.from_model(Account())) == {"limit": None, "past_limits": None}


def test_a_relation_to_a_registered_key_may_lead_nowhere() -> None:
    first, last = Currency(rate=Money(100)), Currency(rate=Money(200))
    first.successor = last

    assert as_json(CurrencySchema.from_model(first)) == {"successor_id": "2"}
    assert as_json(CurrencySchema.from_model(last)) == {"successor_id": None}
    assert patched(CurrencySchema, successor_id=None).to_model().successor_id is None


def test_what_is_not_registered_is_that_of_the_base() -> None:
    assert annotation_of(Account._meta.get_field("balance")) is Decimal
    assert annotation_of(Account._meta.get_field("country")) is str
    assert reader_of(fieldtypes.Texts._meta.get_field("char")) is None


def test_annotations_are_those_of_values_and_of_keys() -> None:
    field = fieldtypes.Relations._meta.get_field

    assert annotation_of(field("many")) == list[int]
    assert annotation_of(field("named")) is str
    assert annotation_of(fieldtypes.Computed._meta.get_field("area")) is int
    assert annotation_of(fieldtypes.Composite._meta.pk) == tuple[str, int]
    assert annotation_of(fieldtypes.Documents._meta.get_field("nullable")) is JsonValue
    assert annotation_of(IntegerRangeField(null=True)) == Range[int] | None


@pytest.mark.parametrize(
    ("field", "annotation", "shown"),
    [
        (models.FileField(), str, ""),
        (models.FileField(blank=True), str | None, None),
        (models.FileField(null=True), str | None, None),
    ],
)
@pytest.mark.parametrize("name", ["", None])
def test_a_file_that_is_not_there_is_shown(
    field: Any, annotation: Any, shown: str | None, name: str | None
) -> None:
    field.set_attributes_from_name("file")
    read = reader_of(field)

    assert annotation_of(field) == annotation
    assert read is not None
    assert read(FieldFile(fieldtypes.Attachments(), field, name)) == shown


@pytest.mark.parametrize(
    ("expression", "can_be_none"),
    [
        (F("number"), False),
        (F("maybe"), True),
        (F("pk"), False),
        (F("document__key"), True),
        (F("number") + 1, False),
        (F("number") + F("maybe"), True),
        (F("number") + Value(None), True),
        (Coalesce("maybe", "number"), False),
        (Coalesce("maybe", "maybe"), True),
        (NullIf("number", Value(1)), True),
        (Concat("text", "maybe_text"), False),
        (Upper("maybe_text"), True),
        (Case(When(maybe=1, then="number"), default="number"), False),
        (Case(When(number=1, then="number")), True),
        (Case(When(number=1, then="maybe"), default="number"), True),
        (Q(maybe=1), False),
    ],
)
@isolate_apps("tests.fieldtypes")
def test_what_is_generated_may_be_null_where_its_parts_may(
    expression: Any, can_be_none: bool
) -> None:
    class Parts(models.Model):  # noqa: DJ008
        number = models.IntegerField()
        maybe = models.IntegerField(null=True)
        text = models.TextField()
        maybe_text = models.TextField(null=True)  # noqa: DJ001
        document = models.JSONField()
        found = models.GeneratedField(
            expression=expression, output_field=models.IntegerField(), db_persist=True
        )

        class Meta:
            app_label = "fieldtypes"

    assert annotation_of(Parts._meta.get_field("found")) == (int | None if can_be_none else int)


# What the document says


def properties(schema: Any) -> Any:
    return TypeAdapter(Create[schema]).json_schema()["properties"]


def test_formats_are_in_the_document() -> None:
    assert properties(schemas.TextsSchema)["email"]["format"] == "email"
    assert properties(schemas.TextsSchema)["slug"]["pattern"] == "^[-a-zA-Z0-9_]+$"
    assert properties(schemas.MomentsSchema)["time"]["format"] == "time-local"
    assert properties(schemas.FilesSchema)["short"]["anyOf"] == [
        {"type": "string", "format": "base64", "contentEncoding": "base64"},
        {"type": "null"},
    ]
    assert properties(schemas.ArraysSchema)["blobs"]["items"]["format"] == "base64"
    assert properties(schemas.DocumentsSchema)["document"]["not"] == {"type": "null"}
    assert properties(Addressed)["ip"]["format"] == "ipv4"


@pytest.mark.parametrize(
    ("field", "pattern"),
    [
        (
            models.DecimalField(max_digits=5, decimal_places=2),
            r"^-?(\d{1,3}(\.\d{0,2})?|\.\d{1,2})$",
        ),
        (models.DecimalField(max_digits=5, decimal_places=0), r"^-?\d{1,5}$"),
        (
            models.DecimalField(max_digits=None, decimal_places=None),
            r"^-?(\d+(\.\d*)?|\.\d+)$",
        ),
    ],
    ids=str,
)
def test_the_digits_of_a_decimal_are_in_the_document(field: Any, pattern: str) -> None:
    field.set_attributes_from_name("price")

    assert facts_of_values(field).json_schema == {"pattern": pattern}


@pytest.mark.parametrize("nested", ["integers", "several"])
def test_the_bounds_of_integers_are_in_the_document(nested: str) -> None:
    document = TypeAdapter(Create[schemas.RangesSchema]).json_schema()
    range_ = document["properties"][nested]
    said = document["$defs"]["IntegerRange"]

    # Tools look at nothing beside a reference.
    assert range_.get("items", range_) == {"$ref": "#/$defs/IntegerRange"}
    assert said["title"] == "IntegerRange"
    for bound in ("lower", "upper"):
        limits = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}
        assert said["properties"][bound]["anyOf"] == [limits, {"type": "null"}]
    assert document["properties"]["dates"]["anyOf"][0] == {"$ref": "#/$defs/Range_date_"}


def test_a_range_that_is_anything_says_nothing_of_its_bounds() -> None:
    class AnythingSchema(ModelSchema[fieldtypes.Ranges]):
        integers: Any

    assert properties(AnythingSchema)["integers"] == {"title": "Integers"}


@pytest.mark.parametrize("kind", [int, Decimal])
def test_a_range_of_decimals_says_what_its_bounds_are(kind: Any) -> None:
    lower = TypeAdapter(Range[kind]).json_schema()["properties"]["lower"]

    found = [choice.get("pattern") for choice in lower["anyOf"] if choice["type"] == "string"]
    assert found == ([r"^-?(\d+(\.\d*)?|\.\d+)$"] if kind is Decimal else [])


@pytest.mark.parametrize(
    "field",
    [models.CharField(max_length=5), models.TextField(), models.SlugField(allow_unicode=True)],
    ids=lambda field: type(field).__name__,
)
def test_a_text_has_no_nul_in_the_document_either(field: Any) -> None:
    pattern = facts_of_values(field).json_schema["pattern"]  # type: ignore[index]

    assert re.search(pattern, "a\nb 🐟")
    assert not re.search(pattern, "a\0b")


def test_a_range_has_a_readable_title() -> None:
    titles = {
        found["title"] for found in TypeAdapter(Range[date]).json_schema()["properties"].values()
    }

    assert Range[date].__name__ == "DateRange"
    assert titles == {"Lower", "Upper", "Bounds"}
