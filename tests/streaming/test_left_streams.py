"""What is to happen at the end of a stream happens within its request, though its client left."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from io import BytesIO
from typing import Any

import pytest
from anyio import BrokenResourceError
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path
from django.utils.deprecation import MiddlewareMixin
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel

from django_mullet import APIRouter, DjangoHandler, conf
from django_mullet.execution.execution import Execution, current_execution
from django_mullet.execution.workers import pool
from django_mullet.streaming.bodies import ITEMS_AHEAD
from tests.asgi_scopes import scope_of
from tests.executing import entered, execute
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def tell(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant', %s, false)", [name])


def told() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('app.tenant', true), '')")
        return str(cursor.fetchone()[0])


async def _reset_after(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    finally:
        await sync_to_async(tell)("")


def _reset_after_synchronous(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        tell("")
        ends.append(current_execution.get(None))


def _after_a_head(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what comes before `pieces`, which are not begun when a client leaves there."""
    yield bytes(2 * conf.current().stream_buffer)
    yield from pieces


class TenantMiddleware(MiddlewareMixin):
    """Sets the tenant, and resets it at the end of the answer, as Django says that one should."""

    def process_request(self, request: HttpRequest) -> None:
        tell("fir")

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        assert response.streaming
        reset_after: Any = _reset_after if response.is_async else _reset_after_synchronous
        body = reset_after(response.streaming_content)
        if "map" in request.GET:
            body = map(bytes, body)  # which nobody can close
        if "head" in request.GET:
            body = _after_a_head(body)
        response.streaming_content = body
        return response


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(10):
        yield b"a"
        await sync_to_async(told)()


def synchronous_pieces() -> Iterator[bytes]:
    for number in range(10_000):
        numbers.append(number)
        yield b"a"
        told()


async def wait(request: HttpRequest) -> HttpResponse:
    here.append(1)
    await asyncio.sleep(60)
    raise AssertionError("The client has left.")


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(pieces())


def synchronous_stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(synchronous_pieces())


def late_stream(request: HttpRequest) -> StreamingHttpResponse:
    here.append(1)
    assert left.wait(10)
    return StreamingHttpResponse(synchronous_pieces())


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(BytesIO(bytes(10 * conf.current().stream_buffer)))


router = APIRouter(django_middleware=True)


@router.get("/stream")
async def fastapi_stream() -> StreamingResponse:
    return StreamingResponse(pieces())


@router.get("/synchronous-stream")
def fastapi_synchronous_stream() -> StreamingResponse:
    return StreamingResponse(synchronous_pieces())


@router.get("/wait")
async def fastapi_wait() -> None:
    here.append(1)
    await asyncio.sleep(60)


@router.get("/late-stream")
def fastapi_late_stream() -> StreamingResponse:
    here.append(1)
    assert left.wait(10)
    return StreamingResponse(synchronous_pieces())


@router.get("/generator", response_class=StreamingResponse)
async def generator() -> AsyncIterator[bytes]:
    async for piece in pieces():
        yield piece


class Made(BaseModel):
    """What a worker makes of a request."""

    number: int


def made() -> Iterator[Made]:
    try:
        for number in range(10_000):
            numbers.append(number)
            yield Made(number=number)
    finally:
        ends.append(current_execution.get(None))


def texts() -> StreamingResponse:
    return StreamingResponse(str(each.number) for each in _closing(made()))


def _closing(items: Iterator[Made]) -> Iterator[Made]:
    with closing(items):  # type: ignore[type-var]
        yield from items


async def own_stream() -> StreamingResponse:
    await sync_to_async(tell)("fir")
    return StreamingResponse(_reset_after(pieces()))


def own_synchronous_stream() -> StreamingResponse:
    tell("fir")
    return StreamingResponse(_reset_after_synchronous(synchronous_pieces()))


plain = APIRouter()
plain.get("/own-stream")(own_stream)
plain.get("/own-synchronous-stream")(own_synchronous_stream)
plain.get("/texts")(texts)
plain.get("/lines")(made)
plain.get("/events", response_class=EventSourceResponse)(made)

fastapi = FastAPI()
fastapi.include_router(router)
fastapi.include_router(plain)
numbers: list[int] = []
ends: list[Execution | None] = []
"""Within what a body has ended."""

urlpatterns = [
    path("stream", stream),
    path("synchronous-stream", synchronous_stream),
    path("late-stream", late_stream),
    path("file", file),
    path("wait", wait),
]
here: list[int] = []
"""A request that waits."""
left = threading.Event()
"""Its client has left."""


@pytest.fixture(autouse=True)
def urls() -> Iterator[None]:
    with override_settings(
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[f"{__name__}.TenantMiddleware"],
        MULLET={"CONNECTIONS": 2, "LASTING": 1},
    ):
        pool.stop()
        yield
        pool.stop()
    # What Python closes late, outside of any request, has a connection of its own.
    asyncio.run(sync_to_async(connections.close_all)())


async def leave(app: Any, url: str, *, after: int, when: Callable[[], bool] = lambda: True) -> None:
    """Ask for the stream, take that many messages, and leave while the next is sent.

    Not before `when` holds.
    """
    gone = asyncio.Event()
    messages = 0

    async def receive() -> Any:
        if messages == 0 and not received:
            received.append(1)
            return {"type": "http.request", "body": b""}
        await gone.wait()
        while not when():
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal messages
        if messages == after:
            gone.set()
            await asyncio.sleep(60)
        messages += 1

    received: list[int] = []
    url, _, query = url.partition("?")
    scope = {**scope_of(url, "GET"), "query_string": query.encode()}
    await asyncio.wait_for(app(scope, receive, send), 10)


def tenant_of_the_next() -> str:
    return execute(_told)


async def _told(execution: Execution) -> str:
    return await execution.run(told)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    numbers.clear()
    ends.clear()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def is_made_ahead() -> bool:
    return len(numbers) > ITEMS_AHEAD


@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize(
    ("app", "url"),
    [(DjangoHandler, "/stream"), (lambda: fastapi, "/stream"), (lambda: fastapi, "/generator")],
    ids=["django", "fastapi", "generator"],
)
def test_the_session_is_reset_when_the_client_of_an_asynchronous_stream_has_left(
    app: Any, url: str, after: int
) -> None:
    asyncio.run(leave(app(), url, after=after))

    assert tenant_of_the_next() == ""


@pytest.mark.parametrize("after", range(4))
@pytest.mark.parametrize("url", ["/own-stream", "/own-synchronous-stream"])
def test_it_is_when_the_endpoint_has_put_the_reset_at_the_end_of_its_body(
    url: str, after: int
) -> None:
    with without_garbage_collection():
        asyncio.run(leave(fastapi, url, after=after))

        assert tenant_of_the_next() == ""


@pytest.mark.parametrize("app", [DjangoHandler, lambda: fastapi], ids=["django", "fastapi"])
def test_it_is_reset_when_the_client_leaves_before_there_is_an_answer(app: Any) -> None:
    """Middleware that is to reset it sees no response then."""
    asyncio.run(leave_before_there_is_an_answer(app(), "/wait"))

    assert tenant_of_the_next() == ""


async def leave_before_there_is_an_answer(app: Any, url: str) -> None:
    """Ask for `url`, and leave while the view is at work."""
    here.clear()
    left.clear()
    task = asyncio.create_task(leave(app, url, after=0))
    await asyncio.to_thread(until, lambda: here)
    task.cancel()
    left.set()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("app", [DjangoHandler, lambda: fastapi], ids=["django", "fastapi"])
def test_the_session_is_not_kept_when_the_client_leaves_before_a_synchronous_stream(
    app: Any,
) -> None:
    """A generator that has not begun resets nothing when it is closed."""
    asyncio.run(leave_before_there_is_an_answer(app(), "/late-stream"))

    assert tenant_of_the_next() == ""


@pytest.mark.usefixtures("pooled")
@pytest.mark.parametrize("app", [DjangoHandler, lambda: fastapi], ids=["django", "fastapi"])
def test_a_pool_does_not_hand_it_on(app: Any) -> None:
    asyncio.run(leave_before_there_is_an_answer(app(), "/late-stream"))

    assert tenant_of_the_next() == ""


@pytest.mark.parametrize("after", range(3))
@pytest.mark.parametrize("app", [DjangoHandler, lambda: fastapi], ids=["django", "fastapi"])
def test_it_is_not_kept_when_a_part_of_the_body_has_not_begun(app: Any, after: int) -> None:
    asyncio.run(leave(app(), "/synchronous-stream?head", after=after))

    assert tenant_of_the_next() == ""


def test_a_file_with_another_body_is_a_stream() -> None:
    """Middleware has put it there, which resets the session at its end: nobody has it before."""
    told_meanwhile = []
    received = []

    async def receive() -> Any:
        if received:
            await asyncio.Event().wait()
        received.append(1)
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        async with entered() as execution:
            told_meanwhile.append(await _told(execution))

    asyncio.run(DjangoHandler()(scope_of("/file", "GET"), receive, send))

    assert len(told_meanwhile) > 2
    assert set(told_meanwhile) == {""}


@pytest.mark.parametrize("wrapped", ["", "?map"])
@pytest.mark.parametrize("app", [DjangoHandler, lambda: fastapi], ids=["django", "fastapi"])
def test_the_session_is_reset_when_the_client_of_a_synchronous_stream_has_left(
    app: Any, wrapped: str
) -> None:
    """Within the request: what is put around the body and run later is run in another's session."""

    async def main() -> None:
        url = f"/synchronous-stream{wrapped}"
        await leave(app(), url, after=2, when=is_made_ahead)
        assert len(ends) == 1
        assert isinstance(ends[0], Execution)
        async with entered() as execution:
            assert await _told(execution) == ""

    with without_garbage_collection():
        asyncio.run(main())


@pytest.mark.parametrize("url", ["/texts", "/lines", "/events"])
def test_a_synchronous_body_is_closed_within_its_request(url: str) -> None:
    """And not when the garbage is collected, which need not be soon: nothing else may happen."""

    async def main() -> None:
        try:
            await leave(fastapi, url, after=2, when=is_made_ahead)
        except* BrokenResourceError:  # FastAPI closes what it still sends to
            assert url == "/events"
        assert [type(end) for end in ends] == [Execution]

    with without_garbage_collection():
        asyncio.run(main())
