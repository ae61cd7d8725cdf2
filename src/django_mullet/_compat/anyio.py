"""Names of anyio beyond public API: how a thread finds its event loop."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

import anyio

from django_mullet._compat.names import Name, found, require

T = TypeVar("T")

__all__ = [
    "RELIED_ON",
    "NoEventLoopError",
    "call_on_loop",
    "lead_from_thread",
]

RELIED_ON = (
    Name(
        "anyio._core._eventloop.threadlocals",
        "`anyio.from_thread` finds the event loop there, in a worker too.",
        "a token for a thread, rather than one for each call",
    ),
    Name(
        "anyio._core._eventloop.get_async_backend",
        "A worker calls a function on the event loop by it.",
        "a token for a thread, rather than one for each call",
    ),
    Name(
        "anyio._backends._asyncio.AsyncIOBackend.run_sync_from_thread",
        "A worker calls a function on the event loop by it.",
        "a token for a thread, rather than one for each call",
    ),
)

require(RELIED_ON)

_threadlocals = found("anyio._core._eventloop.threadlocals")
_get_async_backend = found("anyio._core._eventloop.get_async_backend")

NoEventLoopError: type[RuntimeError] = getattr(anyio, "NoEventLoopError", RuntimeError)
"""What `anyio.from_thread` raises where it finds no event loop."""


def lead_from_thread(backend: Any) -> None:
    """Have `anyio.from_thread` ask `backend` when it is called in this thread without a token."""
    _threadlocals.current_token = SimpleNamespace(backend_class=backend, native_token=None)
    _threadlocals.current_async_backend = backend  # before anyio 4.11


def call_on_loop(loop: AbstractEventLoop, function: Callable[..., T], args: tuple[Any, ...]) -> T:
    """Return what `function` returns on `loop`, of another thread, as anyio calls it there."""
    result: T = _get_async_backend("asyncio").run_sync_from_thread(function, args, loop)
    return result
