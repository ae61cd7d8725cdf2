from collections.abc import Iterator
from typing import Any

import pytest
from cachalot.api import cachalot_disabled, invalidate
from pytest_django.fixtures import DjangoAssertNumQueries

from apart.django_cachalot.models import Author, Book
from django_mullet.testing import APIClient

pytestmark = pytest.mark.django_db(transaction=True)

PATHS = [
    "/api/authors/",
    "/api/books/",
    "/api/books/async/",
    "/api/books/lines/",
    "/api/books/called/?title=Iliad",
    "/api/books/called/lines/?title=Iliad",
    "/api/books/called/looks/?title=Iliad",
]


@pytest.fixture(autouse=True)
def book() -> Iterator[Book]:
    invalidate()
    yield Book.objects.create(title="Iliad", author=Author.objects.create(name="Homer"))
    invalidate()


def shown(client: APIClient) -> list[Any]:
    """What every route answers."""
    return [client.get(path).json() for path in PATHS]


def expected() -> list[Any]:
    """What the database has, past the cache."""
    with cachalot_disabled():
        books = list(Book.objects.order_by("pk"))
        names = dict(Author.objects.values_list("pk", "name"))
    rows = [
        {"id": book.pk, "title": book.title, "author": {"name": names[book.author_id]}}
        for book in books
    ]
    called = [row for row in rows if row["title"] == "Iliad"]
    authors = [
        {
            "id": pk,
            "name": name,
            "books": [{"title": book.title} for book in books if book.author_id == pk],
        }
        for pk, name in sorted(names.items())
    ]
    looks = [len(called), bool(called), [row["author"]["name"] for row in called]]
    return [authors, rows, rows, lines_of(rows), called, lines_of(called), looks]


def lines_of(rows: list[Any]) -> list[Any]:
    return [
        {"line": f"{row['title']} by {row['author']['name']}", "author": row["author"]}
        for row in rows
    ]


def test_what_is_shown_is_never_older_than_the_rows(client: APIClient, book: Book) -> None:
    for _ in range(2):
        assert shown(client) == expected()

    assert client.patch(f"/api/authors/{book.author_id}/", json={"name": "Anon"}).status_code == 200
    assert shown(client) == expected()

    body = {"title": "Iliad", "author_id": book.author_id}
    created = client.post("/api/books/", json=body).json()
    assert shown(client) == expected()

    client.patch(f"/api/books/{created['id']}/", json={"title": "Odyssey"})
    assert shown(client) == expected()

    Author.objects.get(pk=book.author_id).delete()
    assert shown(client) == expected() == [*[[]] * 6, [0, False, []]]


def test_what_plain_django_shows_is_never_older_than_a_body(client: APIClient, book: Book) -> None:
    for name in ("Anon", "Homer"):
        list(Author.objects.all())  # now it is in the cache
        client.patch(f"/api/authors/{book.author_id}/", json={"name": name})
        assert [author.name for author in Author.objects.all()] == [name]
    list(Book.objects.all())
    client.post("/api/books/", json={"title": "Odyssey", "author_id": book.author_id})
    assert len(Book.objects.all()) == 2


@pytest.mark.parametrize("path", ["/api/books/", "/api/books/async/"])
def test_a_list_is_answered_from_the_cache(
    client: APIClient, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    answer = client.get(path).json()

    with django_assert_num_queries(0):
        assert client.get(path).json() == answer
