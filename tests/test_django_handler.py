"""Do Django's views behave as behind its own handler?"""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signals
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest, HttpResponseBase
from django.test import modify_settings, override_settings
from django.urls import include, path
from fastapi.testclient import TestClient

from django_mullet import DjangoHandler
from django_mullet.execution.workers import pool
from tests import both_halves
from tests.asgi_scopes import scope_of
from tests.both_halves import app, client, entered, left, lenient, urlpatterns
from tests.executing import here
from tests.load import answers
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.both_halves")]


def test_the_admin_can_be_logged_in_to() -> None:
    User.objects.create_superuser("admin", password="secret")
    Item.objects.create(name="herring")
    client = TestClient(app)

    login = client.get("/admin/", follow_redirects=True)
    token = client.cookies["csrftoken"]
    answer = client.post(
        login.url, data={"username": "admin", "password": "secret", "csrfmiddlewaretoken": token}
    )
    listed = client.get("/admin/testapp/item/")

    assert login.url.path == "/admin/login/"
    assert answer.url.path == "/admin/"
    assert "Site administration" in answer.text
    assert "herring" in listed.text


def test_a_form_without_the_token_is_refused() -> None:
    response = TestClient(app).post("/admin/login/", data={"username": "admin"})

    assert response.status_code == 403


@override_settings(DEBUG=True)
def test_static_files_are_served_while_developing() -> None:
    response = client.get("/static/admin/css/base.css")

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/css")
    assert len(response.content) > 1000
    assert client.get("/static/missing.css").status_code == 404


def test_static_files_are_not_served_in_production() -> None:
    assert client.get("/static/admin/css/base.css").status_code == 404


@override_settings(DEBUG=True, STATIC_URL="https://cdn.example.org/static/")
def test_static_files_of_another_server_are_not_served() -> None:
    assert client.get("/static/admin/css/base.css").status_code == 404


@override_settings(DEBUG=True)
@modify_settings(INSTALLED_APPS={"remove": ["django.contrib.staticfiles"]})
def test_static_files_are_not_served_without_their_app() -> None:
    assert client.get("/static/admin/css/base.css").status_code == 404


@override_settings(DEBUG=True)
def test_a_debug_page_is_shown_while_developing() -> None:
    assert "DEBUG = True" in client.get("/missing").text
    assert "after the row" in lenient.get("/create-and-fail").text


def test_an_error_of_a_view_is_answered_500() -> None:
    response = lenient.get("/create-and-fail")

    assert response.status_code == 500
    assert "Server Error" in response.text


@pytest.mark.parametrize("size", [3, 3_000_000])
def test_an_uploaded_file_arrives(size: int) -> None:
    response = client.post("/upload", data={"n": "1"}, files={"file": ("f.bin", b"x" * size)})

    assert response.json() == {"name": "f.bin", "size": size, "n": "1"}


def test_a_body_arrives() -> None:
    assert client.post("/echo", content=b"abc").content == b"abc"


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10)
def test_a_body_that_is_too_long_for_django_is_refused() -> None:
    assert lenient.post("/echo", content=b"x" * 11).status_code == 400


@pytest.mark.parametrize(("url", "word"), [("/rows", "mullet"), ("/async-rows", "async")])
def test_a_streamed_response_arrives(url: str, word: str) -> None:
    for name in "abc":
        Item.objects.create(name=name)

    assert client.get(url).text == f"a {word}\nb {word}\nc {word}\n"


def test_a_file_is_sent() -> None:
    response = client.get("/file")

    assert response.content == Path(both_halves.__file__).read_bytes()
    assert response.headers["Content-Length"] == str(Path(both_halves.__file__).stat().st_size)


def test_a_client_that_leaves_ends_a_stream_in_its_worker() -> None:
    left.clear()
    sent: list[Any] = []
    enough = asyncio.Event()
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await enough.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == 10:
            enough.set()
        await asyncio.sleep(0)

    asyncio.run(app(scope_of("/endless", "GET"), receive, send))

    assert left == ["mullet"]
    assert sent[0]["status"] == 200


def test_a_cancelled_request_ends_its_stream() -> None:
    left.clear()

    with client.stream("GET", "/endless") as response:
        next(response.iter_raw())

    until(lambda: left)
    assert left == ["mullet"]


def test_an_error_in_a_stream_is_the_server_s() -> None:
    with pytest.raises(LookupError, match="in the middle"):
        client.get("/broken-rows")


def test_the_session_and_messages_of_django_work() -> None:
    assert client.get("/admin/login/").status_code == 200


def test_overridden_middleware_is_used() -> None:
    with override_settings(MIDDLEWARE=[f"{__name__}.marking_middleware"]):
        during = client.get("/page")
    after = client.get("/page")

    assert during.headers["X-Marked"] == "mullet"
    assert "X-Marked" not in after.headers


def marking_middleware(get_response: Any) -> Any:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        response: HttpResponseBase = get_response(request)
        response.headers["X-Marked"] = here()
        return response

    return middleware


@pytest.mark.parametrize("url", ["/page", "/rows", "/file", "/missing", "/upload"])
def test_every_request_of_django_starts_and_finishes_once(url: str) -> None:
    events: list[str] = []

    def started(sender: type, **kwargs: Any) -> None:
        assert issubclass(sender, ASGIHandler)
        events.append(f"started {here()}")

    def finished(sender: type, **kwargs: Any) -> None:
        assert issubclass(sender, ASGIHandler)
        events.append(f"finished {here()}")

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    try:
        lenient.get(url)
    finally:
        signals.request_started.disconnect(started)
        signals.request_finished.disconnect(finished)

    assert events == ["started mullet", "finished mullet"]


def test_a_client_that_leaves_before_its_body_is_there_gets_no_answer() -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope_of("/echo"), receive, send))

    assert sent == []


def test_a_request_that_django_cannot_read_is_refused() -> None:
    sent: list[Any] = []

    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({**scope_of("/page", "GET"), "query_string": b"\xff"}, receive, send))

    assert sent[0]["status"] == 400


def test_a_receiver_of_the_signal_that_fails_ends_its_request_only() -> None:
    def fail(**kwargs: Any) -> None:
        raise LookupError("from a receiver")

    signals.request_started.connect(fail)
    try:
        with pytest.raises(LookupError, match="from a receiver"):
            client.get("/page")
    finally:
        signals.request_started.disconnect(fail)

    assert client.get("/page").status_code == 200


@override_settings(MULLET={"THREADS": 1, "QUEUE": 1, "RETRY_AFTER": 7})
def test_an_overloaded_server_says_so() -> None:
    end = threading.Event()
    pool.stop()
    for _ in range(2):
        pool.submit(lambda: end.wait(10))

    response = client.get("/page")
    end.set()

    assert (response.status_code, response.text) == (503, "The server is busy.")
    assert response.headers["Retry-After"] == "7"


@pytest.mark.django_db(transaction=True)
def test_atomic_requests_hold_for_django_s_views(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    assert client.get("/create").text == "True"
    assert lenient.get("/create-and-fail").status_code == 500
    assert client.get("/exempt").text == "False"
    assert Item.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_without_atomic_requests_a_row_outlives_an_error() -> None:
    assert client.get("/create").text == "False"
    assert lenient.get("/create-and-fail").status_code == 500
    assert Item.objects.count() == 2


class Including:
    """A URLconf that has the routes of the API too."""

    urlpatterns = [path("", include("django_mullet.urls")), *urlpatterns]


@override_settings(ROOT_URLCONF=Including, ASGI_APPLICATION="tests.both_halves.app")
def test_the_patterns_of_the_api_s_routes_are_no_views_of_django() -> None:
    assert client.get("/api/items").json() == 0
    assert client.post("/api/items").status_code == 405
    assert client.get("/api/missing").json() == {"detail": "Not Found"}
    assert client.get("/api/legacy/").json() == {"django": "/api/legacy/"}
    assert client.get("/page").status_code == 200


def test_more_asynchronous_views_wait_at_once_than_there_are_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for alias in connections:
        monkeypatch.setitem(connections.settings[alias], "CONN_MAX_AGE", None)

    found = answers(app, ["/together"] * 50, concurrency=50)

    assert {answer.status for answer in found} == {200}
    assert {str(answer.body).split()[1] for answer in found} == {"MainThread"}


@pytest.mark.parametrize("path", ["/hanging", "/missing"])
def test_a_client_that_leaves_cancels_its_view_and_the_request_is_finished(path: str) -> None:
    finished: list[Any] = []

    def finish(sender: Any, **kwargs: Any) -> None:
        finished.append((sender, here()))

    async def leaves() -> None:
        entered.clear()
        messages = [{"type": "http.disconnect"}, {"type": "http.request"}]

        async def receive() -> Any:
            if len(messages) == 1 and path == "/hanging":
                await entered.wait()
            return messages.pop()

        async def send(message: Any) -> None:
            sent.append(message)

        await DjangoHandler()(scope_of(path, "GET"), receive, send)

    sent: list[Any] = []
    left.clear()
    signals.request_finished.connect(finish)
    try:
        asyncio.run(leaves())
    finally:
        signals.request_finished.disconnect(finish)

    assert sent == []
    assert left == (["cancelled"] if path == "/hanging" else [])
    assert finished in ([], [(DjangoHandler, "mullet")])
    assert finished or path != "/hanging"


def test_what_is_not_http_is_refused() -> None:
    refused = DjangoHandler()({"type": "other"}, None, None)

    with pytest.raises(ValueError, match="only handle ASGI/HTTP connections, not other"):
        asyncio.run(refused)


def test_habits_are_told_apart_for_so_many_first_segments_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("django_mullet.django_handler.MAX_HABITS", 2)
    monkeypatch.setattr(DjangoHandler, "_habits", {})
    handler = DjangoHandler()

    first, second = handler._habits_of("/one/x"), handler._habits_of("/two")
    others = [handler._habits_of(f"/{name}/") for name in ("three", "four")]

    assert first is handler._habits_of("/one/y") is not second
    assert others[0] is others[1] not in (first, second)
