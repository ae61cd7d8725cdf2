"""Is it an error if two classes have the same name in the OpenAPI document?"""

from enum import Enum
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from django_mullet import (
    APIRouter,
    Collection,
    Create,
    ModelSchema,
    ReadOnly,
    Writable,
    mount_django,
)
from tests.library.models import Author, Book


class BookSchema(ModelSchema[Book]):
    title: str


class Other:
    class BookSchema(ModelSchema[Book]):
        title: str
        author_id: ReadOnly[int]

    class Named(ModelSchema[Book]):
        model_config = ConfigDict(title="Novel")
        title: str


class WithBooks(ModelSchema[Author]):
    name: str
    books: list[Other.BookSchema]


class WithWritableBooks(ModelSchema[Author]):
    name: str
    books: Writable[list[Other.BookSchema]]


class BookCreate(BaseModel):
    title: str


class Books(Collection[Other.BookSchema]):
    pass


class AuthorCreate(Enum):
    """Named as what creates an author."""

    ONE = 1


class Filter(BaseModel):
    kind: AuthorCreate


class AuthorSchema(ModelSchema[Author]):
    name: str


BOTH = (
    "'tests.openapi.test_components.BookSchema' and "
    "'tests.openapi.test_components.Other.BookSchema' have the same "
    "name in the OpenAPI document, '{name}'. Write 'model_config = ConfigDict(title=\"...\")' in "
    "'tests.openapi.test_components.Other.BookSchema'."
)


def application(taken: Any, shown: Any) -> FastAPI:
    router = APIRouter()

    @router.post("/", response_model=shown)
    def post(body: taken) -> Any: ...

    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    return app


@pytest.mark.parametrize(
    ("taken", "shown", "name"),
    [
        (BookSchema, Other.BookSchema, "Book"),
        (Create[BookSchema], Create[Other.BookSchema], "BookCreate"),
        (BookSchema, WithBooks, "Book"),
        (BookSchema, list[Other.BookSchema] | None, "Book"),
        (BookSchema, Books, "Book"),
        (Create[WithWritableBooks], Create[BookSchema], None),
    ],
)
def test_the_document_is_refused_where_two_schemas_have_the_same_name(
    taken: Any, shown: Any, name: str | None
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        application(taken, shown).openapi()

    if name is None:
        assert "have the same name in the OpenAPI document, 'BookCreate'" in str(caught.value)
    else:
        assert str(caught.value) == BOTH.format(name=name)


def test_a_schema_and_an_ordinary_class_of_the_same_name_are_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="'BookCreate'"):
        application(Create[BookSchema], BookCreate).openapi()
    with pytest.raises(ImproperlyConfigured, match="'AuthorCreate'"):
        application(Create[AuthorSchema], Filter).openapi()


@pytest.mark.parametrize(
    ("taken", "shown"),
    [
        (BookSchema, BookSchema),
        (Create[BookSchema], list[BookSchema]),
        (Create[BookSchema], Other.Named),
        (Create[WithBooks], BookSchema),  # which takes no books
        (int, dict[str, BookSchema]),
    ],
)
def test_different_names_are_fine(taken: Any, shown: Any) -> None:
    app = application(taken, shown)

    assert app.openapi() is app.openapi()


def test_ordinary_classes_are_left_to_pydantic() -> None:
    first, second = (type("Row", (BaseModel,), {"__qualname__": name}) for name in ("A", "B"))

    assert application(first, second).openapi()["openapi"]
