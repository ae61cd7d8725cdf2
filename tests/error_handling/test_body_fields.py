"""Are the fields known that a client may send, and where in the body they stand?"""

from typing import Annotated, Any

from fastapi import Body, Depends, FastAPI, Form
from fastapi.routing import APIRoute
from pydantic import AliasChoices, AliasPath, BaseModel, Field, SecretStr

from django_mullet import Create, CreateOnly, ModelSchema, Patch, ReadOnly
from django_mullet.error_handling.body_fields import BodyField, body_fields, secret_names
from tests.library.models import Author, Book


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: Annotated[str, Field(alias="fullName")]
    born: CreateOnly[str]


class BookSchema(ModelSchema[Book]):
    title: str
    secret: ReadOnly[str]
    author: AuthorSchema


class Node(BaseModel):
    name: str
    children: "list[Node]" = []


class Order(BaseModel):
    number: int
    book: Create[BookSchema]
    more: list[Create[BookSchema]] | None = None


def fields(endpoint: Any) -> list[BodyField]:
    app = FastAPI()
    app.post("/")(endpoint)
    route = app.router.routes[-1]
    assert isinstance(route, APIRoute)
    return list(body_fields(route.dependant))


def test_read_only_fields_are_not_sent_and_others_by_their_alias() -> None:
    def endpoint(body: Create[AuthorSchema]) -> None: ...

    assert fields(endpoint) == [
        BodyField("name", ("fullName",), Author),
        BodyField("born", ("born",), Author),
    ]


def test_each_variant_has_its_fields() -> None:
    def endpoint(body: Patch[AuthorSchema]) -> None: ...

    assert fields(endpoint) == [BodyField("name", ("fullName",), Author)]


def test_fields_may_be_anywhere() -> None:
    def endpoint(body: Order) -> None: ...

    assert fields(endpoint) == [
        BodyField("number", ("number",)),
        BodyField("book", ("book",)),
        BodyField("title", ("book", "title"), Book),
        BodyField("more", ("more",)),
        BodyField("title", ("more", "title"), Book),
    ]


def test_a_model_within_itself_ends() -> None:
    def endpoint(body: Node | None) -> None: ...

    assert fields(endpoint) == [BodyField("name", ("name",)), BodyField("children", ("children",))]


def test_several_bodies_are_embedded() -> None:
    def endpoint(one: Create[BookSchema], n: Annotated[int, Body()]) -> None: ...

    assert fields(endpoint) == [BodyField("title", ("one", "title"), Book), BodyField("n", ("n",))]


def test_one_body_may_be_embedded() -> None:
    def endpoint(one: Annotated[Create[BookSchema], Body(embed=True)]) -> None: ...

    assert fields(endpoint) == [BodyField("title", ("one", "title"), Book)]


def test_the_body_of_a_dependency_counts() -> None:
    def dependency(body: Create[BookSchema]) -> None: ...

    def endpoint(_: Annotated[None, Depends(dependency)]) -> None: ...

    assert fields(endpoint) == [BodyField("title", ("title",), Book)]


def test_a_form_has_fields_too() -> None:
    def endpoint(name: Annotated[str, Form(alias="n")]) -> None: ...

    assert fields(endpoint) == [BodyField("name", ("n",))]


def test_a_secret_is_known_by_each_of_its_aliases() -> None:
    class Login(BaseModel):
        password: SecretStr = Field(validation_alias=AliasChoices("pass", "pw", AliasPath("a", 0)))
        token: SecretStr = Field(alias="accessToken")

    def endpoint(login: Login) -> None: ...

    app = FastAPI()
    app.post("/")(endpoint)
    route: Any = app.router.routes[-1]

    assert secret_names(route.dependant) == {"password", "pass", "pw", "token", "accessToken"}
