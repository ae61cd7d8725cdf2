"""The Django lifecycle inside of which a request runs.

An `Execution` is one request, or WebSocket, as Django sees it: what is synchronous in it runs in
worker threads, between `request_started` and `request_finished`, in one `contextvars.Context`, one
job after the other. Its `WorkerCalls` hand over what the event loop wants done there, and its
`RequestConnections` keep one worker for it from the first query on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar, cast

from django.conf import settings
from django.core.handlers.asgi import get_script_prefix as script_prefix_of
from django.urls import get_script_prefix, set_script_prefix

from django_mullet._compat.asgiref import move_context
from django_mullet.callables import request_name
from django_mullet.exceptions import Overloaded
from django_mullet.execution import (
    anyio_bridge,
    connection_slots,
    connections,
    outcomes,
    request_signals,
)
from django_mullet.execution.handoff import LoopCall, WorkerCall, set_current_call
from django_mullet.execution.orm_calls import take_orm
from django_mullet.execution.outcomes import Outcome
from django_mullet.execution.query_log import QueryLog
from django_mullet.execution.request_connections import RequestConnections, Unit
from django_mullet.execution.worker_calls import WorkerCalls
from django_mullet.execution.worker_lease import Habits, Lease
from django_mullet.execution.workers import pool

__all__ = ["Execution", "Habits", "Unit", "current_execution"]

T = TypeVar("T")

logger = logging.getLogger("django.request")

current_execution = cast("ContextVar[Execution]", outcomes.current_execution)
"""The execution that the running code belongs to; unset outside a request."""


def _enter_worker() -> None:
    connections.install_worker_connections()
    anyio_bridge.install_anyio_bridge()


pool.enter = _enter_worker
pool.leave = connections.close_all
pool.starved = connection_slots.starved


class Execution:
    """One request or WebSocket, for which synchronous code runs in Django workers.

    With `unit` "call" each call that leaves no transaction open is a unit of its own: the next may
    use another connection, and finds nothing that an earlier call told the session. `lasts` says
    that it ends when the client wants; see `become_lasting`.

    Create it on the event loop that serves the request, and await `aclose()` in the end. One `run`
    or `run_coroutine` at a time; calls of the async ORM wait for each other.
    """

    log: QueryLog | None = None
    """Notes the queries of this execution, if somebody has set one."""
    keeps_session = True
    """Whether others may reuse its sessions: not until middleware, or a body, could reset them."""
    is_started = False
    """Whether `request_started` has been sent, and `request_finished` has not."""
    _streams: tuple[Callable[[], None], ...] = ()

    def __init__(
        self,
        scope: Any,
        *,
        habits: Habits | None = None,
        unit: Unit = "request",
        lasts: bool = False,
    ) -> None:
        self.scope = scope
        self.outcome = Outcome()
        self.abandoned: list[str] = []
        """The databases on which the request has left a transaction open, when it is finished."""
        self.lease = Lease(pool, habits)
        self.connections = RequestConnections(self.lease, unit)
        self._calls = WorkerCalls(self, self.lease)
        if lasts:
            self.become_lasting()

    # On the event loop

    def enter(self, *, takes_orm: bool = False) -> Callable[[], None]:
        """Make this the current execution of the calling task; return what undoes it.

        `reverse()` then knows the prefix below which the application is served. With
        `takes_orm`, the async ORM and whatever else is thread-sensitive for asgiref runs here.
        """
        token = current_execution.set(self)
        give_orm_back = take_orm() if takes_orm else None
        outer_prefix = _set_prefix_of(self.scope)

        def leave() -> None:
            if outer_prefix is not None:
                set_script_prefix(outer_prefix)
            if give_orm_back is not None:
                give_orm_back()
            current_execution.reset(token)

        return leave

    def run(self, function: Callable[[], T]) -> Coroutine[Any, Any, T]:
        """Return what `function` returns in a worker; ContextVars flow in and out.

        A cancelled caller waits for a job that has begun, and gets its error, if it raises one.
        """
        return self._calls.run(function)

    def run_coroutine(self, coro: Coroutine[Any, Any, T]) -> Awaitable[T]:
        """Return what `coro` returns; it may move by `to_worker()` and `to_loop()`."""
        return self._calls.run_coroutine(coro)

    def bring_context(self) -> None:
        """Set the ContextVars of the calling task as they are in the worker."""
        self._calls.bring_context()

    def add_stream(self, stop: Callable[[], None]) -> None:
        """Have `stop` called when a worker is to produce no more: nobody wants it."""
        self._streams += (stop,)

    def become_lasting(self, *, in_any_case: bool = False) -> None:
        """Note that this ends when the client wants, from now on.

        Raise `Overloaded` if it holds a connection and the share of those that last is used up;
        but not `in_any_case`, nor if it has stored something, which such an answer would deny. If
        it holds none, it is refused when it asks for one.
        """
        try:
            self.connections.become_lasting(in_any_case=in_any_case or self.outcome.has_committed)
        except Overloaded:
            self.keeps_session = False
            raise

    async def aclose(self, *, waits: bool = False) -> asyncio.CancelledError | None:
        """Send `request_finished`, if there is anything to finish, and free the worker.

        A task that outlives the request may go on using the execution: each of its calls
        is then a unit of its own, in any worker. One that is in a transaction keeps the worker;
        only with `waits` is a call that has begun waited for. Return the cancellation of the
        waiting task, if any: too late for a request that is answered, not for what precedes one.
        """
        self.connections.has_ended = True
        for stop in self._streams:
            stop()
        goes_on = self.lease.is_busy
        if self.is_started or goes_on:
            finishing = self._calls.last(self.finish)
            self.lease.submit(finishing, in_any_case=True)
            if waits or not goes_on:
                return await finishing.settled(gives_up=False)
        return None

    @property
    def has_worker(self) -> bool:
        """Whether the next job belongs in the worker of the last."""
        return bool(self.lease.reasons)

    @property
    def connection_lost(self) -> bool:
        """Whether a job failed because its database was not there."""
        return self.connections.was_lost

    @property
    def refusal(self) -> Exception | None:
        """Why it got no connection, if it lasts and the share was used up."""
        return self.connections.refusal

    @property
    def is_queued(self) -> bool:
        """Whether a call waits for a worker to begin with it."""
        return self.lease.is_queued

    @property
    def is_busy(self) -> bool:
        """Whether some call is not done."""
        return self.lease.is_busy

    # In a worker

    def wait_for(self, loop_call: "LoopCall[T]", call: "WorkerCall[Any]") -> T:
        """Return what a coroutine that moves to the event loop returns; see `await_from_sync`."""
        set_current_call(None)
        with self.connections.lent():
            call.suspend(loop_call)
            self.lease.wait()
        set_current_call(call)
        move_context(loop_call.context)
        return loop_call.value()

    def do(
        self, function: Callable[[], T], deliver: Callable[[Any, BaseException | None], object]
    ) -> None:
        """Give `deliver` what `function` returns or raises, with connections to use."""
        result: Any = None
        error: BaseException | None = None
        run = function if self.log is None else partial(self.log.run, function)
        try:
            result = self.connections.use(run)
        except BaseException as raised:
            error = raised
        self.connections.note_use()
        self.lease.finished()
        deliver(result, error)

    def within_lifecycle(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; before the first, begin Django's request."""
        has_ended = self.connections.has_ended
        if not (self.is_started or has_ended):
            self.is_started = True
            self.connections.begin()
            self.start()
            connections.expect_no_loss()
        elif has_ended and not connections.in_use():
            self.connections.begin()  # the worker may have been another's meanwhile
        return function()

    def start(self) -> None:
        """Begin Django's request: what `request_started` is for."""
        request_signals.begin(type(self), self.scope)

    def end(self) -> None:
        """End Django's request: what `request_finished` is for."""
        request_signals.end(type(self))

    def finish(self) -> None:
        """End Django's request, and leave nothing of it behind in the worker."""
        was_started, self.is_started = self.is_started, False
        set_current_call(None)  # nobody runs on the loop what a receiver of the signal waits for
        if not self.keeps_session:
            connections.forget_sessions()  # before the signal, by which Django closes connections
        if was_started:
            request_signals.log_errors(self.end)
        self.give_up_connections()

    def give_up_connections(self) -> None:
        """Let others have the connections and the worker, unless a task is in a transaction."""
        if abandoned := self.connections.end():
            self.abandoned += abandoned
            what, where = ", ".join(abandoned), request_name(self.scope)
            logger.error("Transaction left open, and rolled back, on %s: %s", what, where)
        self.connections.give_up(keeps_session=self.keeps_session)


def _set_prefix_of(scope: Any) -> str | None:
    """Have `reverse()` know the prefix of `scope`, if it has one; return the one before."""
    if not (scope.get("root_path") or settings.FORCE_SCRIPT_NAME):
        return None
    outer = get_script_prefix()
    set_script_prefix(script_prefix_of(scope))
    return outer
