"""When are the headers of a stream sent: before its first byte, or with it?

With it, for a while. So a body that finds out at its first query that there is no connection for
it can still be answered with a 503.
"""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.types import Send

__all__ = ["PATIENCE", "HeldBack"]

PATIENCE = 0.5
"""Seconds after which the headers are sent though there is no body yet."""


class HeldBack:
    """A `send` of ASGI that sends `http.response.start` with the first piece of the body."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: MutableMapping[str, Any] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.has_sent = False
        """Whether anything has been sent: no other answer can be given then."""

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        """Send `message`, and what was held back before it; keep the start for now."""
        if message["type"] == "http.response.start":
            self._start = message
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._lose_patience)
            return
        if self._timer is not None:
            self._timer.cancel()
        if self._starting is not None:
            await self._starting
        await self._send_start()
        await self._send(message)

    def give_up(self) -> None:
        """Send nothing more: the body has failed, or is complete."""
        if self._timer is not None:
            self._timer.cancel()
        if self._starting is not None:
            self._starting.add_done_callback(_see)

    async def _send_start(self) -> None:
        start, self._start = self._start, None
        if start is not None:
            self.has_sent = True
            await self._send(start)

    def _lose_patience(self) -> None:
        self.has_sent = True  # from now on, not when the task begins
        self._starting = asyncio.ensure_future(self._send_start())


def _see(starting: asyncio.Task[None]) -> None:
    """Have it be no error of the event loop's that a client left before it had the headers."""
    if not starting.cancelled():
        starting.exception()
