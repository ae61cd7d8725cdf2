"""Are generic models of bodies named in the OpenAPI document by what stands in them?"""

from typing import Annotated, Any, Generic, Literal, TypeVar

import pydantic
import pytest
from fastapi import FastAPI
from pydantic import BaseModel, Field

from django_mullet import APIRouter, Create, ModelSchema, Patch, Writable, WriteOnly
from django_mullet.openapi.components import install_component_names
from tests.library.models import Author, Book

T = TypeVar("T")
OtherT = TypeVar("OtherT")


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str


class Envelope(BaseModel, Generic[T]):
    data: T


class EnvelopeOfTwo(BaseModel, Generic[T, OtherT]):
    first: T
    second: OtherT


class Outer(BaseModel):
    inner: Envelope[list[Create[AuthorSchema]]]
    key: Envelope[int]


class Renamed(ModelSchema[Book]):
    kind: WriteOnly[Literal["book"]]
    title: str = Field(validation_alias="name", serialization_alias="called")


class Shelf(ModelSchema[Author]):
    name: str
    books: Writable[list[Renamed]]


def document_of(*bodies: Any) -> dict[str, Any]:
    router, app = APIRouter(), FastAPI()
    for number, annotation in enumerate(bodies):

        def endpoint(body: Any) -> None: ...

        endpoint.__annotations__["body"] = annotation
        router.post(f"/{number}")(endpoint)
    app.include_router(router)
    install_component_names(app)
    return app.openapi()


def envelopes(document: dict[str, Any]) -> dict[str, str]:
    schemas = document["components"]["schemas"]
    return {key: schema["title"] for key, schema in schemas.items() if "Envelope" in key}


has_documents = pytest.mark.skipif(
    tuple(map(int, pydantic.VERSION.split(".")[:2])) < (2, 13),
    reason="FastAPI makes no document of a generic model of an annotated one with this Pydantic",
)

CREATE, PATCH = Envelope[Create[AuthorSchema]], Envelope[Patch[AuthorSchema]]


@has_documents
def test_each_variant_has_a_name_of_its_own_in_any_order() -> None:
    expected = {
        "Envelope_AuthorCreate_": "Envelope[AuthorCreate]",
        "Envelope_AuthorPatch_": "Envelope[AuthorPatch]",
    }
    for bodies in ((CREATE, PATCH), (PATCH, CREATE)):
        document = document_of(*bodies)
        assert envelopes(document) == expected
        referred = [
            document["paths"][f"/{number}"]["post"]["requestBody"]["content"]["application/json"]
            for number in (0, 1)
        ]
        assert {each["schema"]["$ref"].rpartition("/")[2] for each in referred} == {*expected}


@has_documents
def test_one_alone_has_the_same_name() -> None:
    assert envelopes(document_of(CREATE)) == {"Envelope_AuthorCreate_": "Envelope[AuthorCreate]"}


@has_documents
def test_so_has_one_within_another_model() -> None:
    document = document_of(Outer, CREATE)

    assert envelopes(document) == {
        "Envelope_AuthorCreate_": "Envelope[AuthorCreate]",
        "Envelope_int_": "Envelope[int]",
        "Envelope_list_AuthorCreate__": "Envelope[list[AuthorCreate]]",
    }
    inner = document["components"]["schemas"]["Outer"]["properties"]["inner"]
    assert inner["$ref"] == "#/components/schemas/Envelope_list_AuthorCreate__"


def test_a_document_without_one_is_left_as_it_is() -> None:
    assert envelopes(document_of(Envelope[AuthorSchema])) == {
        "Envelope_AuthorSchema_": "Envelope[AuthorSchema]"
    }


def test_other_arguments_are_spelled_beside_it() -> None:
    two = EnvelopeOfTwo[Annotated[int, "one"], Create[AuthorSchema] | None]

    assert envelopes(document_of(two)).keys() == {
        "EnvelopeOfTwo_Annotated_int__one___Union_AuthorCreate__NoneType__"
    }


def test_what_is_nested_in_a_body_has_no_side_to_which_nothing_refers() -> None:
    app = FastAPI()

    @app.post("/shelves")
    def create(body: Create[Shelf]) -> Shelf: ...

    install_component_names(app)
    assert list(app.openapi()["components"]["schemas"]) == [
        "HTTPValidationError",
        "Renamed",
        "RenamedCreate",
        "Shelf",
        "ShelfCreate",
        "ValidationError",
    ]


def test_a_class_that_is_sent_and_shown_has_two_sides() -> None:
    class Plain(BaseModel):
        size: int = Field(validation_alias="a", serialization_alias="b")

    class Kind(BaseModel):
        kind: Literal["kind"]
        plain: Plain

    class Shown(BaseModel):
        some: Annotated[Renamed | Kind, Field(discriminator="kind")]

    app = FastAPI()

    @app.post("/plain")
    def create(body: Plain) -> Shown: ...

    @app.post("/shelves")
    def create_shelf(body: Create[Shelf]) -> Shelf: ...

    install_component_names(app)
    components = app.openapi()["components"]["schemas"]
    assert {"Plain-Input", "Plain-Output", "Renamed"} < {*components}
    mapping = components["Shown"]["properties"]["some"]["discriminator"]["mapping"]
    assert mapping["book"] == "#/components/schemas/Renamed"
