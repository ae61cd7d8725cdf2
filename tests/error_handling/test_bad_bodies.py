"""Is whatever a client sends where a schema is wanted answered 4xx, and nothing of it written?"""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from fastapi import FastAPI
from fastapi.testclient import TestClient

from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django
from tests.library.models import Author, Book, Cover, Tag
from tests.tables.models import Label, Note

pytestmark = pytest.mark.django_db


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str
    born: date | None
    prize: str


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    language: str
    price: Decimal
    secret: str
    author: int
    tags: list[str]


class CoverSchema(ModelSchema[Cover]):
    id: int
    book_id: int
    width: int


class NoteSchema(ModelSchema[Note]):
    id: int
    text: str
    label: str


router = APIRouter()


@router.post("/notes/", status_code=201)
def create_note(body: Create[NoteSchema]) -> NoteSchema:
    return NoteSchema.from_model(body.create())


@router.post("/authors/", status_code=201)
def create_author(body: Create[AuthorSchema]) -> AuthorSchema:
    return AuthorSchema.from_model(body.create())


@router.post("/books/", status_code=201)
def create_book(body: Create[BookSchema]) -> BookSchema:
    return BookSchema.from_model(body.create())


@router.post("/books/async/", status_code=201)
async def acreate_book(body: Create[BookSchema]) -> int:
    from asgiref.sync import sync_to_async

    return (await sync_to_async(body.create)()).pk


@router.patch("/books/{pk}/")
def patch_book(pk: int, body: Patch[BookSchema]) -> BookSchema:
    return BookSchema.from_model(body.save(Book.objects.get(pk=pk)))


@router.post("/covers/", status_code=201)
def create_cover(body: Create[CoverSchema]) -> CoverSchema:
    return CoverSchema.from_model(body.create())


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def book() -> Book:
    author = Author.objects.create(pk=1, name="Homer")
    book = Book.objects.create(pk=BOOK, title="Iliad", price=5, author=author)
    book.tags.set([Tag.objects.create(label="epic")])
    return book


GOOD: dict[str, Any] = {"title": "Odyssey", "price": "5.00", "author": 1, "tags": ["epic"]}
BOOK = 1_000_000  # which no sequence comes to
HUGE = 10**4000
DEEP = 10_000

VALUES = {
    "null": "null",
    "true": "true",
    "a list": "[]",
    "a list of lists": "[[1]]",
    "an object": "{}",
    "an object of objects": '{"id": {"id": 1}}',
    "an empty string": '""',
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "NaN as text": '"NaN"',
    "Infinity as text": '"Infinity"',
    "1e400": "1e400",
    "1e400 as text": '"1e400"',
    "1e999999999 as text": '"1e999999999"',
    "-1e400": "-1e400",
    "10**4000": str(HUGE),
    "10**4000 as text": f'"{HUGE}"',
    "10**5000": "1" + "0" * 5000,
    "10**5000 as text": '"1' + "0" * 5000 + '"',
    "2**63": str(2**63),
    "-2**63 - 1": str(-(2**63) - 1),
    "2**31": str(2**31),
    "-1": "-1",
    "0": "0",
    "a fraction": "1.5",
    "a lone surrogate": '"\\ud800"',
    "lone surrogates in a row": '"\\udfff\\ud800"',
    "a NUL": '"a\\u0000b"',
    "very long": json.dumps("x" * 100_000),
    "10,000 lists": "[" * DEEP + "]" * DEEP,
    "10,000 objects": '{"a":' * DEEP + "1" + "}" * DEEP,
    "100,000 lists": "[" * 100_000 + "]" * 100_000,
}

FINE = {
    ("author", "true"),
    ("title", "NaN as text"),
    ("title", "Infinity as text"),
    ("title", "1e400 as text"),
    ("title", "1e999999999 as text"),
    ("secret", "an empty string"),
    ("secret", "NaN as text"),
    ("secret", "Infinity as text"),
    ("secret", "1e400 as text"),
    ("price", "0"),
    ("price", "a fraction"),
    ("tags", "a list"),
}
"""What is no mistake; to Pydantic, `true` is 1."""

CASES = [
    pytest.param(field, text, id=f"{field}: {name}")
    for field in ("title", "language", "price", "secret", "author", "tags")
    for name, text in VALUES.items()
    if (field, name) not in FINE
]
IN_A_LIST = [
    pytest.param("tags", f"[{text}]", id=f"in tags: {name}") for name, text in VALUES.items()
]


def sent(client: TestClient, method: str, path: str, content: str) -> Any:
    headers = {"Content-Type": "application/json"}
    return client.request(method, path, content=content, headers=headers)


def rows() -> list[Any]:
    stored: list[Any] = [*Author.objects.values(), *Tag.objects.values(), *Cover.objects.values()]
    return [*stored, *Book.objects.values(), *Book.tags.through.objects.values()]  # type: ignore[attr-defined]


def with_field(body: dict[str, Any], field: str, text: str) -> str:
    rest = json.dumps({name: value for name, value in body.items() if name != field})
    return (
        f"{rest[:-1]}, {json.dumps(field)}: {text}}}" if rest != "{}" else f'{{"{field}": {text}}}'
    )


def assert_refused(answer: Any, before: list[Any]) -> None:
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:500])
    assert answer.json()["detail"]
    assert rows() == before
    assert connection.is_usable()


@pytest.mark.parametrize("path", ["/books/", "/books/async/"])
@pytest.mark.parametrize(("field", "text"), [*CASES, *IN_A_LIST])
def test_a_wrong_value_creates_nothing(
    client: TestClient, book: Book, path: str, field: str, text: str
) -> None:
    before = rows()

    answer = sent(client, "POST", path, with_field(GOOD, field, text))

    assert_refused(answer, before)


@pytest.mark.parametrize(("field", "text"), [*CASES, *IN_A_LIST])
def test_a_wrong_value_changes_nothing(
    client: TestClient, book: Book, field: str, text: str
) -> None:
    before = rows()

    answer = sent(client, "PATCH", f"/books/{BOOK}/", with_field({}, field, text))

    assert_refused(answer, before)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    "text",
    [text for name, text in VALUES.items() if name != "an object"],
    ids=[name for name in VALUES if name != "an object"],
)
def test_what_is_no_object_does_nothing(
    client: TestClient, book: Book, method: str, text: str
) -> None:
    before = rows()

    answer = sent(client, method, "/books/" if method == "POST" else f"/books/{BOOK}/", text)

    if method == "PATCH" and text.startswith("{"):  # unknown keys, as Pydantic ignores them
        assert answer.status_code in (200, 400, 422)
        assert rows() == before
    else:
        assert_refused(answer, before)


@pytest.mark.parametrize("key", [2, 0, -1, 2**31, 2**63 - 1])
def test_an_unknown_key_is_refused(client: TestClient, book: Book, key: int) -> None:
    before = rows()

    created = sent(client, "POST", "/books/", json.dumps(GOOD | {"author": key}))
    changed = sent(client, "PATCH", f"/books/{BOOK}/", json.dumps({"author": key}))
    cover = sent(client, "POST", "/covers/", json.dumps({"book_id": key}))

    for answer in (created, changed, cover):
        assert_refused(answer, before)
    assert created.json()["detail"][0]["loc"] == ["body", "author"]


@pytest.mark.parametrize("tags", [["none"], ["epic", "none"], [""], ["epic"] * 3 + ["x" * 1000]])
def test_an_unknown_key_among_others_is_refused(
    client: TestClient, book: Book, tags: list[str]
) -> None:
    before = rows()

    created = sent(client, "POST", "/books/", json.dumps(GOOD | {"tags": tags}))
    changed = sent(client, "PATCH", f"/books/{BOOK}/", json.dumps({"tags": tags}))

    for answer in (created, changed):
        assert_refused(answer, before)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"name": "x", "born": "2026-02-30"}),
        json.dumps({"name": "x", "born": 1e300}),
        json.dumps({"name": "x", "born": "10000-01-01"}),
        '{"name": "x", "born": Infinity}',
        json.dumps({"name": "x", "prize": "oscar"}),
        json.dumps({"name": "x", "prize": ["nobel"]}),
        json.dumps({"name": "x", "prize": None}),
        json.dumps({"name": "x" * 21}),
        json.dumps({"name": None}),
        '{"name": "x", "name": null}',
        '{"\\ud800": 1}',
    ],
)
def test_what_the_model_does_not_take_is_refused(client: TestClient, text: str) -> None:
    assert_refused(sent(client, "POST", "/authors/", text), [])


@pytest.mark.parametrize("field", ["text", "label"])
@pytest.mark.parametrize("value", ["a\0b", "\ud800", "\udfff\ud800", "a\ud83d"])
def test_a_text_that_no_database_stores_is_refused(
    client: TestClient, field: str, value: str
) -> None:
    Label.objects.create(text="x")
    body = {"text": "x", "label": "x"}

    answer = sent(client, "POST", "/notes/", json.dumps(body | {field: value}))

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", field]
    assert not Note.objects.exists()
    assert sent(client, "POST", "/notes/", json.dumps(body)).status_code == 201


@pytest.mark.parametrize("width", [-1, 2**31, 2**63, HUGE])
def test_a_number_out_of_the_column_s_range_is_refused(
    client: TestClient, book: Book, width: int
) -> None:
    before = rows()

    answer = sent(client, "POST", "/covers/", f'{{"book_id": {BOOK}, "width": {width!s}}}')

    assert_refused(answer, before)


def test_after_all_of_that_good_input_is_written(client: TestClient, book: Book) -> None:
    for text in VALUES.values():
        sent(client, "POST", "/books/", with_field(GOOD, "title", text))
    Book.objects.exclude(pk=BOOK).delete()

    answer = sent(client, "POST", "/books/", json.dumps(GOOD | {"title": "\N{GOAT}"}))

    assert answer.status_code == 201
    assert Book.objects.exclude(pk=BOOK).get().title == "\N{GOAT}"
