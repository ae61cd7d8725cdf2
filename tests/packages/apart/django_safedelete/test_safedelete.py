import pytest

from apart.django_safedelete.models import Author, Book
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def add() -> Author:
    author = Author.objects.create(name="Ann")
    for title in ("Gone", "Here"):
        Book.objects.create(title=title, author=author)
    Book.objects.filter(title="Gone").delete()
    return author


def test_what_is_deleted_is_in_no_list_and_stays(client: APIClient) -> None:
    author, other = add(), add()
    assert client.delete(f"/api/authors/{other.pk}/").status_code == 204

    assert client.get("/api/authors/").json() == [
        {"id": author.pk, "name": "Ann", "books": [{"title": "Here"}]}
    ]
    assert [row["author"]["id"] for row in client.get("/api/books/").json()] == [author.pk]
    assert client.get(f"/api/authors/{other.pk}/").status_code == 404
    assert [row["id"] for row in client.get("/api/authors/deleted/").json()] == [other.pk]
    assert Author.all_objects.count() == 2


@pytest.mark.parametrize("path", ["/api/authors/", "/api/books/"])
def test_lists_make_constant_queries(client: APIClient, path: str) -> None:
    assert_constant_queries(lambda: client.get(path), add)


def test_a_prepared_query_hides_what_is_deleted(client: APIClient) -> None:
    author = add()
    add().delete()
    looks = "/api/authors/called/looks/?name="

    for _ in range(2):
        [row] = client.get("/api/authors/called/?name=Ann").json()
        assert row["id"] == author.pk
        assert client.get(f"{looks}Ann").json() == [1, True, ["Ann"], 1, "Ann", 1]
        assert client.get(f"{looks}Bob").json() == [0, False, [], 0, None, 0]
    author.delete()
    assert client.get(f"{looks}Ann").json() == [0, False, [], 0, None, 0]


def test_bodies_write_what_is_there(client: APIClient) -> None:
    created = client.post("/api/authors/", json={"name": "Ann"}).json()
    path = f"/api/authors/{created['id']}/"

    assert client.patch(path, json={"name": "Bob"}).json() == {**created, "name": "Bob"}
    assert Author.objects.get().name == "Bob"
    assert Author.objects.get().deleted is None


def test_a_body_saves_a_deleted_author_as_django_does(client: APIClient) -> None:
    author = add()
    author.delete()
    Author.all_objects.get(pk=author.pk).save(keep_deleted=True)

    assert Author.objects.count() == 0
    Author.all_objects.get(pk=author.pk).save()
    assert Author.objects.get().name == "Ann"
