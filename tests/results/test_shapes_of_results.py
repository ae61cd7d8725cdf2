"""May schemas stand in whatever a response model is made of?"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

import pytest
from asgiref.sync import sync_to_async
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from django_mullet import APIRouter, ModelSchema
from django_mullet.results.presenting import presenter
from tests.library.models import Author, Book

T = TypeVar("T")


class AuthorSchema(ModelSchema[Author]):
    name: str


class BookSchema(ModelSchema[Book]):
    title: str
    author: AuthorSchema


class Pair(NamedTuple):
    book: BookSchema
    number: int


@dataclass
class Data:
    book: BookSchema
    books: list[BookSchema]


class Typed(TypedDict):
    book: BookSchema
    books: list[BookSchema]


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int


class Plain(BaseModel):
    kind: Literal["plain"] = "plain"


ILIAD = {"title": "Iliad", "author": {"name": "Homer"}}
HOMER = {"name": "Homer"}


def book() -> Book:
    return Book.objects.get()


def books() -> Any:
    return Book.objects.all()


SHAPES: dict[str, tuple[Any, Callable[[], Any], Any]] = {
    "tuple": (tuple[BookSchema, int], lambda: (book(), 1), [ILIAD, 1]),
    "tuple of a list": (tuple[list[BookSchema], int], lambda: (books(), 1), [[ILIAD], 1]),
    "tuple of two": (
        tuple[BookSchema, AuthorSchema],
        lambda: (book(), Author.objects.get()),
        [ILIAD, HOMER],
    ),
    "long tuple": (tuple[BookSchema, ...], books, [ILIAD]),
    "named tuple": (Pair, lambda: Pair(book(), 1), [ILIAD, 1]),  # type: ignore[arg-type]
    "named tuple as one": (Pair, lambda: (book(), 1), [ILIAD, 1]),
    "dataclass": (
        Data,
        lambda: Data(book(), list(books())),  # type: ignore[arg-type]
        {"book": ILIAD, "books": [ILIAD]},
    ),
    "dataclass of a queryset": (
        Data,
        lambda: {"book": book(), "books": books()},
        {"book": ILIAD, "books": [ILIAD]},
    ),
    "typed dictionary": (
        Typed,
        lambda: {"book": book(), "books": books()},
        {"book": ILIAD, "books": [ILIAD]},
    ),
    "dictionary": (dict[str, BookSchema], lambda: {"a": book()}, {"a": ILIAD}),
    "dictionary of lists": (dict[str, list[BookSchema]], lambda: {"a": books()}, {"a": [ILIAD]}),
    "page": (
        Page[BookSchema],
        lambda: {"items": books(), "total": 1},
        {"items": [ILIAD], "total": 1},
    ),
    "optional": (BookSchema | None, book, ILIAD),
    "none": (BookSchema | None, lambda: None, None),
    "optional list": (list[BookSchema] | None, books, [ILIAD]),
    "union of models": (BookSchema | AuthorSchema, lambda: Author.objects.get(), HOMER),
    "union, the other": (AuthorSchema | BookSchema, book, ILIAD),
    "list of a union": (
        list[AuthorSchema | BookSchema],
        lambda: [book(), Author.objects.get()],
        [ILIAD, HOMER],
    ),
    "union with a scalar": (BookSchema | int, lambda: 1, 1),
    "union with a scalar, shown": (BookSchema | int, book, ILIAD),
    "union with a plain model": (BookSchema | Plain, book, ILIAD),
    "union with a list": (list[BookSchema] | Plain, books, [ILIAD]),
    "annotated": (Annotated[list[BookSchema], Field(max_length=3)], books, [ILIAD]),
    "set": (list[frozenset[int]], lambda: [frozenset([1])], [[1]]),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_schema_stands_in_it(transactional_db: None, shape: str, is_async: bool) -> None:
    Book.objects.create(title="Iliad", price=1, author=Author.objects.create(name="Homer"))
    response_model, make, expected = SHAPES[shape]
    router = APIRouter()

    async def endpoint() -> Any:
        return await sync_to_async(make)()

    router.add_api_route("/", endpoint if is_async else make, response_model=response_model)
    app = FastAPI()
    app.include_router(router)
    with TestClient(app) as client:
        answer = client.get("/")
        document = client.get("/openapi.json")

    assert (answer.status_code, answer.json()) == (200, expected)
    assert document.status_code == 200


def test_objects_of_several_models_are_loaded_together(
    transactional_db: None, django_assert_num_queries: Any
) -> None:
    present = presenter(list[AuthorSchema | BookSchema])
    assert present is not None
    assert (present([1]), present(1)) == ([1], 1)
    for number in (1, 2):
        author = Author.objects.create(name=f"{number}")
        Book.objects.create(title=f"{number}", price=1, author=author)
        found = [*Book.objects.all(), *Author.objects.all(), None]

        with django_assert_num_queries(1):
            shown = present(found)

        assert [type(each) for each in shown] == [
            *[BookSchema] * number,
            *[AuthorSchema] * number,
            type(None),
        ]


@dataclass
class Unknown:
    book: "Nowhere"  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize("model", [Unknown, int, dict, tuple, Plain, BookSchema | BookSchema | int])
def test_what_has_no_schema_of_its_own_is_left_as_it_is(model: Any) -> None:
    present = presenter(model)

    assert present is None or present({"a": 1}) == {"a": 1}


def test_what_is_no_record_is_left_to_pydantic() -> None:
    for model in (Data, Typed, Pair):
        present = presenter(model)
        assert present is not None
        assert present(1) == 1
