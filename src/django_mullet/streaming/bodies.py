"""Synchronous response bodies and background tasks, run in the request's worker.

Starlette pulls each item of a synchronous iterator, and runs each synchronous background
task, in some thread. Here both run in the request's worker, in jobs that run ahead of the client
by at most `MULLET["STREAM_BUFFER"]` bytes; each item is sent as soon as it is there. While the
client is slow there is no job, so that a body which has not queried holds nothing meanwhile.
"""

import asyncio
import functools
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Generic, TypeVar, cast

from anyio import CancelScope
from asgiref.sync import async_to_sync
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.responses import Response, StreamingResponse

from django_mullet import conf
from django_mullet._compat.starlette import threaded_iterator
from django_mullet.execution.borrowed_connections import in_tests
from django_mullet.execution.execution import Execution, current_execution

__all__ = ["ITEMS_AHEAD", "follow_up_in_worker", "stream"]

T = TypeVar("T")

ITEMS_AHEAD = 100
"""Items that a body is made ahead of its client, whatever their size."""


def follow_up_in_worker(response: Response, execution: Execution) -> None:
    """Have the synchronous body and background tasks of `response` run in `execution`.

    Raise `Overloaded` if it has a body that is streamed, `execution` holds a connection, and
    others that last hold as many as may be held.
    """
    if isinstance(response, StreamingResponse):
        execution.become_lasting()
        iterator = threaded_iterator(response.body_iterator)  # type: ignore[arg-type]
        if iterator is not None:
            response.body_iterator = stream(iterator, execution)
    tasks = response.background
    if tasks is not None:
        for task in tasks.tasks if isinstance(tasks, BackgroundTasks) else [tasks]:
            task.func = _on_loop(task.func) if task.is_async else _hop(task.func)
            task.is_async = True  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(tasks, BackgroundTasks) and in_tests():
        tasks.add_task(_run_what_is_added_late, tasks)


async def _run_what_is_added_late(tasks: BackgroundTasks) -> None:
    """Have a task that is added to `tasks` from now on run at once, in the thread that adds it.

    In a `TestCase` nothing commits. What `on_commit()` was told is called after the response, by
    `captureOnCommitCallbacks()`, and a task that it adds would never run.
    """

    def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        is_async = BackgroundTask(function).is_async
        (async_to_sync(function) if is_async else function)(*args, **kwargs)

    tasks.add_task = cast("Any", run)  # type: ignore[method-assign]


def _hop(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def in_request_worker(*args: Any, **kwargs: Any) -> Any:
        execution = current_execution.get()
        execution.become_lasting(
            in_any_case=True
        )  # nobody waits for it, or would hear that it is refused
        return await execution.run(functools.partial(function, *args, **kwargs))

    return in_request_worker


def _on_loop(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def in_request(*args: Any, **kwargs: Any) -> Any:
        current_execution.get().become_lasting(in_any_case=True)
        return await function(*args, **kwargs)

    return in_request


def stream(iterable: Iterable[T], execution: Execution) -> AsyncGenerator[T, None]:
    """Return the items of `iterable`, which is iterated, and closed in the end, in workers.

    Where they are not all made the session is not kept. A part of a body that has not begun, or
    that cannot be closed, resets nothing when the whole is closed.
    """
    execution.keeps_session = False
    return _stream(iterable, execution)


def to_its_end(pieces: AsyncIterable[T], execution: Execution) -> AsyncGenerator[T, None]:
    """Return `pieces`, of an asynchronous body around which middleware may have put another.

    Where they are not all taken, what resets the session at their end need not run in the request:
    nobody closes an asynchronous generator that an `async for` was left in. Then the session is
    not kept.
    """
    execution.keeps_session = False
    return _to_its_end(pieces, execution)


async def _to_its_end(pieces: AsyncIterable[T], execution: Execution) -> AsyncGenerator[T, None]:
    async for piece in pieces:
        yield piece
    execution.keeps_session = True


async def _stream(iterable: Iterable[T], execution: Execution) -> AsyncGenerator[T, None]:
    production = _Production(iterable, execution)
    del iterable  # which the production lets go of in a worker
    execution.add_stream(production.abandon)
    try:
        while batch := await production.next_batch():
            for item, size in batch:
                yield item
                production.consumed(size)
    finally:
        await production.end()


class _Production(Generic[T]):
    """What workers have produced of an iterable and the event loop has not consumed."""

    def __init__(self, iterable: Iterable[T], execution: Execution) -> None:
        self._iterable = iterable
        self._iterator: Iterator[T] | None = None
        self._execution = execution
        self._max_bytes = conf.current().stream_buffer
        self._loop = asyncio.get_running_loop()
        self._job: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()
        self._changing = threading.Lock()  # held to change or read what follows
        self._made: list[tuple[T, int]] = []
        self._ahead = 0  # bytes
        self._signalled = False
        self._is_exhausted = False
        self._is_abandoned = False

    # In a worker

    def _produce(self) -> None:
        """Offer items until there are no more, or enough, or nobody wants them."""
        if self._iterator is None:
            self._iterator = iter(self._iterable)
        for item in self._iterator:
            if not self._offer(item):
                return
        self._is_exhausted = True
        self._execution.keeps_session = True

    def _offer(self, item: T) -> bool:
        size = self._size(item)
        with self._changing:
            self._made.append((item, size))
            self._ahead += size
            wake, self._signalled = not self._signalled, True
            is_wanted = self._ahead < self._max_bytes and not self._is_abandoned
        if wake:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(self._arrived.set)
        return is_wanted

    def _size(self, item: T) -> int:
        if isinstance(item, bytes | str | bytearray):
            return max(len(item), self._max_bytes // 1024)
        if isinstance(item, memoryview):
            return max(item.nbytes, self._max_bytes // 1024)
        return self._max_bytes // ITEMS_AHEAD + 1

    # On the event loop

    async def next_batch(self) -> list[tuple[T, int]]:
        """Wait for items, each with its size; an empty list says that there are no more."""
        while True:
            self._go_on()
            with self._changing:
                batch, self._made = self._made, []
                self._signalled = False
                self._arrived.clear()
            if batch:
                return batch
            assert self._job is not None
            if self._job.done():
                self._job.result()
                return []
            await self._arrived.wait()

    def consumed(self, size: int) -> None:
        """Note that the client has an item."""
        with self._changing:
            self._ahead -= size
        self._go_on()

    def _go_on(self) -> None:
        """Have a worker produce more, unless one does, or there is enough."""
        if self._job is not None:
            if not self._job.done() or self._job.cancelled() or self._job.exception():
                return
            if self._is_exhausted or self._is_abandoned or self._ahead > self._max_bytes // 2:
                return
        self._job = asyncio.ensure_future(self._execution.run(self._produce))
        self._job.add_done_callback(lambda _: self._arrived.set())

    def abandon(self) -> None:
        """Have a worker stop: nobody wants more items."""
        with self._changing:
            self._is_abandoned = True

    async def end(self) -> None:
        """Close the iterator when no worker is in it any more."""
        self.abandon()
        if self._job is not None and not self._job.done():
            self._job.cancel()  # ends what the worker waits for on the loop, but not its job
            with suppress(asyncio.CancelledError):
                await self._job
        if self._iterator is not None and not self._is_at_its_end():
            with CancelScope(shield=True):
                await self._execution.run(self._close)

    def _is_at_its_end(self) -> bool:
        """Return whether there is nothing to close."""
        if self._is_exhausted and not hasattr(self._iterator, "close"):
            return True
        return getattr(self._iterator, "gi_frame", self) is None

    def _close(self) -> None:
        """In a worker: close the iterator, or let go of what is in one that cannot be closed."""
        iterator: Any = self._iterator
        self._iterator, self._iterable = None, ()
        if hasattr(iterator, "close"):
            iterator.close()
