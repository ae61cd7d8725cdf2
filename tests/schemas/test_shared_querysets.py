"""Does a queryset that is returned for each request show what the database has then?

As one that stands in a module does, of which plain Django's views ask a copy, too.
"""

from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from fastapi import FastAPI
from fastapi.testclient import TestClient

from django_mullet import APIRouter, ModelSchema, prepared, reads
from tests.library.models import Author, Tag


class AuthorSchema(ModelSchema[Author]):
    name: str


class InitialSchema(ModelSchema[Author]):
    name: str
    initial: str


class TagSchema(ModelSchema[Tag]):
    label: str


class Shelf(ModelSchema[Author]):
    name: str
    books: list[int]


class Again(Author):
    class Meta:
        proxy = True
        app_label = "library"

    @property
    @reads("name")
    def loud(self) -> str:
        return self.name.upper()


class LoudSchema(ModelSchema[Again]):
    loud: str


@prepared
def authors() -> QuerySet[Author]:
    return Author.objects.order_by("name")


SHARED: dict[str, tuple[Any, Any, list[Any]]] = {
    "columns": (list[AuthorSchema], Author.objects.order_by("name"), [{"name": "A"}]),
    "property": (
        list[InitialSchema],
        Author.objects.order_by("name"),
        [{"name": "A", "initial": "A"}],
    ),
    "what a property reads": (list[LoudSchema], Again.objects.order_by("name"), [{"loud": "A"}]),
    "relation": (list[Shelf], Author.objects.order_by("name"), [{"name": "A", "books": []}]),
    "distinct": (
        list[InitialSchema],
        Author.objects.order_by("name").distinct(),
        [{"name": "A", "initial": "A"}],
    ),
    "joined to others": (
        list[InitialSchema],
        Author.objects.none().union(Author.objects.all()),
        [{"name": "A", "initial": "A"}],
    ),
    "sliced": (
        list[InitialSchema],
        Author.objects.order_by("name")[:9],
        [{"name": "A", "initial": "A"}],
    ),
    "several models": (
        list[AuthorSchema | TagSchema],
        Author.objects.order_by("name"),
        [{"name": "A"}],
    ),
    "several schemas": (
        list[InitialSchema | AuthorSchema],
        Author.objects.order_by("name"),
        [{"name": "A", "initial": "A"}],
    ),
    "raw": (
        list[AuthorSchema],
        Author.objects.raw("SELECT * FROM library_author ORDER BY name"),
        [{"name": "A"}],
    ),
    "no schema": (None, Author.objects.order_by("name").values("name"), [{"name": "A"}]),
}


@pytest.mark.parametrize("kind", SHARED)
def test_it_shows_what_the_database_has_now(transactional_db: None, kind: str) -> None:
    response_model, shared, first = SHARED[kind]
    router = APIRouter()

    @router.get("/", response_model=response_model)
    def endpoint() -> Any:
        return shared

    app = FastAPI()
    app.include_router(router)
    with TestClient(app) as client:
        Author.objects.create(name="A")
        before = client.get("/").json()
        Author.objects.create(name="B")
        after = client.get("/").json()
        Author.objects.all().delete()
        emptied = client.get("/").json()

    assert before == first
    assert len(after) == 2
    assert emptied == []


@pytest.mark.parametrize("schema", [AuthorSchema, InitialSchema, Shelf])
def test_a_prepared_one_is_asked_anew(db: None, schema: Any) -> None:
    shared = authors()
    for number in (1, 2):
        Author.objects.create(name=f"{number}")

        assert len(schema.from_qs(shared)) == number


def test_all_of_a_prepared_one_is_a_copy_that_is_prepared(db: None) -> None:
    found: Any = authors()
    assert [*found] == []
    author = Author.objects.create(name="A")

    assert [*found] == []
    assert [*found.all()] == [author]
    assert type(found.all()) is type(found)
    assert [*authors()[1:].all()] == []


@pytest.mark.parametrize("schema", [AuthorSchema, InitialSchema])
def test_what_is_loaded_already_is_shown_as_it_is(db: None, schema: Any) -> None:
    Author.objects.create(name="A")
    loaded = Author.objects.all()
    len(loaded)

    with CaptureQueriesContext(connection) as captured:
        assert len(schema.from_qs(loaded)) == 1

    assert len(captured) == 0
