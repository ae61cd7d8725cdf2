"""Calls of Django's async ORM, sent to the request's worker.

They run in the current execution, as its synchronous code does; and so does everything else that
asgiref treats as thread-sensitive.
"""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, TypeVar, cast

from django_mullet._compat.asgiref import ThreadSensitiveExecutor, runs_orm, send_orm_to
from django_mullet.execution.handoff import Runner
from django_mullet.execution.outcomes import current_execution

__all__ = ["OrmCall", "runs_here", "take_orm"]

T = TypeVar("T")


class OrmCall:
    """A job: a call of the async ORM, or another that is thread-sensitive."""

    def __init__(self, execution: Runner, call: Callable[[], Any]) -> None:
        self._execution = execution
        self._call = call
        self.future: Future[Any] = Future()

    def __call__(self) -> None:
        execution = self._execution
        if not self.future.set_running_or_notify_cancel():
            execution.lease.finished()
        else:
            execution.do(partial(execution.within_lifecycle, self._call), self._deliver)

    def refuse(self, error: Exception) -> None:
        """Raise `error` from the call, which is not made."""
        if self.future.set_running_or_notify_cancel():
            self._deliver(None, error)

    def _deliver(self, result: Any, error: BaseException | None) -> None:
        if error is None:
            self.future.set_result(result)
        else:
            self.future.set_exception(error)


class _WorkerExecutor(ThreadSensitiveExecutor):
    """Runs Django's async ORM, and other thread-sensitive calls, in the current execution."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Return the future of `fn(*args, **kwargs)` in a worker; raise `Overloaded`."""
        execution = cast("Runner", current_execution.get())
        call = OrmCall(execution, partial(fn, *args, **kwargs))
        execution.lease.submit(call)
        return call.future


_worker_executor = _WorkerExecutor()


def take_orm() -> Callable[[], None]:
    """Have the async ORM of the calling task run in its current execution; return what undoes it.

    The same holds for whatever else is thread-sensitive for asgiref.
    """
    return send_orm_to(_worker_executor)


def runs_here() -> bool:
    """Return whether the async ORM runs in the current execution of the calling task."""
    return runs_orm(_worker_executor)
