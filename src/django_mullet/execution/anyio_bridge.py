"""`anyio.from_thread` for worker threads.

FastAPI runs synchronous code in anyio's own threads, each of which knows its event loop. A worker
serves requests of any loop, so anyio is pointed to the request that the calling code belongs to.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent import futures
from typing import Any, TypeVar

from django_mullet._compat.anyio import NoEventLoopError, call_on_loop, lead_from_thread
from django_mullet.execution.handoff import WorkerCall, await_from_sync, current_call, to_loop

__all__ = ["install_anyio_bridge"]

T = TypeVar("T")


def install_anyio_bridge() -> None:
    """Have `anyio.from_thread` work in the calling thread, a worker."""
    lead_from_thread(_RequestLoop)


class _RequestLoop:
    """What anyio takes for the backend of an event loop: that of the caller's request."""

    @staticmethod
    def run_async_from_thread(
        function: Callable[..., Awaitable[T]], args: tuple[Any, ...], token: object
    ) -> T:
        """Return what `function` returns in the task of the request, which may be cancelled."""
        return await_from_sync(_on_loop(_call(), function, args))

    @staticmethod
    def run_sync_from_thread(function: Callable[..., T], args: tuple[Any, ...], token: object) -> T:
        """Return what `function` returns on the event loop, even if the request is cancelled."""
        return call_on_loop(_call().loop, function, args)

    @staticmethod
    def check_cancelled() -> None:
        """Raise `CancelledError` if the request has been cancelled and its code not told."""
        if _call().is_cancelled:
            raise asyncio.CancelledError("The request has been cancelled.")


def _call() -> WorkerCall[Any]:
    call = current_call()
    if call is None:
        raise NoEventLoopError(
            "'anyio.from_thread' finds no event loop inside 'sync_to_async()', or after the "
            "request has finished: pass it a 'token'."
        )
    return call


async def _on_loop(
    call: WorkerCall[Any], function: Callable[..., Awaitable[T]], args: tuple[Any, ...]
) -> T:
    await to_loop()
    leave = call.execution.enter(takes_orm=True)
    try:
        return await function(*args)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # What was cancelled is something that the request awaited; anyio raises the same.
        raise futures.CancelledError(str(error)) from error
    finally:
        leave()
