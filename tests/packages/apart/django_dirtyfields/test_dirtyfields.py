from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apart.django_dirtyfields.api import books_called
from apart.django_dirtyfields.models import Author, Book
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def add() -> Book:
    return Book.objects.create(title="A", author=Author.objects.create(name="Ann"))


def test_what_a_body_has_saved_is_clean(client: APIClient) -> None:
    author = Author.objects.create(name="Ann")

    answer = client.post("/api/books/", json={"title": "A", "price": "1.5", "author_id": author.pk})

    assert answer.json() == {"before": {}, "after": {}}
    assert Book.objects.get().price == Decimal("1.50")


@pytest.mark.parametrize("way", ["", "async/"])
def test_a_body_makes_dirty_what_it_changes(client: APIClient, way: str) -> None:
    book, other = add(), Author.objects.create(name="Bob")
    same = {"title": "A", "price": "0.00"}

    assert client.patch(f"/api/books/A/{way}", json=same).json() == {"before": {}, "after": {}}
    answer = client.patch(f"/api/books/A/{way}", json={**same, "pages": 7, "author_id": other.pk})

    assert answer.json() == {"before": {"pages": 1, "author": book.author_id}, "after": {}}
    assert Book.objects.filter(pages=7, author=other).exists()


def test_only_what_is_dirty_is_written(client: APIClient) -> None:
    add()

    for pages in (7, 8):
        with CaptureQueriesContext(connection) as queries:
            assert client.patch("/api/books/A/", json={"title": "A", "pages": pages}).is_success
        [update] = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
        assert "pages" in update
        assert "title" not in update.partition("WHERE")[0]
    assert Book.objects.get().pages == 8


def test_what_was_not_loaded_is_not_dirty_and_stays_so(client: APIClient) -> None:
    add()

    for _ in range(2):
        book = books_called("A").only("title").get()
        assert not book.is_dirty(check_relationship=True)
        book.title = "B"
        assert book.get_dirty_fields() == {"title": "A"}
    assert client.get("/api/books/?title=A").json() == [{"title": "A", "author": {"name": "Ann"}}]
    assert_constant_queries(lambda: client.get("/api/books/?title=A"), add)
