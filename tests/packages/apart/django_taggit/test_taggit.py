from typing import Any

import pytest
from taggit.models import Tag

from apart.django_taggit.models import Book, Shelf
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def add() -> Book:
    book = Book.objects.create(title="A", shelf=Shelf.objects.create(name="S"))
    book.tags.add("red", "Dark blue")
    return book


def of(book: Book) -> dict[str, Any]:
    """What Django's instances say, the tags in any order."""
    tags = [{"name": tag.name, "slug": tag.slug} for tag in book.tags.order_by("name")]
    return {"id": book.pk, "title": book.title, "tags": tags}


def in_order(book: dict[str, Any]) -> dict[str, Any]:
    return {**book, "tags": sorted(book["tags"], key=lambda tag: str(tag["name"]))}


def test_tags_are_shown_and_asked_for_at_any_depth(client: APIClient) -> None:
    book = add()

    for _ in range(2):
        [shown] = client.get("/api/books/?tag=red").json()
        assert in_order(shown) == of(book)
        assert client.get("/api/books/?tag=green").json() == []
    [shelf] = client.get("/api/shelves/").json()
    assert [in_order(row) for row in shelf["books"]] == [of(book)]
    for path in ("/api/books/?tag=red", "/api/shelves/"):
        assert_constant_queries(lambda: client.get(path), add)  # noqa: B023


def test_a_body_has_keys_of_tags(client: APIClient) -> None:
    red, blue = (Tag.objects.create(name=name) for name in ("red", "blue"))

    created = client.post("/api/books/", json={"title": "A", "tags": [red.pk]})

    assert created.status_code == 201, created.text
    book = Book.objects.get()
    assert created.json() == {"id": book.pk, "title": "A", "tags": [red.pk]}
    path = f"/api/books/{book.pk}/"
    assert client.patch(path, json={"tags": [blue.pk]}).json() == of(book)
    assert list(book.tags.names()) == ["blue"]
    assert client.patch(path, json={"title": "B"}).json()["tags"] == of(book)["tags"]
    assert client.patch(path, json={"tags": [0]}).status_code == 422
    assert list(book.tags.names()) == ["blue"]


def test_a_route_makes_tags_of_names(client: APIClient) -> None:
    book = Book.objects.create(title="A")
    path = f"/api/books/{book.pk}/tags/"

    for names in (["red", "Dark blue"], ["red"], []):
        assert in_order(client.put(path, json=names).json()) == of(book)
        assert sorted(book.tags.names()) == sorted(names)
