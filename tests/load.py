"""How does a test send many requests at once?"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

__all__ = ["Answer", "answers", "answers_of_server", "at_once"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for `path`, and when, by `time.monotonic()`; status 0 is no answer."""

    path: str
    status: int
    body: object
    headers: httpx.Headers
    started: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.started


def answers(app: FastAPI, paths: Sequence[str], *, concurrency: int = 32) -> list[Answer]:
    """Return the answers of `app`, called in this process, to a GET of each of `paths`."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://testserver", timeout=60)
    return asyncio.run(_all(client, paths, concurrency))


def answers_of_server(
    url: str,
    paths: Iterable[str],
    *,
    concurrency: int = 16,
    meanwhile: Callable[[list[Answer]], Awaitable[None]] | None = None,
) -> list[Answer]:
    """Return the answers of the server at `url` to a GET of each of `paths`.

    `meanwhile` runs beside the requests, and sees the answers that have come so far.
    """
    # A connection for each: one that the server closes must not cost the next request its answer.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    client = httpx.AsyncClient(base_url=url, timeout=60, limits=limits)
    return asyncio.run(_all(client, paths, concurrency, meanwhile))


async def at_once(
    port: int, paths: Sequence[str], *, ended: list[Answer] | None = None
) -> list[Answer]:
    """Return the answers of the server at `port`, in the order of `paths`, all asked at once.

    Over as many connections. Their bodies and headers are left out. Each is also added to `ended`
    as soon as it is there.
    """
    pairs = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in paths))

    async def ask(path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        started = time.monotonic()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        read = await reader.read()
        status = int(read.split(maxsplit=2)[1]) if read else 0
        answer = Answer(path, status, None, httpx.Headers(), started, time.monotonic())
        if ended is not None:
            ended.append(answer)
        writer.close()
        await writer.wait_closed()
        return answer

    return await asyncio.gather(
        *(ask(path, *pair) for path, pair in zip(paths, pairs, strict=True))
    )


async def _all(
    client: httpx.AsyncClient,
    paths: Iterable[str],
    concurrency: int,
    meanwhile: Callable[[list[Answer]], Awaitable[None]] | None = None,
) -> list[Answer]:
    waiting = iter(paths)
    found: list[Answer] = []

    async def send() -> None:
        for path in waiting:
            # A server gives each request a task, and with it a context, of its own.
            found.append(await asyncio.create_task(_get(client, path)))

    async with client:
        extra = [] if meanwhile is None else [meanwhile(found)]
        await asyncio.gather(*extra, *(send() for _ in range(concurrency)))
    return found


async def _get(client: httpx.AsyncClient, path: str) -> Answer:
    started = time.monotonic()
    try:
        response = await client.get(path)
    except httpx.TransportError as error:
        return Answer(path, 0, repr(error), httpx.Headers(), started, time.monotonic())
    is_json = response.headers.get("content-type") == "application/json"
    body = response.json() if is_json else response.text
    return Answer(path, response.status_code, body, response.headers, started, time.monotonic())
