"""How do a body made piece by piece, and what comes after the response, run in the worker?

Starlette pulls each item of a synchronous iterator, and runs each synchronous background
task, in some thread. Here both run in the request's worker. The worker runs ahead of the
client by at most `AHEAD` items, and sends each as soon as it is there. While it waits for a slow
client, others may use its connection.
"""

import asyncio
import functools
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from starlette.background import BackgroundTasks
from starlette.responses import Response, StreamingResponse

from django_mullet import databases
from django_mullet._compat import threaded_iterator
from django_mullet.execution import Execution, current_execution

__all__ = ["AHEAD", "follow_up_in_worker", "stream"]

T = TypeVar("T")

AHEAD = 100
"""Items that wait for a slow client before the worker waits too."""

PATIENCE = 0.05
"""Seconds that the worker waits for a slow client before others may use its connection."""


def follow_up_in_worker(response: Response, execution: Execution) -> None:
    """Have the synchronous body and background tasks of `response` run in `execution`."""
    if isinstance(response, StreamingResponse):
        iterator = threaded_iterator(response.body_iterator)  # type: ignore[arg-type]
        if iterator is not None:
            response.body_iterator = stream(iterator, execution)
    tasks = response.background
    if tasks is not None:
        for task in tasks.tasks if isinstance(tasks, BackgroundTasks) else [tasks]:
            if not task.is_async:
                task.func = _hop(task.func)
                task.is_async = True  # pyright: ignore[reportAttributeAccessIssue]


def _hop(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def in_request_worker(*args: Any, **kwargs: Any) -> Any:
        return await current_execution.get().run(functools.partial(function, *args, **kwargs))

    return in_request_worker


async def stream(iterable: Iterable[T], execution: Execution) -> AsyncGenerator[T, None]:
    """Yield the items of `iterable`, which one worker iterates; then close it there."""
    execution.pinned = True
    items = _Items[T](asyncio.get_running_loop())
    execution.add_stream(items.abandon)
    producing = asyncio.ensure_future(execution.run(functools.partial(items.produce, iterable)))
    producing.add_done_callback(items.end)
    try:
        while batch := await items.next_batch():
            for item in batch:
                yield item
    finally:
        items.abandon()
        producing.cancel()  # ends what the worker waits for on the loop, but not the worker's job
        with suppress(asyncio.CancelledError):
            await producing


class _Items(Generic[T]):
    """What a worker has produced and the event loop has not consumed."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._buffer: deque[T] = deque()
        self._changed = threading.Condition()
        self._arrived = asyncio.Event()
        self._signalled = False
        self._ended = False
        self._abandoned = False

    def produce(self, iterable: Iterable[T]) -> None:
        """In the worker: offer the items until there are no more or nobody wants them."""
        iterator: Iterator[T] = iter(iterable)
        try:
            for item in iterator:
                if not self._offer(item):
                    break
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    def _offer(self, item: T) -> bool:
        with self._changed:
            if not self._changed.wait_for(self._is_wanted, PATIENCE):
                databases.park()
                self._changed.wait_for(self._is_wanted)
            if self._abandoned:
                return False
            self._buffer.append(item)
            wake, self._signalled = not self._signalled, True
        if wake:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._arrived.set)
        return True

    def _is_wanted(self) -> bool:
        return self._abandoned or len(self._buffer) < AHEAD

    async def next_batch(self) -> list[T]:
        """On the loop: wait for items; an empty list says that there are no more."""
        while True:
            with self._changed:
                batch = list(self._buffer)
                self._buffer.clear()
                self._signalled = False
                self._arrived.clear()
                self._changed.notify()
            if batch or self._ended:
                return batch
            await self._arrived.wait()

    def end(self, _: object) -> None:
        """On the loop: the worker has produced its last item."""
        self._ended = True
        self._arrived.set()

    def abandon(self) -> None:
        """On the loop: nobody wants more items."""
        with self._changed:
            self._abandoned = True
            self._changed.notify()
