"""How does a test call what leaves something in the database session, with many at once?"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from tests.server import Server

__all__ = ["found"]

TIMEOUT = 30  # seconds
PAUSE = 0.06  # seconds that a slow client takes over a step
BUFFER = 32_768  # bytes that the operating system keeps for a slow client
STEPS = 3
OTHERS = 4


def found(
    server: Server, kind: str, paths: Sequence[str], others: Iterator[str]
) -> tuple[list[Any], list[tuple[str, Any]]]:
    """Return what the steps have returned at each of `paths`, asked all at once.

    In place of steps that failed stands the status, or the error. `kind` says how to ask:
    "answer", "stream", "task" or "socket". Meanwhile some of the `others` are asked for their
    answers, one after the other; the second list is of these and of what they have returned.
    """
    return asyncio.run(_found(server, _KINDS[kind], paths, others))


async def _found(
    server: Server, ask: "_Ask", paths: Sequence[str], others: Iterator[str]
) -> tuple[list[Any], list[tuple[str, Any]]]:
    options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)]
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    transport = httpx.AsyncHTTPTransport(limits=limits, socket_options=options)
    meanwhile: list[tuple[str, Any]] = []
    over = asyncio.Event()

    async def ask_others(client: httpx.AsyncClient) -> None:
        while not over.is_set():
            path = next(others)
            meanwhile.append((path, await _one(_answer, client, path)))

    async with httpx.AsyncClient(
        base_url=server.url, timeout=TIMEOUT, transport=transport
    ) as client:
        asking = [asyncio.create_task(ask_others(client)) for _ in range(OTHERS)]
        steps = await asyncio.gather(*(_one(ask, client, path) for path in paths))
        over.set()
        await asyncio.gather(*asking)
    return steps, meanwhile


async def _one(ask: "_Ask", client: httpx.AsyncClient, path: str) -> Any:
    try:
        async with asyncio.timeout(TIMEOUT):
            return await ask(client, path)
    except (httpx.TransportError, WebSocketException, TimeoutError) as error:
        return repr(error)


async def _answer(client: httpx.AsyncClient, path: str) -> Any:
    response = await client.get(path)
    return response.json() if response.status_code == 200 else response.status_code


async def _stream(client: httpx.AsyncClient, path: str) -> Any:
    """Read slowly: after each step, everything on the way is full before reading goes on."""
    steps = []
    async with client.stream("GET", path) as response:
        async for line in response.aiter_lines():
            if line.startswith("["):
                steps += json.loads(line)
                await asyncio.sleep(PAUSE)
    return steps if response.status_code == 200 else response.status_code


async def _task(client: httpx.AsyncClient, path: str) -> Any:
    started = await client.get(path)
    if started.status_code != 202:
        return started.status_code
    token = path.rpartition("/")[2]
    while (response := await client.get(f"/api/found/{token}")).status_code == 404:
        await asyncio.sleep(0.02)
    return response.json()


async def _socket(client: httpx.AsyncClient, path: str) -> Any:
    steps = []
    url = str(client.base_url.copy_with(scheme="ws", path=path))
    async with connect(url, open_timeout=TIMEOUT) as websocket:
        for _ in range(STEPS):
            await websocket.send("next")
            steps += json.loads(await websocket.recv())
    return steps


_Ask = Callable[[httpx.AsyncClient, str], Awaitable[Any]]
_KINDS: dict[str, _Ask] = {
    "answer": _answer,
    "stream": _stream,
    "task": _task,
    "socket": _socket,
}
