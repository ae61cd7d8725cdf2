"""Does a 422 repeat nothing of a body that has a secret?"""

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI, Form, Query
from fastapi.testclient import TestClient
from pydantic import AfterValidator, BaseModel, SecretStr

from django_mullet import (
    APIRouter,
    Create,
    ModelSchema,
    Patch,
    Writable,
    WriteOnly,
    install_exception_handlers,
)
from tests.library.models import Author, Book

SECRET = "hunter2-s"


def refuse(value: str) -> str:
    if value.startswith("hunter"):
        raise ValueError(f"'{value}' is too well known.")
    return value


class BookSchema(ModelSchema[Book]):
    title: str
    price: int
    secret: WriteOnly[Annotated[str, AfterValidator(refuse)]]


class AuthorSchema(ModelSchema[Author]):
    name: str
    books: Writable[list[BookSchema]]


class Login(BaseModel):
    user: str
    password: SecretStr


class Tree(BaseModel):
    number: int
    below: list["Tree"] = []


router = APIRouter()


@router.post("/books/")
def create_book(body: Create[BookSchema], number: int = 0) -> None: ...


@router.patch("/books/")
def change_book(body: Patch[BookSchema]) -> None: ...


@router.post("/shelves/")
def create_books(body: list[Create[BookSchema]]) -> None: ...


@router.post("/authors/")
def create_author(body: Create[AuthorSchema]) -> None: ...


@router.post("/two/")
def create_two(first: Create[BookSchema], second: Annotated[int, Body()]) -> None: ...


@router.post("/login/")
def log_in(body: Login) -> None: ...


@router.post("/form/")
def log_in_by_form(form: Annotated[Login, Form()]) -> None: ...


@router.post("/value/")
def one_value(
    password: Annotated[SecretStr, Body(embed=True)], number: Annotated[int, Body()]
) -> None: ...


@router.post("/open/")
def nothing_secret(body: Tree, number: Annotated[int, Query()] = 0) -> None: ...


@pytest.fixture
def client(db: None) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router)
    install_exception_handlers(app)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


GOOD = {"title": "Iliad", "price": 5, "secret": "x"}

BAD: dict[str, tuple[str, Any]] = {
    "another field is missing": ("/books/", {"secret": SECRET}),
    "another field is wrong": ("/books/", {"title": 1, "price": 5, "secret": SECRET}),
    "the field is wrong": ("/books/", {**GOOD, "secret": SECRET}),
    "the field is too long": ("/books/", {**GOOD, "secret": SECRET * 10}),
    "the field is no text": ("/books/", {**GOOD, "secret": [SECRET]}),
    "the body is a list": ("/books/", [{"secret": SECRET}]),
    "the body is a text": ("/books/", json.dumps({"secret": SECRET})),
    "an item of a list": ("/shelves/", [GOOD, {"secret": SECRET}]),
    "no list": ("/shelves/", {"secret": SECRET}),
    "nested": ("/authors/", {"name": "Homer", "books": [{"secret": SECRET}]}),
    "around": ("/authors/", {"books": [{**GOOD, "secret": SECRET}]}),
    "no list of nested ones": ("/authors/", {"name": "Homer", "books": {"secret": SECRET}}),
    "two bodies": ("/two/", {"first": {"secret": SECRET}, "second": 1}),
    "the other body": ("/two/", {"first": {"secret": SECRET}}),
    "SecretStr": ("/login/", {"password": SECRET}),
    "SecretStr as a value": ("/value/", {"password": [SECRET]}),
}


@pytest.mark.parametrize(("url", "body"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("problems", [False, True])
def test_a_secret_is_not_repeated(
    client: TestClient, settings: Any, url: str, body: Any, problems: bool
) -> None:
    settings.MULLET = {"PROBLEM_DETAILS": problems}

    answer = client.post(url, json=body)

    assert answer.status_code == 422
    assert "hunter" not in answer.text
    errors = answer.json()["errors" if problems else "detail"]
    assert all({"type", "loc", "msg"} <= error.keys() for error in errors)


SENT: dict[str, Callable[[TestClient], Any]] = {
    "no JSON": lambda client: client.post("/books/", content=f'{{"secret": "{SECRET}"'),
    "JSON cut off": lambda client: client.post(
        "/books/",
        content=f'{{"secret": "{SECRET}"',
        headers={"Content-Type": "application/json"},
    ),
    "another type": lambda client: client.post(
        "/books/", content=f'{{"secret": "{SECRET}"}}', headers={"Content-Type": "text/plain"}
    ),
    "a form": lambda client: client.post("/form/", data={"password": SECRET}),
    "a form for JSON": lambda client: client.post("/login/", data={"password": SECRET}),
    "PATCH": lambda client: client.patch("/books/", json={"secret": SECRET, "title": 1}),
    "the query, too": lambda client: client.post("/books/?number=x", json={"secret": SECRET}),
}


@pytest.mark.parametrize("send", SENT.values(), ids=SENT)
def test_nor_is_it_in_whatever_way_it_is_sent(
    client: TestClient, send: Callable[[TestClient], Any]
) -> None:
    answer = send(client)

    assert answer.status_code == 422
    assert "hunter" not in answer.text


def test_what_is_wrong_with_it_is_told(client: TestClient) -> None:
    answer = client.post("/books/", json={**GOOD, "secret": SECRET * 10})

    [error] = answer.json()["detail"]
    assert (error["type"], error["loc"]) == ("string_too_long", ["body", "secret"])


def test_input_without_a_secret_is_repeated_as_fastapi_does(client: TestClient) -> None:
    answer = client.post("/open/?number=x", json={"number": "y"})

    assert [error["input"] for error in answer.json()["detail"]] == ["x", "y"]
