"""Names of asgiref beyond public API.

* `_restore_context` moves `asgiref.Local` data (the active language, time zone,
  script prefix) with the ContextVars from one thread to another, and `_rehome` alone the
  `_Storage` of a Local. Missing door: a public function that does this, without the thread hop of
  `sync_to_async`.
* the ContextVar `SyncToAsync.thread_sensitive_context` and the mapping
  `SyncToAsync.context_to_thread_executor`, which `ThreadSensitiveContext` sets and unsets at a
  cost that an `async def` request would feel. Missing door: one context for many requests.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from functools import partial

from asgiref.local import _rehome, _Storage
from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext, _restore_context

__all__ = [
    "ThreadSensitiveExecutor",
    "claim_context",
    "move_context",
    "runs_orm",
    "send_orm_to",
]


class ThreadSensitiveExecutor(Executor):
    """An executor for thread-sensitive calls that serves many tasks, at the same time."""

    def __init__(self) -> None:
        self.context = ThreadSensitiveContext(executor=self)
        SyncToAsync.context_to_thread_executor[self.context] = self


def move_context(context: Context) -> None:
    """Set every ContextVar as it is in `context`, and make asgiref's Locals this thread's."""
    _restore_context(context)


def claim_context(context: Context) -> None:
    """Make asgiref's Locals in `context`, the current one, this thread's."""
    for variable, value in context.items():
        if isinstance(value, _Storage):
            variable.set(_rehome(value))


def send_orm_to(executor: ThreadSensitiveExecutor) -> Callable[[], None]:
    """Have the thread-sensitive calls of this task run in `executor`; return what undoes it."""
    token = SyncToAsync.thread_sensitive_context.set(executor.context)
    outer = getattr(AsyncToSync.executors, "current", None)
    if outer is None:
        return partial(SyncToAsync.thread_sensitive_context.reset, token)
    # Below `async_to_sync()`, whose own executor would go first.
    AsyncToSync.executors.current = None

    def undo() -> None:
        AsyncToSync.executors.current = outer
        SyncToAsync.thread_sensitive_context.reset(token)

    return undo


def runs_orm(executor: ThreadSensitiveExecutor) -> bool:
    """Return whether the thread-sensitive calls of this task run in `executor`."""
    if getattr(AsyncToSync.executors, "current", None) is not None:
        return False
    return SyncToAsync.thread_sensitive_context.get(None) is executor.context
