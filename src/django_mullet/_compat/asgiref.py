"""Names of asgiref beyond public API: how Locals move with a context, and where the ORM runs."""

from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context
from functools import partial

from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext

from django_mullet._compat.names import Name, found, require

__all__ = [
    "RELIED_ON",
    "ThreadSensitiveExecutor",
    "claim_context",
    "move_context",
    "runs_orm",
    "send_orm_to",
]

_MOVE = "`asgiref.Local` data, the active language say, moves with ContextVars between threads."
_MOVE_DOOR = "a function that does this without the thread hop of `sync_to_async`"
_CONTEXT = (
    "`ThreadSensitiveContext` sets and unsets it at a cost that an `async def` request would feel."
)

RELIED_ON = (
    *(
        Name(f"asgiref.{path}", _MOVE, _MOVE_DOOR)
        for path in ("local._Storage", "local._rehome", "sync._restore_context")
    ),
    *(
        Name(f"asgiref.sync.SyncToAsync.{attribute}", _CONTEXT, "one context for many requests")
        for attribute in ("context_to_thread_executor", "thread_sensitive_context")
    ),
    Name(
        "asgiref.sync.AsyncToSync.executors",
        "Below `async_to_sync()` its executor would go first.",
        "a way to ask where thread-sensitive calls run",
    ),
)

require(RELIED_ON)

_Storage = found("asgiref.local._Storage")
_rehome = found("asgiref.local._rehome")
_restore_context = found("asgiref.sync._restore_context")


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
