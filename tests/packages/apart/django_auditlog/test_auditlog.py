import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import User

from apart.django_auditlog.models import Book, Tag
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def noted(book_id: int) -> list[object]:
    entries = LogEntry.objects.filter(object_pk=str(book_id)).order_by("pk")
    return [(entry.action, entry.changes, entry.actor_id) for entry in entries]


def changes(book_id: int) -> list[object]:
    """What is noted, without the key and who it was."""
    entries = LogEntry.objects.filter(object_pk=str(book_id)).order_by("pk")
    return [(entry.action, {**entry.changes, "id": ...}) for entry in entries]


def test_what_bodies_write_is_noted_as_what_django_writes(logged_in: APIClient) -> None:
    client = logged_in
    tag = Tag.objects.create(label="T")
    body = {"title": "A", "pages": 2, "tags": [tag.pk]}

    created = client.post("/api/books/", json=body)

    assert created.status_code == 201, created.text
    path = f"/api/books/{created.json()['id']}/"
    assert client.patch(path, json={"title": "B", "tags": []}).status_code == 200
    assert client.delete(path).status_code == 204

    book = Book.objects.create(title="A", pages=2)
    book.tags.set([tag])
    book.title = "B"
    book.save()
    book.tags.set([])
    pk = book.pk
    book.delete()
    assert changes(created.json()["id"]) == changes(pk)
    assert len(changes(pk)) == 5


@pytest.mark.parametrize("way", ["", "async/"])
def test_the_middleware_says_who_it_was(logged_in: APIClient, way: str) -> None:
    client, ann = logged_in, User.objects.get().pk
    for _ in range(2):
        book = Book.objects.create(title="A")
        assert client.patch(f"/api/books/{book.pk}/{way}", json={"pages": 3}).status_code == 200
        assert noted(book.pk)[1:] == [(1, {"pages": ["1", "3"]}, ann)]
    client.cookies.delete("sessionid")
    assert client.patch(f"/api/books/{book.pk}/{way}", json={"pages": 4}).status_code == 200
    assert noted(book.pk)[2:] == [(1, {"pages": ["3", "4"]}, None)]


def test_entries_are_shown(client: APIClient) -> None:
    book = Book.objects.create(title="A")

    def change() -> None:
        book.pages += 1
        book.save()

    path = f"/api/books/{book.pk}/entries/"
    assert_constant_queries(lambda: client.get(path), change)
    entries = LogEntry.objects.filter(object_pk=str(book.pk)).order_by("pk")
    shown = [(row["action"], row["changes"], row["object_repr"]) for row in client.get(path).json()]
    assert shown == [(entry.action, entry.changes, entry.object_repr) for entry in entries]
