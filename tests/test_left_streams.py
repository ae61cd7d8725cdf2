"""What is to happen at the end of a stream happens within its request, though its client left."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.http import HttpRequest, StreamingHttpResponse
from django.test import override_settings
from django.urls import path

from django_mullet.asgi import DjangoHandler
from django_mullet.concurrency import pool
from django_mullet.execution import Execution
from tests.executing import execute

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


async def stream(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"a"
            await sync_to_async(told)()

    await sync_to_async(tell)("fir")
    return StreamingHttpResponse(_reset_after(aiter(StreamingHttpResponse(body()))))


urlpatterns = [path("stream", stream)]


@pytest.fixture(autouse=True)
def urls() -> Iterator[None]:
    with override_settings(
        ROOT_URLCONF=__name__, MIDDLEWARE=[], MULLET={"CONNECTIONS": 2, "LASTING": 1}
    ):
        pool.stop()
        yield
        pool.stop()
    # What Python closes late, outside of any request, has a connection of its own.
    asyncio.run(sync_to_async(connections.close_all)())


async def leave(*, after: int) -> None:
    """Ask for the stream, take that many messages, and leave while the next is sent."""
    gone = asyncio.Event()
    messages = 0

    async def receive() -> Any:
        if messages == 0 and not received:
            received.append(1)
            return {"type": "http.request", "body": b""}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal messages
        if messages == after:
            gone.set()
            await asyncio.sleep(60)
        messages += 1

    received: list[int] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/stream",
        "headers": [],
        "query_string": b"",
        "scheme": "http",
        "server": ("test", 80),
    }
    await DjangoHandler()(scope, receive, send)


@pytest.mark.parametrize("after", range(4))
def test_the_session_is_reset_when_the_client_of_an_asynchronous_stream_has_left(
    after: int,
) -> None:
    async def main() -> None:
        await asyncio.wait_for(leave(after=after), 10)

    asyncio.run(main())

    async def use(execution: Execution) -> str:
        return await execution.run(told)

    assert execute(use) == ""
