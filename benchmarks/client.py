"""How is a server loaded? Over connections that are kept alive, as fast as it answers or at a rate.

The client shares its core with the database, so it does little: it writes bytes that are ready and
compares the answer with the one that is known to be right.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

import httptools

from benchmarks.exchanges import Request

__all__ = ["Answer", "Client", "Load", "WrongAnswerError", "connect"]

TIMEOUT = 30  # seconds
FEWEST = 10  # latencies


class WrongAnswerError(Exception):
    """A server has not answered as it must."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that are made one after the other, and what the answers must be.

    An answer is right if it is the expected one; where none is, if it has the status and a body.
    """

    next_request: Callable[[], tuple[bytes, Answer | None]]
    status: int

    def error(self, expected: Answer | None, outcome: Answer | Exception) -> Exception | None:
        """Return what is wrong with the outcome of a request."""
        if isinstance(outcome, Exception):
            return WrongAnswerError(str(outcome))
        if expected:
            right = outcome == expected
        else:
            right = outcome.status == self.status and bool(outcome.body)
        return None if right else WrongAnswerError(f"{outcome} is not {expected or self.status}.")


class Connection(asyncio.Protocol):
    """One connection, with at most one request on its way."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.done: Callable[[Answer | Exception], None] | None = None
        self.parser = httptools.HttpResponseParser(self)
        self.parts: list[bytes] = []

    def send(self, request: bytes, done: Callable[[Answer | Exception], None]) -> None:
        """Send `request`; `done` is called with the answer or with what went wrong."""
        assert self.transport is not None
        self.done = done
        self.transport.write(request)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.finish(exc or ConnectionResetError("The server has closed the connection."))

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        answer = Answer(self.parser.get_status_code(), b"".join(self.parts))
        self.parts.clear()
        self.finish(answer)

    def finish(self, outcome: Answer | Exception) -> None:
        done, self.done = self.done, None
        if done:
            done(outcome)


class Client:
    """Some connections to one server."""

    def __init__(self, connections: list[Connection]) -> None:
        self.connections = connections

    async def ask(self, request: Request) -> Answer:
        """Make one request."""
        future: asyncio.Future[Answer | Exception] = asyncio.get_running_loop().create_future()
        self.connections[0].send(request.encode(), future.set_result)
        outcome = await asyncio.wait_for(future, TIMEOUT)
        if isinstance(outcome, Exception):
            raise WrongAnswerError(f"'{request.method} {request.path}': {outcome}") from outcome
        return outcome

    async def saturate(self, load: Load, *, seconds: float = 0, requests: int = 0) -> int:
        """Ask over all connections, again as soon as an answer is there; return how often.

        For so many seconds, or so many requests on each connection.
        """
        end = time.perf_counter() + seconds
        made = 0

        async def one(connection: Connection) -> None:
            nonlocal made
            left = requests
            future = asyncio.get_running_loop().create_future()

            def ask() -> None:
                nonlocal left
                left -= 1
                request, expected = load.next_request()

                def done(outcome: Answer | Exception) -> None:
                    nonlocal made
                    if error := load.error(expected, outcome):
                        future.set_exception(error)
                        return
                    made += 1
                    if left > 0 or time.perf_counter() < end:
                        ask()
                    else:
                        future.set_result(None)

                connection.send(request, done)

            ask()
            await asyncio.wait_for(future, seconds + TIMEOUT)

        await asyncio.gather(*map(one, self.connections))
        return made

    async def at_rate(self, load: Load, rate: float, seconds: float) -> list[float]:
        """Ask `rate` times a second, whether there are answers or not; return how long each took.

        For so many seconds, or longer if that is too short for a percentile. A request that finds
        every connection busy waits, and its wait counts.
        """
        free, waiting = deque(self.connections), deque[float]()
        latencies: list[float] = []
        total = max(round(rate * seconds), FEWEST)
        loop = asyncio.get_running_loop()
        finished = loop.create_future()

        def arrive() -> None:
            waiting.append(time.perf_counter())
            serve()

        def serve() -> None:
            while free and waiting:
                ask(free.popleft(), waiting.popleft())

        def ask(connection: Connection, arrived: float) -> None:
            request, expected = load.next_request()

            def done(outcome: Answer | Exception) -> None:
                latencies.append(time.perf_counter() - arrived)
                if finished.done():
                    return
                if error := load.error(expected, outcome):
                    finished.set_exception(error)
                    return
                free.append(connection)
                serve()
                if len(latencies) == total:
                    finished.set_result(None)

            connection.send(request, done)

        start = loop.time()
        handles = [loop.call_at(start + number / rate, arrive) for number in range(total)]
        try:
            await asyncio.wait_for(finished, total / rate + TIMEOUT)
        finally:
            for handle in handles:
                handle.cancel()
        return latencies


@asynccontextmanager
async def connect(port: int, connections: int) -> AsyncIterator[Client]:
    """Yield a client with so many connections to the server at `port`."""
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(connections)
    ]
    try:
        yield Client(made)
    finally:
        for connection in made:
            assert connection.transport is not None
            connection.transport.close()
