"""Names of anyio beyond public API.

* `threadlocals`, in which `anyio.from_thread` finds the event loop, and
  `get_async_backend`, by which a worker calls a function there. Missing door: a token for a
  thread, rather than one for each call. `NoEventLoopError` is public since anyio 4.11.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

import anyio
from anyio._core._eventloop import get_async_backend, threadlocals

T = TypeVar("T")

__all__ = [
    "NoEventLoopError",
    "call_on_loop",
    "lead_from_thread",
]


NoEventLoopError: type[RuntimeError] = getattr(anyio, "NoEventLoopError", RuntimeError)
"""What `anyio.from_thread` raises where it finds no event loop."""


def lead_from_thread(backend: Any) -> None:
    """Have `anyio.from_thread` ask `backend` when it is called in this thread without a token."""
    threadlocals.current_token = SimpleNamespace(backend_class=backend, native_token=None)
    threadlocals.current_async_backend = backend  # before anyio 4.11


def call_on_loop(loop: AbstractEventLoop, function: Callable[..., T], args: tuple[Any, ...]) -> T:
    """Return what `function` returns on `loop`, of another thread, as anyio calls it there."""
    return get_async_backend("asyncio").run_sync_from_thread(function, args, loop)
