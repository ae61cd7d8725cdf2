"""Is each query, and each span of one's own, below the request that it belongs to?"""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from apart.logfire.recorder import SPANS
from apart.shelf.models import Author, Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def book() -> Book:
    book = Book.objects.create(title="Iliad", author=Author.objects.create(name="Homer"))
    SPANS.clear()
    return book


def finished() -> list[ReadableSpan]:
    """The spans with a duration, without those of savepoints; all are forgotten.

    Logfire also sends one when a span begins.
    """
    spans = SPANS.get_finished_spans()
    SPANS.clear()
    return [
        span
        for span in spans
        if (span.attributes or {}).get("logfire.span_type") != "pending_span"
        and not span.name.endswith(("SAVEPOINT", "RELEASE"))
    ]


def noted() -> list[list[str]]:
    """Of each span its names from the root on."""
    spans = {span.context.span_id: span for span in finished()}
    paths = []
    for span in spans.values():
        names, above = [span.name], span.parent
        while above is not None:
            names.insert(0, spans[above.span_id].name)
            above = spans[above.span_id].parent
        paths.append(names)
    return sorted(paths)


@pytest.mark.parametrize("path", ["/api/books/", "/api/books/async/"])
def test_a_query_is_below_the_span_that_asks(client: APIClient, path: str) -> None:
    name = f"GET {path}"

    for _ in range(3):  # from the second on, a query that is prepared is not built
        assert client.get(f"{path}?title=Iliad").status_code == 200
        own = [name, "look up {title}"]
        assert noted() == [[name], own, [*own, "SELECT"]]


@pytest.mark.parametrize("path", ["/api/authors/", "/api/authors/async/"])
def test_what_a_body_writes_is_below_its_request(client: APIClient, path: str) -> None:
    name = f"POST {path}"

    for _ in range(2):
        assert client.post(path, json={"name": "Homer"}).status_code == 201
        assert noted() == [[name], [name, "INSERT"]]


def test_what_a_route_is_called_with_is_noted(client: APIClient) -> None:
    client.get("/api/books/?title=Iliad")

    [request] = [span for span in finished() if span.parent is None]
    assert request.attributes is not None
    assert request.attributes["fastapi.route.name"] == "books"
    assert request.attributes["fastapi.arguments.values"] == '{"title":"Iliad"}'


@pytest.mark.parametrize("suffix", ["", "async/"])
def test_an_error_is_noted_by_the_span_of_its_request(client: APIClient, suffix: str) -> None:
    with pytest.raises(ArithmeticError, match="broken 1"):
        client.get(f"/api/broken/5/{suffix}")

    [request] = [span for span in finished() if span.parent is None]
    assert request.name == f"GET /api/broken/{{number}}/{suffix}"
    assert request.status.status_code is StatusCode.ERROR
    assert [event.name for event in request.events] == ["exception"]
