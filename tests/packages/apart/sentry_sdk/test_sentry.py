"""Does Sentry note of a route what it notes of a view of Django that asks the same?"""

import re
from typing import Any

import pytest

from apart.sentry_sdk.recorder import SENT
from apart.shelf.models import Author, Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def book() -> Book:
    return Book.objects.create(title="Iliad", author=Author.objects.create(name="Homer"))


@pytest.fixture(autouse=True)
def nothing_sent() -> None:
    SENT.clear()


def only_transaction() -> dict[str, Any]:
    """What is sent of one request, which is forgotten."""
    [transaction] = SENT
    SENT.clear()
    assert transaction["type"] == "transaction"
    return transaction


def queries(transaction: dict[str, Any]) -> list[str]:
    """Of each query its first word and its tables; transactions are a matter of the caller."""
    found = [span["description"] for span in transaction["spans"] if span["op"] == "db"]
    return [
        " ".join([sql.split()[0], *re.findall(r'(?:FROM|JOIN|INTO) ("\w+")', sql)])
        for sql in found
        if "SAVEPOINT" not in sql
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/api/books/",
        "/api/books/async/",
        "/api/books/called/",
        "/api/books/called/async/",
        "/api/middleware/books/",
    ],
)
def test_a_request_is_a_transaction_with_its_queries(client: APIClient, path: str) -> None:
    client.get("/django/books/?title=Iliad")
    as_django = queries(only_transaction())
    assert as_django == ['SELECT "shelf_book" "shelf_author"']

    for _ in range(3):  # from the second on, a query that is prepared is not built
        assert client.get(f"{path}?title=Iliad").status_code == 200
        transaction = only_transaction()
        assert transaction["transaction"] == path
        assert queries(transaction) == as_django


@pytest.mark.parametrize("suffix", ["", "async/"])
def test_a_query_is_below_the_span_that_asks(client: APIClient, book: Book, suffix: str) -> None:
    for _ in range(2):
        client.get(f"/api/books/{book.pk}/{suffix}")
        transaction = only_transaction()
        spans = {span["op"]: span for span in transaction["spans"]}
        assert transaction["transaction"] == f"/api/books/{{book_id}}/{suffix}"
        assert spans["own"]["parent_span_id"] == transaction["contexts"]["trace"]["span_id"]
        assert spans["db"]["parent_span_id"] == spans["own"]["span_id"]


def test_what_a_body_writes_is_noted(client: APIClient) -> None:
    client.post("/django/authors/")
    as_django = queries(only_transaction())
    assert as_django == ['INSERT "shelf_author"']

    for _ in range(2):
        assert client.post("/api/authors/", json={"name": "Homer"}).status_code == 201
        assert queries(only_transaction()) == as_django


@pytest.mark.parametrize("suffix", ["", "async/"])
def test_an_error_is_an_event_of_its_request(client: APIClient, suffix: str) -> None:
    with pytest.raises(ArithmeticError, match="broken 1"):
        client.get(f"/api/broken/5/{suffix}")

    [event, transaction] = SENT
    [exception] = event["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("ArithmeticError", "broken 1")
    assert event["transaction"] == transaction["transaction"] == f"/api/broken/{{number}}/{suffix}"
    assert event["contexts"]["trace"]["trace_id"] == transaction["contexts"]["trace"]["trace_id"]
    assert event["request"]["url"].endswith(f"/api/broken/5/{suffix}")
    assert queries(transaction) == ['SELECT "shelf_author"']


def test_what_a_client_does_wrong_is_no_event(client: APIClient) -> None:
    assert client.get("/api/books/0/").status_code == 404
    assert only_transaction()["contexts"]["response"]["status_code"] == 404
