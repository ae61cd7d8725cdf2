"""The Django lifecycle inside of which a request runs.

An `Execution` is one request, or WebSocket, seen from Django: whatever is synchronous in
it runs in worker threads, between `request_started` and `request_finished`, in one
`contextvars.Context`, one job after the other. From the first query on that is one worker, with
its connections, to the end of the request: what a session was told, or has locked, holds.

A coroutine driven by `Execution.run_coroutine` moves between the event loop and the worker
itself, as `handoff` tells.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from functools import partial
from types import coroutine
from typing import Any, Literal, TypeVar, cast

from django.conf import settings
from django.core.handlers.asgi import get_script_prefix as script_prefix_of
from django.db import InterfaceError, OperationalError
from django.urls import get_script_prefix, set_script_prefix

from django_mullet._compat.asgiref import claim_context, move_context
from django_mullet.callables import request_name
from django_mullet.exceptions import Overloaded
from django_mullet.execution import (
    anyio_bridge,
    borrowed_connections,
    connection_slots,
    connections,
    outcomes,
    request_signals,
)
from django_mullet.execution.connection_share import ShareMember
from django_mullet.execution.handoff import WORKER, LoopCall, WorkerCall, drive, set_current_call
from django_mullet.execution.handoff_state import FINISHED
from django_mullet.execution.orm_calls import take_orm
from django_mullet.execution.outcomes import Outcome
from django_mullet.execution.query_log import QueryLog
from django_mullet.execution.worker_lease import Habits, Lease, LeasedJob
from django_mullet.execution.workers import pool

__all__ = ["Execution", "Habits", "current_execution"]

T = TypeVar("T")

logger = logging.getLogger("django.request")

Unit = Literal["request", "call"]
"""What has a connection to itself."""

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

    With `unit` "call" each call is a unit of its own, as far as it leaves no transaction open: it
    may have another connection than the one before, and none of what the session was told then.
    `lasts` says that it ends when the client wants; see `lasting`.

    Make it on the event loop that serves the request, and await `aclose()` in the end. One `run`
    or `run_coroutine` at a time; calls of the async ORM wait for each other.
    """

    log: QueryLog | None = None
    """Notes the queries of this execution, if somebody has set one."""
    connection_lost = False
    """Whether a job failed because its database was not there."""
    keeps_session = True
    """Whether others may have its sessions: not before middleware, or a body, can reset them."""
    _before_checkout: Callable[[], None] | None = None
    _place: ShareMember | None = None  # in the share of what lasts
    _context: Context | None = None
    _holds = 0
    _uses_connection = False
    _started = False
    _closed = False
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
        self._habits = habits or Habits()
        self._unit = unit
        self._lease = Lease(pool, self._habits, self._look_again)
        self._shared = borrowed_connections.held_by_test()
        if lasts:
            self.become_lasting()

    # On the event loop

    def enter(self, *, takes_orm: bool = False) -> Callable[[], None]:
        """Make this the current execution of the calling task; return what undoes it.

        `reverse()` then knows the prefix below which the application is served. With
        `takes_orm`, the async ORM and whatever else is thread-sensitive for asgiref runs here.
        """
        token = current_execution.set(self)
        undo = take_orm() if takes_orm else None
        prefix = None
        if self.scope.get("root_path") or settings.FORCE_SCRIPT_NAME:
            prefix = get_script_prefix()
            set_script_prefix(script_prefix_of(self.scope))

        def leave() -> None:
            if prefix is not None:
                set_script_prefix(prefix)
            if undo is not None:
                undo()
            current_execution.reset(token)

        return leave

    async def run(self, function: Callable[[], T]) -> T:
        """Return what `function` returns in a worker; ContextVars flow in and out.

        A cancelled caller does not leave before a job that has begun is done, and hears of its
        error.
        """
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
        """Return what `coro` returns; it may move by `to_worker()` and `to_loop()`.

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

    async def _settled(self, call: "WorkerCall[Any]") -> asyncio.CancelledError | None:
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

    def bring_context(self) -> None:
        """Set the ContextVars of the calling task as they are in the worker.

        `run_coroutine` does so where its coroutine moves to the loop, but not in the end.
        """
        if self._context is not None:
            move_context(self._context)

    def add_stream(self, stop: Callable[[], None]) -> None:
        """Have `stop` called when nobody wants more of what a worker produces."""
        self._streams += (stop,)

    def stop_streams(self) -> None:
        """Tell workers that produce for this execution that nobody wants more."""
        for stop in self._streams:
            stop()

    def become_lasting(self, *, in_any_case: bool = False) -> None:
        """Note that this ends when the client wants, from now on.

        Raise `Overloaded` if it holds a connection, and others that last hold as many as may be
        held; not `in_any_case`, nor if it has stored something, which such an answer would deny. A
        connection that it asks for later is refused then.
        """
        if self._unit == "call":
            return
        place = self._place = self._place or ShareMember()
        counts_only = in_any_case or self.outcome.has_committed
        take = self._before_checkout = partial(place.take, in_any_case=counts_only)
        if not self._uses_connection:
            return
        try:
            take()
        except Overloaded:
            self.keeps_session = False
            raise

    async def aclose(self, *, waits: bool = False) -> asyncio.CancelledError | None:
        """Send `request_finished`, if there is anything to finish, and free the worker.

        A task that outlives the request may go on using the execution: each of its calls
        is then a unit of its own, in any worker. One that is in a transaction keeps the worker;
        and nobody `waits` for a call that has begun. Returns the cancellation of the waiting task,
        if any: it is late for the request, which is answered, but not for what comes before one.
        """
        self._closed = True
        self.stop_streams()
        goes_on = self._lease.is_busy
        if self._started or goes_on:
            finishing = WorkerCall(self, self._finishing())
            self._lease.submit(finishing, in_any_case=True)
            if waits or not goes_on:
                return await finishing.settled(gives_up=False)
        return None

    @property
    def has_worker(self) -> bool:
        """Whether the next job belongs in the worker of the last, as noted after that."""
        return self._lease.is_needed

    @property
    def refusal(self) -> Exception | None:
        """Why it has got no connection, if it lasts."""
        return None if self._place is None else self._place.refusal

    @property
    def is_started(self) -> bool:
        """Whether `request_started` has been sent, and `request_finished` has not."""
        return self._started

    @property
    def is_queued(self) -> bool:
        """Whether a call waits for a worker to begin with it."""
        return self._lease.is_queued

    @property
    def is_busy(self) -> bool:
        """Whether a worker has not done all that it was called for."""
        return self._lease.is_busy

    def submit(self, job: LeasedJob) -> None:
        """Have `job` run after those before it; raise `Overloaded` if there is no worker for it."""
        self._lease.submit(job)

    def _finishing(self) -> Callable[[], None]:
        """Return what finishes with the ContextVars that there are, as caches hang on them.

        In a copy of the context: a task that outlives the request may be in it.
        """
        outside = copy_context()
        context = outside if self._context is None else self._context.copy()
        return partial(_in_context, context, outside, self.finish)

    def _submitted(self, function: Callable[[], T]) -> "WorkerCall[T]":
        """Submit `function`; in the worker it sees and sets this task's ContextVars."""
        outside = copy_context()
        if self._context is None:
            self._context = outside
        within: Callable[[], T] = partial(self.within_lifecycle, function)
        call = WorkerCall(self, partial(_in_context, self._context, outside, within))
        self.submit(call)
        return call

    # In a worker

    def wait_for(self, loop_call: "LoopCall[T]", call: "WorkerCall[Any]") -> T:
        """Return what a coroutine that moves to the event loop returns; see `await_from_sync`."""
        if self._shared is not None:
            self._shared.__exit__()
        set_current_call(None)
        is_used = connections.in_use()  # then what others do meanwhile is in the middle of that
        if is_used:
            self.hold()
        call.suspend(loop_call)
        self._lease.wait()
        if is_used:
            self.release()
        set_current_call(call)
        if self._shared is not None:
            self._shared.__enter__()
        move_context(loop_call.context)
        return loop_call.value()

    def do(
        self,
        function: Callable[[], T],
        deliver: Callable[[Any, BaseException | None], object],
    ) -> None:
        """Give `deliver` what `function` returns or raises, with connections to use."""
        result: Any = None
        error: BaseException | None = None
        try:
            result = self._call(function if self.log is None else partial(self.log.run, function))
        except BaseException as raised:
            error = raised
        self._note_use()
        self._lease.finished()
        deliver(result, error)

    def skip(self) -> None:
        """Do nothing, in place of a job that was given up."""
        self._lease.finished()

    def hold(self) -> None:
        """Keep this worker, in which something has begun that ends here, until `release()`.

        May be called again before that, and then needs as many releases.
        """
        self._holds += 1

    def release(self) -> None:
        """Undo one `hold()`."""
        self._holds -= 1

    def within_lifecycle(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; the first time, begin Django's request before."""
        if not (self._started or self._closed):
            self._started = True
            self._begin()
            self.start()
            connections.expect_no_loss()
        elif self._closed and not connections.in_use():
            self._begin()  # the worker may have been another's meanwhile
        return function()

    def _begin(self) -> None:
        if self._shared is None:
            connections.begin()

    def start(self) -> None:
        """Begin Django's request: what `request_started` is for."""
        request_signals.begin(type(self), self.scope)

    def end(self) -> None:
        """End Django's request: what `request_finished` is for."""
        request_signals.end(type(self))

    def finish(self) -> None:
        """End Django's request, and leave nothing of it behind in the worker."""
        was_started, self._started = self._started, False
        set_current_call(
            None
        )  # nobody runs on the loop what a receiver of the signal might wait for
        if not self.keeps_session:
            connections.forget_sessions()  # before the signal, by which Django closes connections
        if was_started:
            request_signals.log_errors(self.end)
        self.give_up_connections()

    def give_up_connections(self) -> None:
        """Let others have the connections, and the worker: what follows is no part of the request.

        Not those of a task that goes on with its transaction.
        """
        self._closed = True
        if not self._habits.queries and connections.in_use():
            self._habits.queries = True
        if not self._holds:
            self._close_abandoned()
        if not self.keeps_session:
            connections.close_used()
        connections.checkin()

    def _close_abandoned(self) -> None:
        abandoned = connections.close_abandoned()
        self.abandoned += abandoned
        if abandoned:
            logger.error(
                "Transaction left open, and rolled back, on %s: %s",
                ", ".join(abandoned),
                request_name(self.scope),
            )

    def _is_of_calls(self) -> bool:
        """Return whether each call is a unit of its own."""
        return self._closed or self._unit == "call"

    def _look_again(self) -> None:
        """Give back what has been forgotten: what a task has begun to read, and does not end."""
        if self._is_of_calls() and not self._holds:
            connections.give_back(clean=self._unit == "call")
            self._note_use()

    def _note_use(self) -> None:
        """Note, before anybody is told of the end of a job, what it has left in its worker."""
        shared = self._shared
        is_used = connections.in_use() or (shared is not None and shared.in_transaction)
        has_state = connections.keep_state() and not self._is_of_calls()
        self._uses_connection = is_used
        self._lease.is_needed = is_used or has_state or self._holds > 0
        if self._place is not None and not is_used:
            self._place.leave()

    def _call(self, function: Callable[[], T]) -> T:
        is_unit = self._is_of_calls()  # not so what ends the request
        connections.prepare(self._before_checkout)
        try:
            if self._shared is not None:
                with self._shared:
                    return function()
            return function()
        except (OperationalError, InterfaceError):
            self.connection_lost = self.connection_lost or connections.lost_connection()
            raise
        finally:
            if is_unit and not self._holds:
                connections.give_back(clean=self._unit == "call")


def _in_context(inside: Context, outside: Context, function: Callable[[], T]) -> T:
    if inside is outside:
        inside.run(claim_context, inside)
    else:
        inside.run(move_context, outside)
    return inside.run(function)
