"""Streams, WebSockets and background tasks hold a share of the connections at most."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.http import FileResponse as DjangoFileResponse
from django.http import HttpRequest, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from fastapi import (
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    Response,
    WebSocket,
)
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.sse import EventSourceResponse
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from django_mullet import APIRouter, Overloaded, mount_django
from django_mullet.execution.connection_share import share
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)

THIS_FILE = Path(__file__)
ROOM_FOR_ONE = {"CONNECTIONS": 3}

router = APIRouter()
seen: list[int] = []


def number() -> int:
    return Item.objects.count()


def held() -> Iterator[None]:
    Item.objects.count()
    yield


def slow_lines() -> Iterator[str]:
    time.sleep(0.5)
    yield f"{Item.objects.count()}"


def lines() -> Iterator[str]:
    yield f"{Item.objects.count()}"
    yield f"{Item.objects.count()}"


@router.get("/before")
def queries_before_its_stream(number: Annotated[int, Depends(number)]) -> StreamingResponse:
    return StreamingResponse(iter("ab"))


@router.get("/within")
def queries_within_its_stream() -> StreamingResponse:
    return StreamingResponse(lines())


@router.get("/slow")
def slow() -> StreamingResponse:
    return StreamingResponse(slow_lines())


@router.get("/async-later")
async def queries_after_a_while() -> StreamingResponse:
    async def body() -> AsyncIterator[str]:
        await asyncio.sleep(0.1)
        yield f"{await Item.objects.acount()}"

    return StreamingResponse(body())


@router.get("/generator")
def generator() -> Iterator[str]:
    yield from lines()


@router.get("/of-both")
def of_both() -> StreamingResponse:
    def body() -> Iterator[str]:
        Item.objects.count()
        Item.objects.using("other").count()
        yield f"{share.count}"

    return StreamingResponse(body())


@router.get("/overloaded", response_class=EventSourceResponse)
async def overloaded() -> AsyncIterator[str]:
    yield "event"
    raise Overloaded("For a reason of its own.")


@router.get("/async-generator")
async def async_generator() -> AsyncIterator[str]:
    yield f"{await Item.objects.acount()}"


@router.get("/file-of-dependency")
def file_of_dependency(held: Annotated[None, Depends(held)]) -> FileResponse:
    return FileResponse(THIS_FILE)


@router.get("/large")
def large(held: Annotated[None, Depends(held)]) -> Response:
    return Response(bytes(2**18 + 1))


@router.get("/small")
def small(held: Annotated[None, Depends(held)]) -> Response:
    return Response(bytes(2**18))


@router.get("/closed")
def closes_by_hand(number: Annotated[int, Depends(number)]) -> StreamingResponse:
    connection.close()
    return StreamingResponse(iter("ab"))


@router.get("/without")
def without_queries() -> StreamingResponse:
    return StreamingResponse(iter("ab"))


@router.get("/file")
def file(number: Annotated[int, Depends(number)]) -> FileResponse:
    return FileResponse(THIS_FILE)


@router.get("/number")
def just_a_number(number: Annotated[int, Depends(number)]) -> int:
    return number


def note() -> None:
    seen.append(Item.objects.count())
    seen.append(share.count)


@router.get("/tasks")
def has_tasks(tasks: BackgroundTasks) -> None:
    tasks.add_task(note)


@router.get("/stream-with-tasks")
def streams_and_has_tasks(tasks: BackgroundTasks) -> StreamingResponse:
    tasks.add_task(note)
    return StreamingResponse(iter("ab"), background=tasks)


@router.websocket("/handshake")
async def queries_before(websocket: WebSocket, number: Annotated[int, Depends(number)]) -> None:
    await websocket.accept()
    await websocket.send_json(number)


@router.websocket("/socket")
async def queries_later(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_json(await Item.objects.acount())


def django_stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(lines())


def django_stream_after_a_query(request: HttpRequest) -> StreamingHttpResponse:
    Item.objects.count()
    return StreamingHttpResponse(iter("ab"))


def django_slow(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(slow_lines())


async def django_async_slow(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[str]:
        yield await sync_to_async(lambda: next(slow_lines()))()

    return StreamingHttpResponse(body())


def django_late(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        yield "a" * 2**18
        yield f"{Item.objects.count()}"

    return StreamingHttpResponse(body())


async def django_async_stream(request: HttpRequest) -> StreamingHttpResponse:
    await Item.objects.acount()

    async def body() -> AsyncIterator[str]:
        yield "a"

    return StreamingHttpResponse(body())


def django_file(request: HttpRequest) -> DjangoFileResponse:
    Item.objects.count()
    return DjangoFileResponse(THIS_FILE.open("rb"))


async def django_async_file(request: HttpRequest) -> DjangoFileResponse:
    await Item.objects.acount()
    return DjangoFileResponse(THIS_FILE.open("rb"))


urlpatterns = [
    path("django/within", django_stream),
    path("django/late", django_late),
    path("django/slow", django_slow),
    path("django/async-slow", django_async_slow),
    path("django/before", django_stream_after_a_query),
    path("django/async", django_async_stream),
    path("django/file", django_file),
    path("django/async-file", django_async_file),
]


@pytest.fixture(autouse=True)
def urls() -> Iterator[None]:
    seen.clear()
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[], MULLET=ROOM_FOR_ONE):
        yield
    assert share.count == 0


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    return TestClient(app)


@pytest.fixture
def used_up() -> Iterator[None]:
    share.enter()
    yield
    share.leave()


STREAMS = ["/before", "/within", "/generator", "/async-generator", "/file-of-dependency", "/large"]
STREAMS += ["/slow", "/django/slow", "/django/async-slow"]  # later than headers usually wait
STREAMS += ["/async-later", "/django/before", "/django/within", "/django/async"]


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_is_refused_before_its_first_byte(
    client: TestClient, used_up: None, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    response = client.get(path)

    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    [record] = [each for each in caplog.records if each.message.startswith("Busy")]
    assert record.message == (
        f"Busy: {path}: Streams, WebSockets and background tasks hold 1 connections, and "
        "MULLET['LASTING'] allows 1. Write \"APIRouter(connection='call')\" where each call of an "
        "'async def' may use another connection; call 'connection.close()' (in 'async def', "
        "through 'sync_to_async') where the rest needs none; or raise MULLET['LASTING'] and "
        "MULLET['CONNECTIONS']."
    )


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_is_sent_as_long_as_there_is_room(client: TestClient, path: str) -> None:
    for _ in range(3):
        assert client.get(path).status_code == 200


OTHERS = ["/without", "/small", "/file", "/number", "/django/file", "/django/async-file"]


@pytest.mark.parametrize("path", OTHERS)
def test_what_holds_no_connection_is_not_refused(
    client: TestClient, used_up: None, path: str
) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.postgres  # SQLite keeps a database in memory open
def test_what_has_closed_its_connection_is_not_refused(client: TestClient, used_up: None) -> None:
    assert client.get("/closed").text == "ab"


@pytest.mark.parametrize("path", ["/tasks", "/stream-with-tasks"])
def test_background_tasks_count_and_are_never_refused(
    client: TestClient, used_up: None, path: str
) -> None:
    assert client.get(path).status_code == 200

    assert seen == [0, 2]


def test_the_handshake_of_a_socket_is_refused(client: TestClient, used_up: None) -> None:
    connecting = client.websocket_connect("/handshake")
    with pytest.raises(WebSocketDenialResponse) as caught:
        connecting.__enter__()

    assert caught.value.status_code == 503


def test_a_socket_that_is_open_is_closed(client: TestClient, used_up: None) -> None:
    with (
        client.websocket_connect("/socket") as socket,
        pytest.raises(WebSocketDisconnect) as caught,
    ):
        socket.receive_json()

    assert (caught.value.code, caught.value.reason) == (1013, "The server is busy.")


@pytest.mark.parametrize("path", ["/handshake", "/socket"])
def test_a_socket_counts_to_its_end(client: TestClient, path: str) -> None:
    with client.websocket_connect(path) as socket:
        assert socket.receive_json() == 0


def test_a_stream_that_begins_to_query_late_ends(client: TestClient, used_up: None) -> None:
    app = FastAPI()
    local = APIRouter()

    @local.get("/late")
    def late() -> StreamingResponse:
        def body() -> Iterator[str]:
            yield "a" * 2**18
            yield f"{Item.objects.count()}"

        return StreamingResponse(body())

    app.include_router(local)

    with pytest.raises(Overloaded):
        TestClient(app).get("/late")


def test_a_stream_of_django_s_that_begins_to_query_late_ends(
    client: TestClient, used_up: None
) -> None:
    with pytest.raises(Overloaded):
        client.get("/django/late")


def test_a_stream_that_tries_again_and_finds_room_is_sent(client: TestClient) -> None:
    app, local, refused = FastAPI(), APIRouter(), []

    @local.get("/patient")
    async def patient() -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            try:
                await Item.objects.acount()
            except Overloaded:
                refused.append(1)
                share.leave()
            yield f"{await Item.objects.acount()}"

        return StreamingResponse(body())

    app.include_router(local)
    share.enter()

    response = TestClient(app).get("/patient")

    assert (response.status_code, response.text, refused) == (200, "0", [1])


def test_an_event_stream_that_is_overloaded_itself_fails(client: TestClient) -> None:
    with pytest.raises(BaseExceptionGroup):
        client.get("/overloaded")


def test_the_answer_to_a_refused_stream_is_that_of_the_application(used_up: None) -> None:
    def handler(request: Request, error: Exception) -> Response:
        return Response("Later.", status_code=503)

    app = FastAPI(exception_handlers={HTTPException: handler})
    app.include_router(router)

    response = TestClient(app).get("/within")

    assert (response.status_code, response.text) == (503, "Later.")


@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_a_stream_counts_once_however_many_connections_it_has(client: TestClient) -> None:
    assert client.get("/of-both").text == "1"


def test_headers_are_not_held_back_for_long() -> None:
    asked = asyncio.Event()
    messages: list[Any] = []

    async def receive() -> Any:
        await asked.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    app = FastAPI()
    local = APIRouter()

    @local.get("/events")
    async def events() -> StreamingResponse:
        async def body() -> AsyncIterator[str]:
            while not messages:
                await asyncio.sleep(0.01)
            yield "event"

        return StreamingResponse(body())

    app.include_router(local)
    scope = {"type": "http", "method": "GET", "path": "/events", "headers": [], "query_string": b""}

    asyncio.run(asyncio.wait_for(app(scope, receive, send), 10))

    assert [message["type"] for message in messages][:2] == [
        "http.response.start",
        "http.response.body",
    ]
