from collections.abc import Iterator
from typing import Any

import pytest
from cacheops import invalidate_all
from pytest_django.fixtures import DjangoAssertNumQueries

from apart.shelf.caching import assert_never_older
from apart.shelf.models import Author, Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def book() -> Iterator[Book]:
    invalidate_all()
    yield Book.objects.create(title="Iliad", author=Author.objects.create(name="Homer"))
    invalidate_all()


def rows() -> tuple[list[Book], dict[int, str]]:
    """What the database has, past the cache."""
    books: Any = Book.objects
    authors: Any = Author.objects
    return list(books.nocache().order_by("pk")), dict(authors.nocache().values_list("pk", "name"))


def test_what_is_shown_is_never_older_than_the_rows(client: APIClient, book: Book) -> None:
    assert_never_older(client, book, rows)


def test_one_book_is_never_older_than_its_author(client: APIClient, book: Book) -> None:
    path = f"/api/books/{book.pk}/"
    for name in ("Homer", "Anon", "Homer"):
        author = Author.objects.get()
        author.name = name
        author.save()
        for _ in range(2):
            assert client.get(path).json()["author"] == {"name": name}


def test_a_list_is_answered_from_the_cache(
    client: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/api/books/async/")

    with django_assert_num_queries(0):
        client.get("/api/books/async/")
