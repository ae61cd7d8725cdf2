"""The calls that a request makes, from its event loop, into its workers."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from functools import partial
from types import coroutine
from typing import Any, TypeVar, cast

from django_mullet._compat.asgiref import claim_context, move_context
from django_mullet.exceptions import Overloaded
from django_mullet.execution.handoff import WORKER, Runner, WorkerCall, drive
from django_mullet.execution.handoff_state import FINISHED
from django_mullet.execution.worker_lease import Lease

__all__ = ["WorkerCalls"]

T = TypeVar("T")


class WorkerCalls:
    """The calls of one `execution`, all of which run in one `contextvars.Context`."""

    __slots__ = ("_context", "_execution", "_lease")

    def __init__(self, execution: Runner, lease: Lease) -> None:
        self._execution = execution
        self._lease = lease
        self._context: Context | None = None

    async def run(self, function: Callable[[], T]) -> T:
        """Return what `function` returns in a worker; see `Execution.run`."""
        call = self._submitted(function)
        cancelled = await self._settled(call)
        self.bring_context()
        value = call.value()
        if cancelled is not None:
            raise cancelled
        return value

    @coroutine
    def run_coroutine(
        self, coro: Coroutine[Any, Any, T], cancelled: BaseException | None = None
    ) -> Generator[Any, Any, T]:
        """Return what `coro` returns, which may move to a worker and back.

        With `cancelled`, that is raised in it first.
        """
        step: Callable[[], Any] = partial(coro.send, None)
        if cancelled is not None:
            step = partial(coro.throw, cancelled)
        while True:
            try:
                wanted = step()
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]
            if wanted is not WORKER:
                try:
                    step = partial(coro.send, (yield wanted))
                except BaseException as error:
                    step = partial(coro.throw, error)
                continue
            try:
                call = self._submitted(partial(drive, coro))
            except Overloaded as busy:
                step = partial(coro.throw, busy)
                continue
            cancelled = yield from self._settled(call).__await__()
            problem = call.refusal if cancelled is None else cancelled
            step = partial(coro.send, None) if problem is None else partial(coro.throw, problem)
            if call.state is FINISHED:
                finished, value = call.value()
                if finished and cancelled is not None:
                    raise cancelled
                if finished:
                    return cast("T", value)
                self.bring_context()

    def bring_context(self) -> None:
        """Set the ContextVars of the calling task as they are in the worker.

        `run_coroutine` does so where its coroutine moves to the loop, but not in the end.
        """
        if self._context is not None:
            move_context(self._context)

    def last(self, function: Callable[[], T]) -> WorkerCall[T]:
        """Return a call to be submitted last, which sees the ContextVars, as caches hang on them.

        In a copy of the context: a task that outlives the request may be in it.
        """
        outside = copy_context()
        context = outside if self._context is None else self._context.copy()
        return WorkerCall(self._execution, partial(_in_context, context, outside, function))

    def _submitted(self, function: Callable[[], T]) -> WorkerCall[T]:
        """Submit `function`; in the worker it sees and sets this task's ContextVars."""
        outside = copy_context()
        if self._context is None:
            self._context = outside
        within: Callable[[], T] = partial(self._execution.within_lifecycle, function)
        call = WorkerCall(self._execution, partial(_in_context, self._context, outside, within))
        self._lease.submit(call)
        return call

    async def _settled(self, call: WorkerCall[Any]) -> asyncio.CancelledError | None:
        """Wait for `call`, and run for its worker what that comes to wait for."""
        cancelled = await call.settled()
        while (loop_call := call.loop_call) is not None:
            call.resume()
            self.bring_context()
            # The worker waits within this context, so that no other job can enter it.
            entered, self._context = self._context, None
            try:
                loop_call.result = await self.run_coroutine(loop_call.running, cancelled)
            except BaseException as error:
                loop_call.error = error
            self._context = entered
            self._lease.resume()
            cancelled = await call.settled()
        return cancelled


def _in_context(inside: Context, outside: Context, function: Callable[[], T]) -> T:
    if inside is outside:
        inside.run(claim_context, inside)
    else:
        inside.run(move_context, outside)
    return inside.run(function)
