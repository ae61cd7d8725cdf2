"""Of which model is a schema, through generic bases and those of abstract models?"""

import sys
from typing import Any, Generic, TypeVar

import pytest
from django.apps.registry import Apps
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from django_mullet import APIRouter, Create, ModelSchema, ReadOnly, WriteOnly
from django_mullet.checks.schemas import messages_of
from django_mullet.schemas.query_plan import plan_of
from tests.library.models import Author, Book

T = TypeVar("T", bound=models.Model)
OtherT = TypeVar("OtherT", bound=models.Model)


class Keyed(ModelSchema[T], Generic[T]):
    id: int


class Named(Keyed[OtherT], Generic[OtherT]):
    name: str
    prize: WriteOnly[str] = ""


class AuthorSchema(Named[Author]):
    initial: str


class Dated(models.Model):
    created = models.DateTimeField()

    class Meta:
        abstract = True
        app_label = "library"
        apps = Apps()


class DatedSchema(ModelSchema[Dated]):
    language: ReadOnly[str]


class BookSchema(DatedSchema, ModelSchema[Book]):
    title: str


class Special(Book):
    class Meta:
        proxy = True
        app_label = "library"
        apps = Apps()


class SpecialSchema(BookSchema, ModelSchema[Special]):
    pass


@pytest.mark.parametrize(
    ("schema", "model"),
    [
        (Keyed[Author], Author),
        (Named[Author], Author),
        (AuthorSchema, Author),
        (Named[Book], Book),
        (DatedSchema, Dated),
        (BookSchema, Book),
        (SpecialSchema, Special),
    ],
)
def test_the_model_is_found(schema: Any, model: Any) -> None:
    assert schema.django_model() is model


@pytest.mark.parametrize("schema", [Keyed, Named, Keyed[T], ModelSchema])
def test_a_base_without_a_model_says_what_to_write(schema: Any) -> None:
    with pytest.raises(
        ImproperlyConfigured, match=r"must name its model: 'class .*Schema\[Model\]"
    ):
        schema.django_model()


def test_schemas_of_generic_bases_show_and_take_as_any_other(transactional_db: None) -> None:
    router = APIRouter()

    @router.get("/", response_model=list[AuthorSchema])
    def authors() -> Any:
        return Author.objects.all()

    @router.get("/keys", response_model=list[Keyed[Author]])
    def keys() -> Any:
        return Author.objects.all()

    @router.post("/", response_model=AuthorSchema)
    def create(body: Create[AuthorSchema]) -> Any:
        return body.create()

    app = FastAPI()
    app.include_router(router)
    with TestClient(app) as client:
        posted = client.post("/", json={"name": "Homer"})
        shown = client.get("/").json()
        ids = client.get("/keys").json()
        document = client.get("/openapi.json").json()["components"]["schemas"]

    assert posted.status_code == 200, posted.text
    homer = {"id": Author.objects.get().pk, "name": "Homer", "initial": "H"}
    assert (posted.status_code, posted.json()) == (200, homer)
    assert (shown, ids) == ([homer], [{"id": homer["id"]}])
    assert [*document["Author"]["properties"]] == ["id", "name", "initial"]
    assert [*document["AuthorCreate"]["properties"]] == ["name", "prize"]
    assert document["AuthorCreate"]["properties"]["name"]["maxLength"] == 20


def test_a_schema_with_a_base_of_an_abstract_model_is_planned() -> None:
    assert list(plan_of(BookSchema).described()) == ["language, title"]
    assert "language" not in TypeAdapter(Create[BookSchema]).json_schema()["properties"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="its syntax is not known before 3.12")
def test_bases_may_be_written_with_type_parameters() -> None:
    names: dict[str, Any] = {"ModelSchema": ModelSchema, "__name__": __name__}
    exec("class Base[M](ModelSchema[M]):\n    title: str", names)

    assert names["Base"][Book].from_model(Book(title="x")).model_dump() == {"title": "x"}


def test_what_a_base_says_is_checked_where_its_model_is_known() -> None:
    class Wrong(ModelSchema[T], Generic[T]):
        title: int

    class WrongBook(Wrong[Book]):
        pass

    class WrongDated(ModelSchema[Dated]):
        title: int

    class DatedBook(WrongDated, ModelSchema[Book]):
        pass

    hint = "Write 'title: str'."
    assert [[each.hint for each in messages_of(schema)] for schema in (Wrong, WrongDated)] == [
        [],
        [],
    ]
    told = [*messages_of(Wrong[Book]), *messages_of(WrongBook), *messages_of(DatedBook)]
    assert [message.hint for message in told] == [hint, hint]
