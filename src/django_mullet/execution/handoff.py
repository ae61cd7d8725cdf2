"""A coroutine handed between the event loop and a worker thread.

A `WorkerCall` is a job for a worker that a coroutine on the event loop waits for. A coroutine that
is driven by a worker moves itself, by `await to_worker()` and `await to_loop()`; synchronous code
in the worker runs another such coroutine by `await_from_sync`.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from types import coroutine
from typing import Any, Generic, Protocol, TypeVar, cast

from django_mullet.execution.handoff_state import FINISHED, SUSPENDED, WITHDRAWN, Handoff
from django_mullet.execution.worker_lease import Lease

__all__ = [
    "WORKER",
    "LoopCall",
    "Runner",
    "WorkerCall",
    "await_from_sync",
    "current_call",
    "drive",
    "in_worker",
    "set_current_call",
    "to_loop",
    "to_worker",
]

T = TypeVar("T")


class Runner(Protocol):
    """What runs worker calls: an execution."""

    lease: Lease

    def enter(self, *, takes_orm: bool = False) -> Callable[[], None]:
        """On the loop: become the calling task's execution, of its async ORM too if it `takes_orm`.

        Return what undoes that.
        """
        ...

    def do(
        self,
        function: Callable[[], Any],
        deliver: Callable[[Any, BaseException | None], object],
    ) -> None:
        """Give `deliver` what `function` returns or raises."""

    def within_lifecycle(self, function: Callable[[], T]) -> T:
        """Return what `function` returns, within Django's request."""
        ...

    def wait_for(self, loop_call: "LoopCall[T]", call: "WorkerCall[Any]") -> T:
        """Return what `loop_call` comes to, while the worker waits in the middle of `call`."""
        ...


class _Thread(threading.local):
    driving = False
    call: "WorkerCall[Any] | None" = None


_thread = _Thread()
WORKER, _LOOP = object(), object()


def in_worker() -> bool:
    """Return whether the calling coroutine is being driven by a worker thread."""
    return _thread.driving


async def to_worker() -> None:
    """Continue in the worker of this execution."""
    if not in_worker():
        await _switch(WORKER)


async def to_loop() -> None:
    """Continue on the event loop."""
    if in_worker():
        await _switch(_LOOP)


@coroutine
def _switch(to: object) -> Generator[object, None, None]:
    yield to


def current_call() -> "WorkerCall[Any] | None":
    """Return the worker call that the calling thread is running, if any."""
    return _thread.call


def set_current_call(call: "WorkerCall[Any] | None") -> None:
    """Have `await_from_sync` suspend `call` in this worker, or refuse to wait if it is `None`."""
    _thread.call = call


def await_from_sync(coro: Coroutine[Any, Any, T]) -> T:
    """Return what `coro` returns to synchronous code that an execution runs in a worker.

    `coro` may move to the event loop. It runs there in the task of the request, while the
    worker waits, and meanwhile does other jobs of the request.
    """
    call = _thread.call
    if call is None:
        coro.close()
        raise RuntimeError(
            "Only code that a request runs in its worker can wait for the request's event loop."
        )
    loop_call = LoopCall(coro)
    was_driving = _thread.driving
    try:
        finished, value = drive(loop_call.running)
        return cast("T", value) if finished else call.execution.wait_for(loop_call, call)
    finally:
        _thread.driving = was_driving


class LoopCall(Generic[T]):
    """A coroutine that synchronous code waits for, and its outcome."""

    __slots__ = ("context", "error", "result", "running")

    def __init__(self, coro: Coroutine[Any, Any, T]) -> None:
        self.running = self._run(coro)
        self.context = Context()
        """The ContextVars as `coro` leaves them."""
        self.error: BaseException | None = None
        self.result: Any = None

    async def _run(self, coro: Coroutine[Any, Any, T]) -> T:
        try:
            return await coro
        finally:
            self.context = copy_context()

    def value(self) -> T:
        """Return what the coroutine returned or raise what it raised."""
        if self.error is None:
            return self.result  # type: ignore[no-any-return]
        try:
            raise self.error
        finally:
            self.error = None


class WorkerCall(Handoff, Generic[T]):
    """A job that a coroutine waits for: called in the worker, awaited on the loop."""

    __slots__ = (
        "_function",
        "_outcome",
        "execution",
        "is_cancelled",
        "loop_call",
        "refusal",
    )

    def __init__(self, execution: Runner, function: Callable[[], T]) -> None:
        super().__init__()
        self.execution = execution
        self._function = function
        self._outcome: tuple[Any, BaseException | None] = (None, None)
        self.loop_call: LoopCall[Any] | None = None
        """What the worker waits for in the middle of the job."""
        self.is_cancelled = False
        """The waiting task has been cancelled, and nothing that the worker runs knows it yet."""
        self.refusal: Exception | None = None
        """Why the job will not be done."""

    # In a worker

    def __call__(self) -> None:
        if not self.begin():
            self.execution.lease.finished()
        else:
            _thread.call, outer = self, _thread.call
            try:
                self.execution.do(self._function, self._finish)
            finally:
                _thread.call = outer

    def refuse(self, error: Exception) -> None:
        """Tell who awaits the job that no worker will do it."""
        if self._take_ticket():
            self.refusal = error
            self._outcome = (None, error)
            self.report(WITHDRAWN)

    def suspend(self, loop_call: LoopCall[Any]) -> None:
        """Tell who awaits the job what the job waits for."""
        self.loop_call = loop_call
        self.report(SUSPENDED)

    def _finish(self, result: Any, error: BaseException | None) -> None:
        self._outcome = (result, error)
        self.report(FINISHED)

    # On the event loop

    def resume(self) -> None:
        self.loop_call = None
        self.is_cancelled = False
        super().resume()

    async def settled(self, *, gives_up: bool = True) -> asyncio.CancelledError | None:
        """Wait until the job is done; return the cancellation of the waiting task, if any.

        A job that has not begun is given up then, unless `gives_up` is false.
        """
        try:
            await self._woken
        except asyncio.CancelledError as error:
            self.is_cancelled = True
            if not (gives_up and self.withdraw()):
                await self.arrival()
            return error
        return None

    def value(self) -> T:
        """Return what the job returned or raise what it raised."""
        result, error = self._outcome
        if error is None:
            return result  # type: ignore[no-any-return]
        try:
            raise error
        finally:
            del error, result
            self._outcome = (None, None)


def drive(coro: Coroutine[Any, Any, T]) -> tuple[bool, T | None]:
    """Run `coro` in a worker; return whether it returned (or asked for the loop), and its value."""
    _thread.driving = True
    try:
        wanted = coro.send(None)
    except StopIteration as stop:
        return True, stop.value
    finally:
        _thread.driving = False
    if wanted is _LOOP:
        return False, None
    coro.close()
    raise RuntimeError(
        "A coroutine waited for the event loop in a worker thread, where there is none."
    )
