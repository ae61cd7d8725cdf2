"""Response headers held back until the first byte of a stream is there.

With it, for a while. So a body that finds out at its first query that there is no connection for
it can still be answered with a 503.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any, Protocol

from starlette.types import Send

__all__ = ["ASYNC_VIEW_DELAY", "DEFAULT_DELAY", "MAX_DELAY", "DelayedHeaders", "Producer"]

DEFAULT_DELAY = 0.5
"""Seconds after which the headers are sent though there is no body yet."""

ASYNC_VIEW_DELAY = 0.02
"""The same for an asynchronous body of Django's, the headers of which Django sends at once."""

MAX_DELAY = 5.0
"""The same while a worker is busy with the first piece, and may be about to query for it."""

MIN_LOOP_TURNS = 20
"""Turns of the event loop that are waited for as well: how long they take depends on the load."""

RECHECK_SECONDS = 0.25
"""Seconds after which it is seen again whether a worker is busy."""


class Producer(Protocol):
    """Whatever makes the body."""

    @property
    def refusal(self) -> Exception | None:
        """Why it gets no connection."""
        ...

    @property
    def is_queued(self) -> bool:
        """Whether it cannot even begin."""
        ...

    @property
    def is_busy(self) -> bool:
        """Whether a worker is at work for it, or is to be."""
        ...


class DelayedHeaders:
    """A `send` of ASGI that sends `http.response.start` with the first piece of the body.

    While the `producer` cannot begin, or is at work, it waits for longer. If it is refused a
    connection, and ends before anything is sent, that is raised: FastAPI ends an event stream as if
    there was no error.
    """

    def __init__(self, send: Send, producer: Producer) -> None:
        self._send = send
        self._producer = producer
        self._start: MutableMapping[str, Any] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._timer: asyncio.Handle | None = None
        self._since = 0.0
        self.delay = DEFAULT_DELAY
        self.has_sent = False
        """Whether anything has been sent: no other answer can be given then."""

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Send `message`, and what was held back before it; keep the start for now."""
        if message["type"] == "http.response.start":
            self._start = message
            self._since = asyncio.get_running_loop().time()
            self._wait(self.delay)
            return
        assert self._timer is not None, "The start comes first."
        self._timer.cancel()
        if self._starting is not None:
            await self._starting
        is_held = self._start is not None and not self.has_sent
        if is_held and self._producer.refusal is not None and not message.get("body"):
            raise self._producer.refusal
        await self.release()
        await self._send(message)

    async def release(self) -> None:
        """Send the start, if it is held back: the body fails, after its headers as everywhere."""
        start, self._start = self._start, None
        if start is not None:
            self.has_sent = True
            await self._send(start)

    def give_up(self) -> None:
        """Send nothing more: the body has failed, or is complete."""
        if self._timer is not None:
            self._timer.cancel()
        if self._starting is not None:
            self._starting.add_done_callback(_see)

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._stop_waiting)

    def _stop_waiting(self, turns: int | None = None) -> None:
        """Send the start, unless something comes of the body within so many `turns` of the loop."""
        turns = MIN_LOOP_TURNS if turns is None else turns
        loop, producer = asyncio.get_running_loop(), self._producer
        is_at_work = producer.is_busy or producer.refusal is not None  # the body is to hear of it
        may_wait = loop.time() < self._since + MAX_DELAY
        if producer.is_queued or (is_at_work and may_wait):
            self._wait(RECHECK_SECONDS)
        elif turns > 0:
            self._timer = loop.call_soon(self._stop_waiting, turns - 1)
        else:
            self.has_sent = True  # from now on, not when the task begins
            self._starting = asyncio.ensure_future(self.release())


def _see(starting: asyncio.Task[None]) -> None:
    """Have it be no error of the event loop's that a client left before it had the headers."""
    starting.cancelled() or starting.exception()
