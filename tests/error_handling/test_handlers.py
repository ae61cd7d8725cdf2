"""Is what Django raises, and what FastAPI cannot repeat, answered?"""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    SuspiciousFileOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError
from django.http import Http404
from django.shortcuts import get_object_or_404
from fastapi import Body, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.testclient import TestClient
from pydantic import BaseModel

from django_mullet import APIRouter, Atomic, Create, ModelSchema, install_exception_handlers
from django_mullet.error_handling.handlers import request_validation_error
from tests.library.models import Author, Book


class Number(BaseModel):
    number: int


def make_app() -> FastAPI:
    app = FastAPI()

    @app.post("/")
    def create(body: Number) -> None: ...

    return app


def test_answers_as_fastapi_does() -> None:
    ours, theirs = make_app(), make_app()
    install_exception_handlers(ours)

    answers = [TestClient(app).post("/", json={"number": "x"}) for app in (ours, theirs)]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    "body",
    [b'{"number": "\\ud800"}', b'{"number": NaN}', b'{"number": 1e999}', b'{"\\udfff": Infinity}'],
)
def test_leaves_out_input_that_json_cannot_carry(body: bytes) -> None:
    app = make_app()
    install_exception_handlers(app)

    response = TestClient(app).post("/", content=body, headers={"content-type": "application/json"})

    assert response.status_code == 422
    assert set(response.json()["detail"][0]) >= {"type", "loc", "msg"}


def test_keeps_the_handler_of_the_application() -> None:
    async def own(request: Request, exc: Exception) -> Response:
        return Response("own", status_code=400)

    app = make_app()
    app.add_exception_handler(RequestValidationError, own)
    install_exception_handlers(app)

    assert app.exception_handlers[RequestValidationError] is own
    assert app.exception_handlers[RequestValidationError] is not request_validation_error


class BookSchema(ModelSchema[Book]):
    title: str
    price: int
    author: int
    language: str


class Title(BaseModel):
    title: str


router = APIRouter()


@router.post("/books/", status_code=201)
def create_book(body: Create[BookSchema], _: Atomic) -> None:
    body.to_model().save()


@router.post("/titles/", status_code=201)
def create_title(body: Title, _: Atomic) -> None:
    Book.objects.create(title=body.title, price=600, secret="x", author_id=1)


@router.post("/authors/", status_code=201)
def create_author() -> None:
    Author.objects.create(name="Homer")


@router.post("/names/", status_code=201)
def create_name(name: Annotated[str, Body(embed=True)]) -> None:
    Author.objects.create(name=name)


@router.delete("/authors/{pk}/")
def delete_author(pk: int) -> None:
    get_object_or_404(Author, pk=pk).delete()


@router.get("/raise/")
def raise_it(what: str) -> None:
    raise ERRORS[what]


ERRORS: dict[str, Exception] = {
    "missing": Http404(),
    "forbidden": PermissionDenied(),
    "missing because": Http404("No Ledger matches the given query."),
    "forbidden because": PermissionDenied("Not yours, but that of Ann."),
    "bad": BadRequest("A word of the inside."),
    "suspicious": SuspiciousFileOperation("/srv/secret is outside of /srv/media."),
    "wrong": ValidationError("Wrong %(what)s.", params={"what": "way"}),
    "wrong fields": ValidationError({"title": ["Short.", "Dull."], "__all__": ["Odd."]}),
    "stray": IntegrityError("?"),
}


@pytest.fixture
def client(db: None) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router)
    install_exception_handlers(app)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("what", "status", "detail"),
    [
        ("missing", 404, "Not Found"),
        ("forbidden", 403, "Forbidden"),
        ("missing because", 404, "Not Found"),
        ("forbidden because", 403, "Forbidden"),
        ("bad", 400, "Bad Request"),
        ("suspicious", 400, "Bad Request"),
        ("wrong", 422, [{"type": "value_error", "loc": ["body"], "msg": "Wrong way."}]),
        (
            "wrong fields",
            422,
            [
                {"type": "value_error", "loc": ["body", "title"], "msg": "Short."},
                {"type": "value_error", "loc": ["body", "title"], "msg": "Dull."},
                {"type": "value_error", "loc": ["body"], "msg": "Odd."},
            ],
        ),
    ],
)
def test_what_django_raises_is_answered(
    client: TestClient, what: str, status: int, detail: Any
) -> None:
    answer = client.get("/raise/", params={"what": what})

    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


@pytest.mark.parametrize(
    ("what", "log", "text"),
    [
        ("forbidden because", "django.request", "that of Ann"),
        ("bad", "django.request", "A word of the inside."),
        ("suspicious", "django.security.SuspiciousFileOperation", "/srv/secret"),
    ],
)
def test_what_is_not_told_is_in_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture, what: str, log: str, text: str
) -> None:
    client.get("/raise/", params={"what": what})

    [record] = [record for record in caplog.records if record.name == log]
    assert text in caplog.text
    assert "/raise/" in record.getMessage()


def test_a_row_like_another_is_a_409_that_names_the_fields(client: TestClient) -> None:
    author = Author.objects.create(name="Homer")
    body = {"title": "Iliad", "price": 5, "author": author.pk}

    assert client.post("/books/", json=body).status_code == 201
    answer = client.post("/books/", json=body | {"language": "el"})

    assert answer.status_code == 409
    assert [error["loc"] for error in answer.json()["detail"]] == [
        ["body", "author"],
        ["body", "title"],
    ]
    assert answer.json()["detail"][0]["type"] == "unique"
    assert Book.objects.count() == 1


def test_a_body_of_single_values_has_fields_too(client: TestClient) -> None:
    Author.objects.create(name="Homer")

    answer = client.post("/names/", json={"name": "Homer"})

    assert answer.status_code == 409
    assert answer.json()["detail"][0]["loc"] == ["body", "name"]


def test_a_value_that_breaks_a_check_is_a_422(client: TestClient) -> None:
    Author.objects.create(pk=1, name="Homer")

    answer = client.post("/titles/", json={"title": "Iliad"})

    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [{"type": "check", "loc": ["body", "title"], "msg": "Too dear."}]
    }


def test_what_others_refer_to_is_a_409(client: TestClient) -> None:
    author = Author.objects.create(name="Homer")
    Book.objects.create(title="Iliad", price=5, author=author)

    answer = client.delete(f"/authors/{author.pk}/")

    assert answer.status_code == 409
    assert answer.json() == {"detail": "Other objects refer to this one."}
    assert client.delete("/authors/0/").status_code == 404


def test_a_constraint_of_which_the_client_has_sent_nothing_is_a_bug(client: TestClient) -> None:
    client.post("/authors/")

    answer = client.post("/authors/")

    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert client.get("/raise/", params={"what": "stray"}).status_code == 500


class Note(BaseModel):
    text: str


def make_searching_app() -> TestClient:
    app, router = FastAPI(), APIRouter()

    @router.get("/{name}/")
    def find(name: str, born: str = "") -> bool:
        return Author.objects.filter(name__in=[name, born]).exists()

    @router.post("/")
    def look(note: Note) -> bool:
        return Author.objects.filter(name=note.text).exists()

    @router.get("/")
    def mistaken() -> bool:
        return Author.objects.filter(name="\0").exists()

    @router.delete("/")
    def too_long() -> None:
        Author.objects.create(name="x" * 1000)

    app.include_router(router)
    install_exception_handlers(app)
    return TestClient(app)


@pytest.mark.django_db
@pytest.mark.postgres
@pytest.mark.parametrize(
    ("method", "url", "body", "places"),
    [
        ("GET", "/a%00/", None, [["path", "name"]]),
        ("GET", "/a/?born=%00", None, [["query", "born"]]),
        ("GET", "/a%00/?born=%00", None, [["path", "name"], ["query", "born"]]),
        ("POST", "/", {"text": "\0"}, [["body", "text"]]),
    ],
)
def test_a_nul_that_postgresql_cannot_look_for_is_a_422(
    method: str, url: str, body: Any, places: list[list[str]]
) -> None:
    answer = make_searching_app().request(method, url, json=body)

    assert answer.status_code == 422
    message = {"type": "value_error", "msg": "Null characters are not allowed."}
    assert answer.json() == {"detail": [{**message, "loc": place} for place in places]}


@pytest.mark.django_db
@pytest.mark.postgres
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_data_that_no_client_has_sent_is_a_bug(method: str) -> None:
    client = make_searching_app()

    with pytest.raises(DataError):
        client.request(method, "/")
