"""Does Silk record of a route what it records of a view of Django that asks the same?"""

import re

import pytest
from silk.models import Request, SQLQuery

from apart.shelf.models import Author, Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def book() -> Book:
    return Book.objects.create(title="Iliad", author=Author.objects.create(name="Homer"))


def recorded(path: str) -> list[str]:
    """What the newest request to `path` has asked: of each query its first word and its tables."""
    request = Request.objects.filter(path=path).latest("start_time")
    queries = list(SQLQuery.objects.filter(request=request).order_by("start_time"))
    assert request.num_sql_queries == len(queries)
    return [
        " ".join(
            [query.query.split()[0], *re.findall(r'(?:FROM|JOIN|UPDATE) ("\w+")', query.query)]
        )
        for query in queries
    ]


@pytest.mark.parametrize(
    ("path", "django"),
    [
        ("/api/books/", "/django/books/"),
        ("/api/books/called/", "/django/books/"),
        ("/api/authors/", "/django/authors/"),
    ],
)
def test_queries_of_a_list_are_recorded(client: APIClient, path: str, django: str) -> None:
    client.get(f"{django}?title=Iliad")
    assert recorded(django) != []

    for _ in range(2):
        assert client.get(f"{path}?title=Iliad").status_code == 200
        assert recorded(path) == recorded(django)


def test_queries_of_an_async_route_are_recorded(client: APIClient) -> None:
    client.get("/django/books/?title=Iliad")
    client.get("/api/books/async/")

    assert recorded("/api/books/async/") == recorded("/django/books/")


def test_what_a_body_writes_is_recorded(client: APIClient, book: Book) -> None:
    django, path = (f"/{half}/authors/{book.author_id}/" for half in ("django", "api"))
    client.get(django)
    assert [query.split()[0] for query in recorded(django)] == ["SELECT", "UPDATE"]

    for _ in range(2):
        client.patch(path, json={"name": "Anon"})
        assert recorded(path) == recorded(django)


def test_the_page_shows_a_request_and_its_queries(client: APIClient) -> None:
    client.get("/api/books/?title=Iliad")
    [request] = Request.objects.all()

    assert "/api/books/" in client.get("/silk/requests/").text
    assert client.get(f"/silk/request/{request.pk}/sql/").status_code == 200
