"""Is what OpenTelemetry notes of a route what it notes of a view of Django that asks the same?"""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from apart.opentelemetry.recorder import SPANS
from apart.shelf.models import Author, Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def book() -> Book:
    book = Book.objects.create(title="Iliad", author=Author.objects.create(name="Homer"))
    SPANS.clear()
    return book


def noted() -> list[list[str]]:
    """Of each span its names from the root on, without ASGI's messages; they are forgotten."""
    spans: dict[int, ReadableSpan] = {
        span.context.span_id: span for span in SPANS.get_finished_spans()
    }
    SPANS.clear()
    paths = []
    for span in spans.values():
        names, above = [span.name], span.parent
        while above is not None:
            names.insert(0, spans[above.span_id].name)
            above = spans[above.span_id].parent
        paths.append(names)
    others = ("http receive", "http send", "SAVEPOINT", "RELEASE")
    return sorted(names for names in paths if not names[-1].endswith(others))


@pytest.mark.parametrize(
    "path", ["/api/books/", "/api/books/async/", "/api/books/called/", "/api/books/called/async/"]
)
def test_queries_are_below_their_request(client: APIClient, path: str) -> None:
    client.get("/django/books/?title=Iliad")
    view = ["GET", "GET django/books/"]
    assert noted() == [["GET"], view, [*view, "SELECT"]]

    for _ in range(3):  # from the second on, a query that is prepared is not built
        assert client.get(f"{path}?title=Iliad").status_code == 200
        assert noted() == [[f"GET {path}"], [f"GET {path}", "SELECT"]]


def test_middleware_is_below_the_request_and_above_its_queries(client: APIClient) -> None:
    path = "/api/middleware/books/"
    name = f"GET {path}"

    for _ in range(2):
        client.get(f"{path}?title=Iliad")
        # Of a `def` endpoint, psycopg's span is below that of Django's middleware.
        assert noted() == [[name], [name, name], [name, name, "SELECT"]]


@pytest.mark.parametrize("suffix", ["", "async/"])
def test_a_query_is_below_the_span_that_asks(client: APIClient, book: Book, suffix: str) -> None:
    name = f"GET /api/books/{{book_id}}/{suffix}"

    for _ in range(2):
        client.get(f"/api/books/{book.pk}/{suffix}")
        assert noted() == [[name], [name, "look up"], [name, "look up", "SELECT"]]


def test_what_a_body_writes_is_below_its_request(client: APIClient) -> None:
    name = "POST /api/authors/"

    for _ in range(2):
        assert client.post("/api/authors/", json={"name": "Homer"}).status_code == 201
        assert noted() == [[name], [name, "INSERT"]]


@pytest.mark.parametrize("suffix", ["", "async/"])
def test_an_error_is_noted_by_the_span_of_its_request(client: APIClient, suffix: str) -> None:
    with pytest.raises(ArithmeticError, match="broken 1"):
        client.get(f"/api/broken/5/{suffix}")

    [request] = [span for span in SPANS.get_finished_spans() if span.parent is None]
    assert request.name == f"GET /api/broken/{{number}}/{suffix}"
    assert request.status.status_code is StatusCode.ERROR
    assert request.attributes is not None
    assert request.attributes["http.status_code"] == 500
    assert [event.name for event in request.events] == ["exception"]
