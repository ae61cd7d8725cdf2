"""Which schemas may stand in another, and where does that end?"""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from pydantic import BaseModel, TypeAdapter, create_model

from django_mullet import Create, ModelSchema
from tests.library.models import Author, Book

HOW = (
    "In one of these places write the keys, 'list[int]' for instance, or a schema without the next."
)


class Writer(ModelSchema[Author]):
    name: str
    books: "list[Work]"  # noqa: F821


class Volume(ModelSchema[Book]):
    title: str
    author: "Owner"


class Owner(ModelSchema[Author]):
    shelf: "Shelf"  # noqa: F821


class Finished(ModelSchema[Book]):
    title: str


def test_a_cycle_is_refused_where_its_last_class_is_defined() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:

        class Work(ModelSchema[Book]):
            title: str
            author: Writer

    assert str(caught.value) == (
        "'Work' contains itself, so that what it shows may have no end: "
        f"Work → author: Writer → books: Work. {HOW}"
    )


def test_a_schema_that_contains_itself_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:

        class Reader(ModelSchema[Author]):
            friends: "list[Reader] | None"

    assert str(caught.value) == (
        "'Reader' contains itself, so that what it shows may have no end: "
        f"Reader → friends: Reader. {HOW}"
    )


def test_a_cycle_through_an_ordinary_model_is_refused() -> None:
    class Row(BaseModel):
        volume: Volume

    with pytest.raises(ImproperlyConfigured, match="Shelf → rows: Row → volume: Volume → author: "):

        class Shelf(ModelSchema[Author]):
            rows: dict[str, tuple[Row, ...]]


def test_a_cycle_is_refused_by_a_late_rebuild() -> None:
    class Front(ModelSchema[Author]):
        books: "list[Unknown]"  # type: ignore[name-defined]  # noqa: F821

    class Back(ModelSchema[Book]):
        author: Front

    with pytest.raises(ImproperlyConfigured, match=r"^'Front' contains itself.*Back → author: F"):
        Front.model_rebuild(_types_namespace={"Unknown": Back})


def test_schemas_are_nested_to_any_depth(db: None) -> None:
    author = Author.objects.create(name="Homer")
    book = Book.objects.create(title="Iliad", price=1, author=author)
    schema: Any = Finished
    for number in range(20):
        by_author = create_model(
            f"Author{number}", __base__=ModelSchema[Author], books=(list[schema], ...)
        )
        schema = create_model(f"Book{number}", __base__=ModelSchema[Book], author=(by_author, ...))

    shown = schema.from_model(book).model_dump()

    for _ in range(20):
        [shown] = shown["author"]["books"]
    assert shown == {"title": "Iliad"}


def test_a_schema_twice_is_no_cycle() -> None:
    class Both(ModelSchema[Author]):
        books: list[Finished]
        initial: Finished | None

    assert TypeAdapter(Create[Both]).json_schema()["title"] == "BothCreate"
