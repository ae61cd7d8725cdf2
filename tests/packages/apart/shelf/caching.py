"""Is what routes show of the books ever older than the rows?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apart.shelf.models import Author, Book
from django_mullet import APIClient

__all__ = ["assert_never_older"]

PATHS = [
    "/api/authors/",
    "/api/books/",
    "/api/books/async/",
    "/api/books/lines/",
    "/api/books/called/?title=Iliad",
    "/api/books/called/lines/?title=Iliad",
    "/api/books/called/looks/?title=Iliad",
]

Rows = tuple[Sequence[Book], Mapping[int, str]]
"""The books, and the names of the authors by their keys."""


def assert_never_older(client: APIClient, book: Book, rows: Callable[[], Rows]) -> None:
    """Change the rows, and compare what every route answers with `rows()`, past the cache."""
    for _ in range(2):
        assert shown(client) == expected(*rows())

    assert client.patch(f"/api/authors/{book.author_id}/", json={"name": "Anon"}).status_code == 200
    assert shown(client) == expected(*rows())

    body = {"title": "Iliad", "author_id": book.author_id}
    created = client.post("/api/books/", json=body).json()
    assert shown(client) == expected(*rows())

    client.patch(f"/api/books/{created['id']}/", json={"title": "Odyssey"})
    assert shown(client) == expected(*rows())

    Author.objects.get(pk=book.author_id).delete()
    assert shown(client) == expected(*rows()) == [*[[]] * 6, [0, False, []]]


def shown(client: APIClient) -> list[Any]:
    """What every route answers."""
    return [client.get(path).json() for path in PATHS]


def expected(books: Sequence[Book], names: Mapping[int, str]) -> list[Any]:
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
