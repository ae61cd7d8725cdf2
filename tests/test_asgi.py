import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import signals
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler
from django.db import connection, connections, transaction
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.test import modify_settings, override_settings
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient

from django_mullet import APIRouter, DjangoHandler, mount_django
from django_mullet.execution.workers import pool
from tests.asgi_scopes import scope_of
from tests.executing import here
from tests.load import answers
from tests.testapp.models import Item
from tests.urls import urlpatterns as admin_urlpatterns
from tests.waiting import until

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


# The Django half


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.method} {request.path} {Item.objects.count()} {here()}")


async def async_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{await Item.objects.acount()} rows")


async def together(request: HttpRequest) -> HttpResponse:
    async with asyncio.timeout(5):
        await meeting.wait()
    return HttpResponse(f"{await Item.objects.acount()} {here()}")


async def hanging(request: HttpRequest) -> HttpResponse:
    try:
        entered.set()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        left.append("cancelled")
        raise
    return HttpResponse()


def below_the_api(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"django": request.path})


def prefix(request: HttpRequest) -> JsonResponse:
    from django.urls import get_script_prefix

    return JsonResponse([get_script_prefix(), request.path, request.path_info], safe=False)


@csrf_exempt
def upload(request: HttpRequest) -> JsonResponse:
    file = request.FILES["file"]
    return JsonResponse({"name": file.name, "size": file.size, "n": request.POST["n"]})


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body)


def rows(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        for item in Item.objects.order_by("pk"):
            yield f"{item.name} {here()}\n"

    return StreamingHttpResponse(body())


def async_rows(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[str]:
        async for item in Item.objects.order_by("pk"):
            yield f"{item.name} async\n"

    return StreamingHttpResponse(body())


def endless(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            left.append(here())

    return StreamingHttpResponse(body())


def broken_rows(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[bytes]:
        yield b"x"
        raise LookupError("in the middle")

    return StreamingHttpResponse(body())


def this_file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


def create_and_fail(request: HttpRequest) -> HttpResponse:
    Item.objects.create(name="row")
    raise KeyError("after the row")


def create(request: HttpRequest) -> HttpResponse:
    Item.objects.create(name="row")
    return HttpResponse(str(connection.in_atomic_block))


@transaction.non_atomic_requests
def create_without_a_transaction(request: HttpRequest) -> HttpResponse:
    return create(request)


left: list[str] = []
meeting = asyncio.Barrier(50)
entered = asyncio.Event()

urlpatterns = [
    *admin_urlpatterns,
    path("page", page),
    path("async-page", async_page),
    path("together", together),
    path("hanging", hanging),
    path("api/legacy/", below_the_api),
    path("prefix", prefix),
    path("upload", upload),
    path("echo", echo),
    path("rows", rows),
    path("async-rows", async_rows),
    path("endless", endless),
    path("broken-rows", broken_rows),
    path("file", this_file),
    path("create", create),
    path("create-and-fail", create_and_fail),
    path("exempt", create_without_a_transaction),
]

# The FastAPI half

router = APIRouter()


@router.get("/items")
def items() -> int:
    return Item.objects.count()


@router.get("/slash/")
def slash() -> str:
    return "slash"


@router.get("/taken")
def taken() -> str:
    return "fastapi"


@router.websocket("/ws")
async def ws(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("fastapi")
    await websocket.close()


def make_app(**options: Any) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", **options)
    app.include_router(router, prefix="/api")
    mount_django(app)
    return app


app = make_app()
client = TestClient(app)
lenient = TestClient(app, raise_server_exceptions=False)


def test_a_route_of_fastapi_is_answered_by_fastapi() -> None:
    assert client.get("/api/items").json() == 0


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
def test_every_method_of_another_path_is_django_s(method: str) -> None:
    response = getattr(client, method)("/page")

    if method == "get":
        assert response.text == "GET /page 0 mullet"
    else:
        assert response.headers["Content-Type"].startswith("text/html")


def test_an_asynchronous_view_is_served() -> None:
    assert client.get("/async-page").text == "0 rows"


def test_a_method_that_a_route_of_fastapi_lacks_is_answered_405() -> None:
    response = client.post("/api/items")

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET"
    assert response.json() == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize(
    ("wrong", "right"), [("/api/slash", "/api/slash/"), ("/api/items/", "/api/items")]
)
def test_fastapi_redirects_to_its_path_with_or_without_the_slash(wrong: str, right: str) -> None:
    response = client.get(wrong, follow_redirects=False)

    assert (response.status_code, response.headers["Location"]) == (307, right)


def test_django_redirects_to_its_path_with_the_slash() -> None:
    response = client.get("/admin", follow_redirects=False)

    assert (response.status_code, response.headers["Location"]) == (301, "/admin/")


def test_an_unknown_path_below_a_path_of_fastapi_is_a_404_in_json() -> None:
    response = client.get("/api/missing")

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("missing", ["/missing", "/apis/x", "/"])
def test_an_unknown_path_elsewhere_is_django_s_404_page(missing: str) -> None:
    response = client.get(missing)

    assert response.status_code == 404
    assert "<h1>Not Found</h1>" in response.text


def test_a_view_of_django_below_a_path_of_fastapi_keeps_working() -> None:
    assert client.get("/api/legacy/").json() == {"django": "/api/legacy/"}


def test_a_path_that_both_know_is_fastapi_s() -> None:
    both = FastAPI()

    @both.get("/page")
    def page() -> str:
        return "fastapi"

    mount_django(both)

    assert TestClient(both).get("/page").json() == "fastapi"
    assert TestClient(both).get("/rows").status_code == 200


def test_a_route_with_a_variable_first_segment_owns_no_path() -> None:
    app = FastAPI()

    @app.get("/{tenant}/items/list")
    def tenant_items(tenant: str) -> str:
        return tenant

    mount_django(app)
    client = TestClient(app)

    assert client.get("/a/items/list").json() == "a"
    assert "<h1>Not Found</h1>" in client.get("/a/missing").text


def test_a_route_at_the_root_owns_no_other_path() -> None:
    app = FastAPI(openapi_url=None)

    @app.get("/")
    def root() -> str:
        return "root"

    mount_django(app)
    client = TestClient(app)

    assert client.get("/").json() == "root"
    assert client.get("/page").text.startswith("GET /page")
    assert "<h1>Not Found</h1>" in client.get("/missing").text


def test_a_path_added_after_the_mounting_is_served() -> None:
    app = make_app()

    @app.get("/late")
    def late() -> str:
        return "late"

    assert TestClient(app).get("/late").json() == "late"
    assert TestClient(app).get("/late/missing").json() == {"detail": "Not Found"}


def test_below_a_root_path_both_halves_are_found() -> None:
    client = TestClient(app, root_path="/site")

    assert client.get("/site/api/items").json() == 0
    assert client.get("/site/api/missing").json() == {"detail": "Not Found"}
    assert client.get("/site/api/legacy/").json() == {"django": "/site/api/legacy/"}
    assert client.get("/site/prefix").json() == ["/site/", "/site/prefix", "/prefix"]
    assert "<h1>Not Found</h1>" in client.get("/site/missing").text


def test_a_root_path_that_is_stripped_already_changes_nothing() -> None:
    client = TestClient(app, root_path="/site")

    assert client.get("/api/items").json() == 0


def test_websockets_are_fastapi_s() -> None:
    with client.websocket_connect("/api/ws") as session:
        assert session.receive_text() == "fastapi"


@pytest.mark.parametrize("unknown", ["/api/missing", "/page", "/missing"])
def test_an_unknown_websocket_is_closed(unknown: str) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect(unknown):
        raise AssertionError("it was accepted")


def test_the_schema_of_the_api_knows_nothing_of_django() -> None:
    assert set(client.get("/api/openapi.json").json()["paths"]) == {
        "/api/items",
        "/api/slash/",
        "/api/taken",
    }


# Lifespan


def test_the_lifespan_of_the_application_runs_and_its_state_arrives() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, str]]:
        events.append("start")
        yield {"from": "lifespan"}
        events.append("end")

    app = make_app(lifespan=lifespan)
    with TestClient(app) as client:
        state = client.app_state
        assert client.get("/page").status_code == 200

    assert events == ["start", "end"]
    assert state == {"from": "lifespan"}


def test_the_workers_end_with_the_server() -> None:
    with TestClient(app) as client:
        client.get("/api/items")
        assert pool.size > 0

    assert pool.size == 0


def test_the_workers_end_with_a_server_that_fails() -> None:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        raise RuntimeError("at the end")

    with (
        pytest.raises(RuntimeError, match="at the end"),
        TestClient(make_app(lifespan=lifespan)) as c,
    ):
        c.get("/api/items")

    assert pool.size == 0


@pytest.mark.django_db(transaction=True)
@override_settings(MULLET={"CONNECTIONS": 2, "CONNECTION_TIMEOUT": 1})
def test_servers_may_come_and_go_without_using_connections_up() -> None:
    for _ in range(4):
        with TestClient(app) as client:
            assert client.get("/api/items").json() == 0
            assert client.get("/page").status_code == 200


# Mounting


def test_mounting_something_else_is_refused() -> None:
    with pytest.raises(TypeError) as caught:
        mount_django(ASGIHandler)  # type: ignore[arg-type]

    assert str(caught.value) == "mount_django() takes the FastAPI instance, not 'type'."


def test_mounting_twice_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        mount_django(app)

    assert str(caught.value) == "Django is mounted already: call 'mount_django(app)' once."


def test_mounting_before_django_is_set_up_is_refused() -> None:
    from tests.execution.pools import printed_by

    script = """
from django.conf import settings
settings.configure()
from fastapi import FastAPI
from django_mullet import DjangoHandler, mount_django
try:
    mount_django(FastAPI())
except Exception as error:
    print(type(error).__name__, error)
"""

    assert " ".join(printed_by(script)) == (
        "ImproperlyConfigured Django is not set up: call 'django.setup()' before "
        "'mount_django(app)' and before you import models."
    )


# What Django does


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

    assert response.content == Path(__file__).read_bytes()
    assert response.headers["Content-Length"] == str(Path(__file__).stat().st_size)


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


@override_settings(ROOT_URLCONF=Including, ASGI_APPLICATION=f"{__name__}.app")
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
