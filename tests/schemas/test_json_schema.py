"""Does the document say of answers what a row may hold, and of bodies what is taken?

A validator of JSON Schema, that looks at formats, is the judge.
"""

import json
import os
import subprocess
import sys
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import jsonschema_rs
import pytest
from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import (
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
    RegexValidator,
    URLValidator,
    validate_email,
    validate_slug,
)
from django.db import connection, models
from django.test import override_settings
from fastapi.testclient import TestClient
from pydantic import (
    UUID4,
    AliasChoices,
    ConfigDict,
    Field,
    IPvAnyInterface,
    IPvAnyNetwork,
    JsonValue,
    TypeAdapter,
)
from pydantic.json_schema import JsonSchemaMode

from django_mullet import (
    Create,
    ModelSchema,
    Patch,
    Range,
    ReadOnly,
    Update,
    WriteOnly,
    register_field_type,
)
from django_mullet.fields.info import FieldFacts, facts_of_values
from django_mullet.fields.samples import sample_of
from django_mullet.schemas import json_schema
from tests.fieldtypes import schemas
from tests.fieldtypes.api import app_of
from tests.fieldtypes.models import (
    HERE,
    Arrays,
    Keys,
    Loose,
    Moments,
    Ranges,
    Texts,
)

BODIES: list[Any] = [Create, Update, Patch]
EVERY: list[Any] = [each for name, each in vars(schemas).items() if name.endswith("Schema")][1:]


EVERYWHERE = [
    each
    for each in EVERY
    if each.django_model()._meta.required_db_vendor in (None, connection.vendor)
    and each.django_model()._meta.managed
    # Keys that lead somewhere nobody knows; and one of two columns is in no path.
    and each not in (schemas.RelationsSchema, schemas.CompositeSchema)
]


def document_of(annotation: Any, mode: JsonSchemaMode = "validation") -> Any:
    return TypeAdapter(annotation).json_schema(mode=mode)


def is_local(text: str) -> bool:
    return datetime.fromisoformat(text).tzinfo is None


def errors(document: Any, value: Any) -> list[str]:
    """Return what a client that looks at everything, formats too, finds wrong with `value`."""
    judge = jsonschema_rs.Draft202012Validator(
        document, validate_formats=True, formats={"date-time-local": is_local}
    )
    return [error.message for error in judge.iter_errors(value)]


def answer(schema: Any, row: Any) -> Any:
    shown = schema.from_model(type(row).objects.get(pk=row.pk))
    return json.loads(TypeAdapter(schema).dump_json(shown))


# Answers


@pytest.mark.django_db
@pytest.mark.parametrize(
    "row",
    [
        Loose(),
        Loose(char="a", slug="no slug", email="nobody", url="nowhere", color="blue"),
        Texts(),
        Texts(slug="no slug", email="nobody", url="nowhere", color="blue"),
        Keys(uuid="6ba7b810-9dad-41d1-80b4-00c04fd430c8", ip="::1", ipv4="::1"),
    ],
    ids=["loose, empty", "loose, old", "empty", "old", "address"],
)
def test_an_answer_is_what_the_document_says_whatever_the_row_holds(row: Any) -> None:
    schema = getattr(schemas, f"{type(row).__name__}Schema")
    row.save()

    assert errors(document_of(schema, "serialization"), answer(schema, row)) == []


@pytest.mark.django_db
def test_what_a_validator_would_refuse_is_no_limit_of_an_answer() -> None:
    class Address(ModelSchema[Loose]):
        email: str

    shown = document_of(Address, "serialization")["properties"]["email"]

    assert shown == {"type": "string", "title": "Email"}


def test_how_values_are_spelled_is_said_of_answers_too() -> None:
    files = document_of(schemas.FilesSchema, "serialization")["properties"]
    moments = document_of(schemas.MomentsSchema, "serialization")["properties"]
    document = document_of(schemas.DocumentsSchema, "serialization")["properties"]["document"]

    assert files["binary"] == {
        "type": "string",
        "title": "Binary",
        "format": "base64",
        "contentEncoding": "base64",
    }
    assert moments["time"]["format"] == "time-local"
    assert "not" not in document


def test_a_mark_is_where_a_type_goes_both_ways() -> None:
    class Marked(ModelSchema[Texts]):
        id: int
        char: ReadOnly[str]
        text: WriteOnly[str]

    shown = json.dumps(document_of(Marked, "serialization"))
    sent = json.dumps([document_of(body[Marked]) for body in BODIES])

    assert "readOnly" not in shown + sent
    assert "writeOnly" not in shown + sent
    # With `FastAPI(separate_input_output_schemas=False)`, it is what describes answers.
    assert document_of(Marked)["properties"]["text"]["writeOnly"] is True


# Bodies


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", ["char", "slug", "email", "url"])
def test_an_empty_text_is_allowed_beside_the_limits(body: Any, name: str) -> None:
    document = document_of(body[schemas.LooseSchema])
    said = document["properties"][name]
    good = {"char": "abc", "slug": "a-b", "email": "a@example.com", "url": "https://a.example/"}

    assert errors(said, "") == errors(said, good[name]) == []
    assert errors(said, " ")
    assert said["title"] == name.capitalize()
    assert errors(said, said["examples"][0]) == []


def test_a_text_that_must_be_there_is_not_empty() -> None:
    said = document_of(Create[schemas.TextsSchema])["properties"]

    assert [name for name in ("char", "slug", "email", "url") if not errors(said[name], "")] == []
    assert "anyOf" not in said["text"]  # what takes an empty one anyway


def test_nothing_stands_beside_a_reference() -> None:
    def beside(part: Any) -> Any:
        if isinstance(part, list):
            return [found for item in part for found in beside(item)]
        if not isinstance(part, dict):
            return []
        here = [part] if "$ref" in part and len(part) > 1 else []
        return here + beside(list(part.values()))

    found = [beside(document_of(body[schema])) for body in BODIES for schema in EVERY]
    found += [beside(document_of(schema, "serialization")) for schema in EVERY]

    assert [each for each in found if each] == []


def test_json_that_is_not_null() -> None:
    document = document_of(Create[schemas.DocumentsSchema])

    assert errors(document, {"document": {"a": [1]}}) == []
    assert errors(document, {"document": None})


# Examples of bodies


@pytest.mark.parametrize("schema", EVERY, ids=lambda schema: schema.__name__)
def test_what_is_shown_to_be_sent_is_taken(schema: Any) -> None:
    properties = document_of(Create[schema])["properties"]
    body = {name: sample(said, {}) for name, said in properties.items()}
    known = {name: value for name, value in body.items() if value is not None}

    TypeAdapter(Patch[schema]).validate_python(known)
    # Of the others tools make no noise; which paths there are on a server nobody knows.
    noisy = {
        name
        for name, said in properties.items()
        if any(word in json.dumps(said) for word in ("pattern", "minimum", "maximum"))
    }
    assert noisy <= known.keys()


@pytest.mark.parametrize("kind", [int, float, Decimal, date, datetime])
def test_a_range_has_an_example_of_both_its_bounds(kind: Any) -> None:
    document = document_of(Range[kind])
    [example] = document["examples"]

    assert TypeAdapter(Range[kind]).validate_python(example).lower is not None
    assert errors(document, example) == []
    assert "examples" not in document_of(Range[timedelta])


@pytest.mark.django_db
@pytest.mark.parametrize("schema", EVERYWHERE, ids=lambda schema: schema.__name__)
def test_what_a_docs_page_sends_is_created(schema: Any) -> None:
    app = app_of(schema)
    path = next(iter(app.openapi()["paths"]))
    document = document_of(Create[schema])
    body = {
        name: sample(said, document.get("$defs", {}))
        for name, said in document["properties"].items()
    }
    body |= {"path": f"{HERE}/models.py"} if "path" in body else {}

    answer = TestClient(app).post(path, json={k: v for k, v in body.items() if v is not None})

    assert answer.status_code == 201, answer.text


def sample(said: Any, defs: Any) -> Any:
    """Return what a docs page shows: an example, the first of the choices, or `true`."""
    if "$ref" in said:
        return sample(defs.get(said["$ref"].rpartition("/")[2], {}), {})
    if said.get("type") == "boolean":
        return True
    if "examples" in said:
        return said["examples"][0]
    return next((each["enum"][0] for each in said.get("anyOf", [said]) if "enum" in each), None)


@pytest.mark.parametrize(
    "kind",
    [
        IPv4Interface,
        IPv4Network,
        IPv6Interface,
        IPv6Network,
        IPvAnyInterface,
        IPvAnyNetwork,
        UUID4,
        ZoneInfo,
        time,
    ],
    ids=lambda kind: kind.__name__,
)
def test_what_a_type_of_a_schema_takes_has_an_example(kind: Any) -> None:
    adapter = TypeAdapter(kind)

    adapter.validate_python(sample_of(adapter.json_schema(), FieldFacts(), "full_name"))


def test_a_usual_value_that_is_spelled_in_another_way_is_none() -> None:
    facts = FieldFacts(validators=(looks_closely,), usual="")

    assert sample_of({"type": "array", "items": {"type": "string"}}, facts, "to") == ["To"]
    assert sample_of({"type": "integer"}, facts, "to") == 1


def looks_closely(value: Any) -> None:
    """Would refuse whatever comes: a validator of the project's own."""
    raise NotImplementedError


@pytest.mark.parametrize(
    ("field", "annotation", "expected"),
    [
        (models.CharField(max_length=30), str, "Full name"),
        (models.CharField(max_length=4), str, "Full"),
        (models.CharField(validators=[MinLengthValidator(12)]), str, "Full nameFul"),
        (models.CharField(validators=[RegexValidator("^[A-Z]{3}$")]), str, "ABC"),
        (models.CharField(validators=[RegexValidator("^[+][0-9]+$")]), str, "+12025550123"),
        (models.CharField(validators=[RegexValidator("^#[0-9a-f]{6}$")]), str, "Full name"),
        (models.CharField(validators=[RegexValidator("^https?://")]), str, "https://example.com/"),
        (models.CharField(validators=[URLValidator()]), str, "https://example.com/"),
        (models.CharField(validators=[validate_email]), str, "somebody@example.com"),
        (models.CharField(validators=[validate_slug]), str, "full-name"),
        (models.CharField(validators=[looks_closely]), str, "Full name"),
        (models.CharField(validators=[looks_closely], blank=True), str, ""),
        (models.CharField(validators=[looks_closely], default="*"), str, "*"),
        (models.CharField(validators=[looks_closely], default=str), str, "Full name"),
        (models.IntegerField(validators=[looks_closely], default=0), int, 0),
        (models.CharField(validators=[validate_slug], default="*"), str, "full-name"),
        (models.SlugField(), str, "full-name"),
        (models.EmailField(max_length=5), str, None),
        (models.IntegerField(), int, 1),
        (models.IntegerField(validators=[MinValueValidator(18)]), int, 18),
        (models.IntegerField(validators=[MaxValueValidator(-1)]), int, -1),
        (models.FloatField(), float, 1),
        (models.DecimalField(max_digits=5, decimal_places=2), Decimal, "1.00"),
        (models.DecimalField(max_digits=2, decimal_places=2), Decimal, "0.01"),
        (models.DecimalField(validators=[MinValueValidator(18)]), Decimal, "18"),
        (models.BooleanField(), bool, None),
    ],
    ids=str,
)
def test_examples_are_readable(field: Any, annotation: Any, expected: Any) -> None:
    field.set_attributes_from_name("full_name")
    facts = facts_of_values(field)
    said = {LIMITS[name]: limit for name, limit in facts.limits if name in LIMITS}
    said = {**said, **(facts.json_schema or {}), **TypeAdapter(annotation).json_schema()}

    assert sample_of(said, facts, "full_name") == expected


@pytest.mark.parametrize(
    ("name", "limits", "expected"),
    [
        ("from_email", {}, "somebody@example.com"),
        ("email_subject", {}, "Email subject"),
        ("email", {"maxLength": 5}, "Email"),
        ("phone", {}, "+12025550123"),
        ("phone_number", {}, "+12025550123"),
        ("phone_number_of_home", {}, "Phone number of home"),
        ("home_url", {}, "https://example.com/"),
    ],
)
def test_a_name_may_say_what_a_text_is_of(name: str, limits: Any, expected: str) -> None:
    assert sample_of({"type": "string", **limits}, FieldFacts(), name) == expected


def test_a_name_says_nothing_where_the_model_says_more() -> None:
    facts = facts_of_values(models.CharField(validators=[validate_slug]))

    assert sample_of({"type": "string"}, facts, "home_url") == "home-url"


@pytest.mark.parametrize(("blank", "expected"), [(True, {}), (False, {"key": "value"})])
def test_an_example_of_json_is_not_empty_where_a_form_may_not_leave_it_so(
    blank: bool, expected: Any
) -> None:
    field = models.JSONField(blank=blank)
    facts = facts_of_values(field)

    assert sample_of(facts.json_schema or {}, facts, "data") == expected
    field.clean(expected, None)  # as Django itself sees it


class ListedPattern(RegexValidator):
    """Asks the database, too, as that of django-oscar for links does."""

    def __call__(self, value: Any) -> None:
        super().__call__(value)
        if not Texts.objects.filter(char=value).exists():
            raise DjangoValidationError(self.message)


def test_a_pattern_that_is_looked_up_in_the_database_is_not_asked() -> None:
    facts = facts_of_values(models.CharField(validators=[ListedPattern("^[A-Z]")]))

    assert sample_of({"type": "string"}, facts, "full_name") == "Full name"


class Blocks(models.JSONField):
    """One as that of Wagtail for streams."""


register_field_type(
    Blocks, annotation=list[JsonValue], json_schema=lambda field: {"examples": [["a"], ["b"]]}
)


def test_who_registers_a_field_may_give_an_example() -> None:
    facts = facts_of_values(Blocks())
    said = TypeAdapter(list[JsonValue]).json_schema()

    assert json_schema.taken(said, facts, "body")["examples"] == [["a"]]
    assert "examples" not in json_schema.shown(said, facts)


LIMITS = {"ge": "minimum", "le": "maximum", "min_length": "minLength", "max_length": "maxLength"}


def test_an_example_of_the_schema_itself_is_left_alone() -> None:
    class Own(ModelSchema[Texts]):
        char: Annotated[str, Field(examples=["Mine"])]
        text: str = "A default"

    said = document_of(Create[Own])["properties"]

    assert said["char"]["examples"] == ["Mine"]
    assert "examples" not in said["text"]


# Aliases


def test_fields_with_aliases_are_described_as_others_are() -> None:
    class Camel(ModelSchema[Texts]):
        model_config = ConfigDict(alias_generator=str.upper)
        id: int
        char: ReadOnly[str]
        email: str = Field(alias="eMail")
        slug: str = Field(
            serialization_alias="shown", validation_alias=AliasChoices("sent", "slug")
        )

    for body in BODIES:
        sent = document_of(body[Camel])["properties"]
        assert sent.keys() == {"eMail", "sent"}
        assert (sent["eMail"]["format"], sent["sent"]["examples"]) == ("email", ["Slug"])
    shown = document_of(Camel, "serialization")["properties"]
    assert shown.keys() == {"ID", "CHAR", "eMail", "shown"}
    assert shown["shown"] == {"type": "string", "title": "Shown"}
    named = TypeAdapter(Create[Camel]).json_schema(by_alias=False)["properties"]
    assert named.keys() == {"email", "slug"}


# Without time zones


class LocalSchema(ModelSchema[Moments]):
    datetime: datetime
    latest: datetime | None = None  # an annotation of the queryset


class LocalsSchema(ModelSchema[Arrays]):
    moments: list[datetime]


class SpansSchema(ModelSchema[Ranges]):
    moments: Range[datetime] | None


@pytest.mark.parametrize("schema", [LocalSchema, LocalsSchema, SpansSchema])
def test_a_moment_without_time_zones_is_local(schema: Any) -> None:
    with override_settings(USE_TZ=False):
        texts = [
            json.dumps(document_of(schema, "serialization")),
            *(json.dumps(document_of(body[schema])) for body in BODIES),
        ]

    assert all('"date-time-local"' in text and '"date-time"' not in text for text in texts)
    assert '"date-time"' in json.dumps(document_of(schema, "serialization"))


@pytest.mark.django_db
def test_an_answer_without_time_zones_is_what_the_document_says() -> None:
    with override_settings(USE_TZ=False):
        row = Moments.objects.create(
            date="2026-01-31",
            datetime=datetime(2026, 1, 31, 12),  # noqa: DTZ001
            time="12:00",
            duration=timedelta(1),
            seen=datetime(2026, 1, 31, 12),  # noqa: DTZ001
        )
        shown = answer(schemas.MomentsSchema, row)

        assert shown["datetime"] == "2026-01-31T12:00:00"
        assert errors(document_of(schemas.MomentsSchema, "serialization"), shown) == []


# Bytes


def test_the_document_is_the_same_in_every_process() -> None:
    code = "from tests.fieldtypes import served; print(json.dumps(served.served().openapi()))"
    made = {
        subprocess.run(
            [sys.executable, "-c", f"import json; {code}"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(made) == 1
    assert "LooseCreate" in json.loads(made.pop())["components"]["schemas"]
