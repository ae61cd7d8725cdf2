from collections.abc import Iterator

import pytest
from cachalot.api import cachalot_disabled, invalidate
from pytest_django.fixtures import DjangoAssertNumQueries

from apart.shelf.caching import assert_never_older
from apart.shelf.models import Author, Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def book() -> Iterator[Book]:
    invalidate()
    yield Book.objects.create(title="Iliad", author=Author.objects.create(name="Homer"))
    invalidate()


def rows() -> tuple[list[Book], dict[int, str]]:
    """What the database has, past the cache."""
    with cachalot_disabled():
        return list(Book.objects.order_by("pk")), dict(Author.objects.values_list("pk", "name"))


def test_what_is_shown_is_never_older_than_the_rows(client: APIClient, book: Book) -> None:
    assert_never_older(client, book, rows)


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
