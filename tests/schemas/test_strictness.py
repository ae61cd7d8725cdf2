"""Does a strict schema take from a request what the OpenAPI document says, and nothing else?"""

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from fastapi import FastAPI
from fastapi.testclient import TestClient
from psycopg.types.range import Range as PostgresRange
from pydantic import ConfigDict, TypeAdapter, ValidationError, model_validator

from django_mullet import APIRouter, Create, ModelSchema, Patch, Range, Writable, mount_django
from tests.fieldtypes import models
from tests.library.models import Author, Book

pytestmark = pytest.mark.django_db

STRICT = ConfigDict(strict=True)


class NumbersSchema(ModelSchema[models.Numbers]):
    model_config = STRICT
    big: int
    decimal: Decimal
    float: float
    boolean: bool
    stars: int | None


class MomentsSchema(ModelSchema[models.Moments]):
    model_config = STRICT
    date: date
    datetime: datetime
    time: time
    duration: timedelta


class KeysSchema(ModelSchema[models.Keys]):
    model_config = STRICT
    uuid: UUID

    @model_validator(mode="after")
    def is_no_nil(self) -> "KeysSchema":
        if self.uuid.int == 0:
            raise ValueError("The nil UUID is nobody's.")
        return self


class ColorSchema(ModelSchema[models.Texts]):
    model_config = STRICT
    color: models.Color


class RangesSchema(ModelSchema[models.Ranges]):
    model_config = STRICT
    integers: Range[int]
    dates: Range[date] | None
    several: list[Range[int]]


class LaxRangesSchema(ModelSchema[models.Ranges]):
    model_config = ConfigDict(title="LaxRanges")
    integers: Range[int]
    dates: Range[date] | None
    several: list[Range[int]]


class BookSchema(ModelSchema[Book]):
    model_config = STRICT
    title: str
    price: Decimal


class AuthorSchema(ModelSchema[Author]):
    model_config = STRICT
    name: str
    born: date | None
    books: Writable[list[BookSchema]]


NUMBERS = {"big": 1, "decimal": "1.5", "float": 1, "boolean": True, "stars": 1}
MOMENTS = {
    "date": "2026-01-31",
    "datetime": "2026-01-31T12:00:00Z",
    "time": "12:00:00",
    "duration": "P1DT2H",
}
KEYS = {"uuid": "00000000-0000-0000-0000-000000000001"}
RANGES = {"integers": {"lower": 1, "upper": 5}, "dates": {"lower": "2026-01-31"}, "several": []}
BODIES: dict[Any, dict[str, Any]] = {
    NumbersSchema: NUMBERS,
    MomentsSchema: MOMENTS,
    KeysSchema: KEYS,
    ColorSchema: {"color": "red"},
    RangesSchema: RANGES,
}


def client_of(*schemas: Any) -> TestClient:
    app, router = FastAPI(), APIRouter()
    for schema in schemas:

        @router.post(f"/{schema.__name__}")
        def create(body: Create[schema]) -> dict[str, Any]:
            return {"sent": sorted(body.model_fields_set)}

        @router.patch(f"/{schema.__name__}")
        def patch(body: Patch[schema]) -> dict[str, Any]:
            return {"sent": sorted(body.model_fields_set)}

    app.include_router(router)
    mount_django(app)
    return TestClient(app)


client = client_of(*BODIES, LaxRangesSchema, AuthorSchema)


def post(schema: Any, body: Any) -> Any:
    content = json.dumps(body)  # which writes a lone surrogate
    headers = {"Content-Type": "application/json"}
    return client.post(f"/{schema.__name__}", content=content, headers=headers)


def refused(answer: Any) -> list[tuple[Any, ...]]:
    assert answer.status_code == 422
    return [tuple(error["loc"][1:]) for error in answer.json()["detail"]]


@pytest.mark.parametrize("schema", BODIES)
def test_what_json_has_for_a_type_is_taken(schema: Any) -> None:
    answer = post(schema, BODIES[schema])

    assert answer.json() == {"sent": sorted(BODIES[schema])}
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("schema", "name", "value"),
    [
        (NumbersSchema, "big", "1"),
        (NumbersSchema, "big", True),
        (NumbersSchema, "big", 1.5),
        (NumbersSchema, "big", 1e300),
        (NumbersSchema, "boolean", 1.0),
        (NumbersSchema, "float", "1"),
        (NumbersSchema, "boolean", 1),
        (NumbersSchema, "boolean", "true"),
        (NumbersSchema, "decimal", True),
        (NumbersSchema, "stars", True),
        (NumbersSchema, "stars", "1"),
        (MomentsSchema, "date", 0),
        (MomentsSchema, "datetime", 0),
        (MomentsSchema, "time", 0),
        (MomentsSchema, "duration", 0),
        (KeysSchema, "uuid", 1),
        (ColorSchema, "color", 1),
    ],
)
def test_what_pydantic_would_convert_is_refused(schema: Any, name: str, value: Any) -> None:
    assert refused(post(schema, BODIES[schema] | {name: value})) == [(name,)]
    assert refused(client.patch(f"/{schema.__name__}", json={name: value})) == [(name,)]


def test_a_number_without_a_fraction_is_an_integer() -> None:
    assert post(NumbersSchema, NUMBERS | {"big": 1.0, "stars": 2.0}).status_code == 200
    ranges = RANGES | {"several": [{"lower": 1.0}]}
    assert post(RangesSchema, ranges).status_code == 200


@pytest.mark.parametrize("body", [[], "text", 1, None])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert refused(post(NumbersSchema, body)) == [()]


@pytest.mark.parametrize("levels", [0, 100_000])
def test_what_pydantic_cannot_write_is_refused(levels: int) -> None:
    content = '{"color": ' + ("[" * levels + "]" * levels if levels else r'"\ud800"') + "}"
    headers = {"Content-Type": "application/json"}

    answer = client.post("/ColorSchema", content=content, headers=headers)

    # Of so many levels Python's parser, of which FastAPI makes a 400, may have had enough before.
    assert answer.status_code in ({400, 422} if levels else {422})
    assert "detail" in answer.json()


def test_the_bounds_of_a_range_are_strict_too() -> None:
    body = {
        "integers": {"lower": "1", "upper": True},
        "dates": {"lower": 0},
        "several": [{"lower": "1"}],
    }

    assert refused(post(RangesSchema, body)) == [
        ("integers", "lower"),
        ("integers", "upper"),
        ("dates", "lower"),
        ("several", 0, "lower"),
    ]
    assert post(LaxRangesSchema, body).status_code == 200


def test_the_bounds_of_a_range_are_described() -> None:
    class DecimalsSchema(ModelSchema[models.Ranges]):
        model_config = STRICT
        decimals: Range[Decimal] | None

    properties = TypeAdapter(Create[DecimalsSchema]).json_schema()["properties"]
    integers = TypeAdapter(Create[RangesSchema]).json_schema()["properties"]["integers"]

    assert integers["properties"]["upper"]["anyOf"][0].keys() == {"type", "minimum", "maximum"}
    decimals = properties["decimals"]["anyOf"][0]
    assert decimals["properties"].keys() == {"lower", "upper", "bounds"}
    assert decimals["properties"]["lower"]["anyOf"][1].keys() == {"type", "pattern"}


def test_what_is_nested_is_strict_by_its_own_schema() -> None:
    author = {"name": "Homer", "born": None, "books": [{"title": "Iliad", "price": "9.50"}]}
    assert post(AuthorSchema, author).status_code == 200

    author["books"] = [{"title": "Iliad", "price": True}]

    assert refused(post(AuthorSchema, author)) == [("books", 0, "price")]


def test_the_document_is_that_of_a_lax_schema() -> None:
    strict, lax = (type("Same", (MomentsSchema,), {"model_config": config})
                   for config in (STRICT, ConfigDict(strict=False)))  # fmt: skip

    documents = [client_of(schema).get("/openapi.json").json() for schema in (strict, lax)]

    assert documents[0] == documents[1]
    assert documents[0]["components"]["schemas"]["SameCreate"]["type"] == "object"


def test_what_a_column_holds_is_shown() -> None:
    texts, ranges = models.Texts(color="red"), models.Ranges(integers=PostgresRange(1, 5))
    ranges.dates, ranges.several = None, []

    assert ColorSchema.from_model(texts).color is models.Color.RED
    assert RangesSchema.from_model(ranges).integers == Range(lower=1, upper=5)


def test_what_was_sent_is_stored() -> None:
    assert connection.in_atomic_block
    app, router = FastAPI(), APIRouter()

    @router.post("/")
    def create(body: Create[MomentsSchema]) -> MomentsSchema:
        return MomentsSchema.from_model(body.create())

    app.include_router(router)

    assert TestClient(app).post("/", json=MOMENTS).json() == MOMENTS
    assert models.Moments.objects.get().duration == timedelta(days=1, hours=2)


def test_a_validator_of_the_model_has_its_say() -> None:
    body: TypeAdapter[KeysSchema] = TypeAdapter(Create[KeysSchema])
    key = "12345678-1234-5678-1234-567812345678"

    assert body.validate_python({"uuid": key}).uuid == UUID(key)
    for wrong in (UUID(int=0).hex, 7):
        with pytest.raises(ValidationError):
            body.validate_python({"uuid": wrong})
