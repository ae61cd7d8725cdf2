"""Inside which Django lifecycle does a request run?

An `Execution` is one request, or WebSocket, seen from Django: whatever is synchronous in
it runs in worker threads, between `request_started` and `request_finished`, in one
`contextvars.Context`, and in a single worker where that matters: when the execution is
pinned, and while a connection is in use, that is, in a transaction or in `QuerySet.iterator()`.

A coroutine driven by `Execution.run_coroutine` moves between the event loop and the worker
itself, as `hops` tells.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from functools import partial
from types import coroutine
from typing import Any, TypeVar, cast

from django.conf import settings
from django.core.handlers.asgi import get_script_prefix as script_prefix_of
from django.db import InterfaceError, OperationalError
from django.urls import get_script_prefix, set_script_prefix

from django_mullet import databases, from_thread, lifecycle, sharing
from django_mullet._compat import ThreadSensitiveExecutor, move_context, runs_orm, send_orm_to
from django_mullet.callables import request_name
from django_mullet.concurrency import Job, Lease, pool
from django_mullet.exceptions import Overloaded
from django_mullet.hops import WORKER, Below, Hop, drive, set_hop
from django_mullet.outcomes import Outcome, current_outcome
from django_mullet.queries import QueryLog

__all__ = ["Execution", "current_execution", "execution_of_orm"]

T = TypeVar("T")

logger = logging.getLogger("django.request")

current_execution: ContextVar["Execution"] = ContextVar("mullet_execution")
"""The execution that the running code belongs to; unset outside a request."""


def _enter_worker() -> None:
    databases.install()
    from_thread.install()


pool.enter = _enter_worker
pool.leave = databases.close_all


class Execution:
    """One request or WebSocket, for which synchronous code runs in Django workers.

    `pinned` keeps one worker for the whole execution. Make it on the event loop that
    serves the request, and await `aclose()` in the end. Not for concurrent use: one
    `run` or `run_coroutine` at a time.
    """

    def __init__(self, scope: Any, *, pinned: bool = False) -> None:
        self.scope = scope
        self.pinned = pinned
        self.log: QueryLog | None = None
        """Notes the queries of this execution, if somebody has set one."""
        self.connection_lost = False
        """Whether a job failed because its database was not there."""
        self.outcome = Outcome()
        self.abandoned: list[str] = []
        """The databases on which the request has left a transaction open, when it is finished."""
        self._loop = asyncio.get_running_loop()
        self._context: Context | None = None
        self._lease: Lease | None = None
        self._holds = 0
        self._is_in_use = False  # a connection that a job left so in the leased worker
        self._shared = sharing.held_by_test()
        self._started = False
        self._closed = False
        self._waiting = 0
        self._keeping = 0  # of those that wait: how many do not lend their connections
        self._streams: tuple[Callable[[], None], ...] = ()

    # On the event loop

    def enter(self, *, takes_orm: bool = False) -> Callable[[], None]:
        """Make this the current execution of the calling task; return what undoes it.

        `reverse()` then knows the prefix below which the application is served. With
        `takes_orm`, the async ORM and whatever else is thread-sensitive for asgiref runs here.
        """
        token, outcome = current_execution.set(self), current_outcome.set(self.outcome)
        undo = send_orm_to(_worker_executor) if takes_orm else None
        prefix = None
        if self.scope.get("root_path") or settings.FORCE_SCRIPT_NAME:
            prefix = get_script_prefix()
            set_script_prefix(script_prefix_of(self.scope))

        def leave() -> None:
            if prefix is not None:
                set_script_prefix(prefix)
            if undo is not None:
                undo()
            current_outcome.reset(outcome)
            current_execution.reset(token)

        return leave

    async def run(self, function: Callable[[], T]) -> T:
        """Return what `function` returns in a worker; ContextVars flow in and out.

        A cancelled caller does not leave before a job that has begun is done, and hears of its
        error.
        """
        hop = self._hop(function)
        cancelled = await self._settled(hop)
        self.bring_context()
        self.let_go()
        value = hop.value()
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
                hop = self._hop(partial(drive, coro))
            except Overloaded as error:
                step = partial(coro.throw, error)
                continue
            cancelled = yield from self._settled(hop).__await__()
            step = partial(coro.send, None) if cancelled is None else partial(coro.throw, cancelled)
            if hop.begun:
                finished, value = hop.value()
                if finished and cancelled is not None:
                    raise cancelled
                if finished:
                    return cast("T", value)
                self.bring_context()

    async def _settled(self, hop: "Hop[Any]") -> asyncio.CancelledError | None:
        """Wait for `hop`, and run for its worker what that comes to wait for."""
        cancelled = await hop.settled()
        while (below := hop.below) is not None:
            hop.await_again()
            self.bring_context()
            # The worker waits within this context, so that no other job can enter it.
            entered, self._context = self._context, None
            try:
                below.result = await self.run_coroutine(below.running, cancelled)
            except BaseException as error:
                below.error = error
            self._context = entered
            lease = cast("Lease", self._lease)
            if below.made_lease:
                self._lease = None
            lease.close()
            cancelled = await hop.settled()
        return cancelled

    def bring_context(self) -> None:
        """Set the ContextVars of the calling task as they are in the worker.

        `run_coroutine` does so where its coroutine moves to the loop, but not in the end.
        """
        if self._context is not None:
            move_context(self._context)

    def hold(self) -> None:
        """Have everything that is synchronous run in one worker, until `release()`.

        May be called again before that, and then needs as many releases.
        """
        self._holds += 1

    def release(self) -> None:
        """Undo one `hold()`, and free the worker if nothing else needs it."""
        self._holds -= 1
        self.let_go()

    def let_go(self) -> None:
        """Free the worker, unless the execution is pinned, held or uses a connection."""
        is_needed = self.pinned or self._holds or self._is_in_use or self._waiting
        if self._lease is None or is_needed:
            return
        self._lease.close()
        self._lease = None

    def add_stream(self, stop: Callable[[], None]) -> None:
        """Have `stop` called when nobody wants more of what a worker produces."""
        self._streams += (stop,)

    def stop_streams(self) -> None:
        """Tell workers that produce for this execution that nobody wants more."""
        for stop in self._streams:
            stop()

    async def aclose(self) -> None:
        """Send `request_finished`, if there is anything to finish, and free the worker.

        A task that outlives the request may go on using the execution: each of its calls
        then runs by itself, in any worker. One that holds the worker keeps it.
        """
        self.pinned = False
        self._closed = True
        self.stop_streams()
        lease = self._lease
        finishing = Hop(self, self._finishing()) if self._started else None
        if finishing is not None:
            # Not where a task goes on with its transaction: finishing closes connections.
            if lease is not None and (self._shared is not None or not self._holds):
                lease.submit(finishing)
            else:
                pool.submit(finishing, even_if_full=True)
        self._is_in_use = False
        self.let_go()
        if finishing is not None:
            await finishing.settled(gives_up=False)

    @property
    def has_worker(self) -> bool:
        """Whether a worker is bound to this execution."""
        return self._lease is not None

    @property
    def is_started(self) -> bool:
        """Whether `request_started` has been sent, and `request_finished` has not."""
        return self._started

    def submit(self, job: Job) -> None:
        """Have `job` run in the worker of this execution, or in any if it has none."""
        if self._lease is not None:
            self._lease.submit(job)
        elif self.pinned or self._holds:
            lease = Lease()
            pool.submit(lease.serve)
            self._lease = lease
            lease.submit(job)
        else:
            pool.submit(job)

    def _finishing(self) -> Callable[[], None]:
        """Return what finishes with the ContextVars that there are, as caches hang on them.

        In a copy of the context: a task that outlives the request may be in it.
        """
        outside = copy_context()
        context = outside if self._context is None else self._context.copy()
        return partial(_in_context, context, outside, self.finish)

    def _hop(self, function: Callable[[], T]) -> "Hop[T]":
        """Submit `function`; in the worker it sees and sets this task's ContextVars."""
        outside = copy_context()
        if self._context is None:
            self._context = outside
        within: Callable[[], T] = partial(self.within_lifecycle, function)
        hop = Hop(self, partial(_in_context, self._context, outside, within))
        self.submit(hop)
        return hop

    # In a worker

    def wait_for(self, below: "Below[T]", hop: "Hop[Any]") -> T:
        """Return what a coroutine that moves to the event loop returns; see `run_below`."""
        below.made_lease = self._lease is None
        lease = self._lease = self._lease or Lease()
        self._waiting += 1
        self._keeping += not below.lends
        if self._shared is not None:
            self._shared.__exit__()
        elif not self._keeping:
            databases.park()
        set_hop(None)
        hop.wait_for(below)
        lease.serve()
        set_hop(hop)
        self._keeping -= not below.lends
        self._waiting -= 1
        if self._shared is not None:
            self._shared.__enter__()
        move_context(below.context)
        return below.value()

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
        lease = self._lease_if_in_use()
        deliver(result, error)
        del result, error
        if lease is not None:
            set_hop(None)
            lease.serve()

    def _lease_if_in_use(self) -> Lease | None:
        """Note whether a connection is left in use; what follows then belongs in this worker."""
        if self._lease is None:
            if not self._closed and self._in_use():
                self._is_in_use = True
                self._lease = Lease()
                return self._lease
        elif not self.pinned and self._lease.is_served_here:
            was_in_use, self._is_in_use = self._is_in_use, self._in_use()
            if was_in_use and not self._is_in_use:
                with suppress(RuntimeError):  # the loop is closed, and the worker free
                    self._loop.call_soon_threadsafe(self.let_go)
        return None

    def within_lifecycle(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; the first time, begin Django's request before."""
        if self._started or self._closed:
            self._close_old_connections()
        else:
            self._started = True
            self.start()
            databases.expect_no_loss()
        try:
            return function()
        finally:
            if self._started or self._closed:
                self._close_old_connections()

    def start(self) -> None:
        """Begin Django's request: what `request_started` is for."""
        lifecycle.begin(type(self), self.scope)

    def end(self) -> None:
        """End Django's request: what `request_finished` is for."""
        lifecycle.end(type(self))

    def finish(self) -> None:
        """End Django's request, and leave nothing of it behind in the worker."""
        self._started = False
        self.pinned = False  # so that others may take its connections over
        set_hop(None)  # nobody runs on the loop what a receiver of the signal might wait for
        self.end()
        if self._shared is None:
            abandoned = databases.close_abandoned()
            if abandoned:
                self.abandoned = abandoned
                logger.error(
                    "Transaction left open, and rolled back, on %s: %s",
                    ", ".join(abandoned),
                    request_name(self.scope),
                )
            if sharing.in_tests():
                databases.close_all()
            # A leased worker parks nothing after its jobs, and may be idle from now on.
            databases.park()

    def _call(self, function: Callable[[], T]) -> T:
        try:
            if self._shared is not None:
                with self._shared:
                    return function()
            databases.expect_no_loss()
            try:
                return function()
            finally:
                if not self._keeping and (self._waiting or not self.pinned):
                    databases.park()
        except (OperationalError, InterfaceError):
            self.connection_lost = self.connection_lost or databases.lost_connection()
            raise

    def _close_old_connections(self) -> None:
        # An execution that is not pinned may use another connection every time.
        may_close = self._shared is None and not self.pinned and not self._keeping
        ended = self._closed and not self._holds
        if may_close and (ended or not self._in_use()):
            databases.close_old()

    def _in_use(self) -> bool:
        if self._shared is not None:
            return self._shared.in_transaction
        return databases.in_use()


class _WorkerExecutor(ThreadSensitiveExecutor):
    """Runs Django's async ORM, and other thread-sensitive calls, in the current execution."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Return the future of `fn(*args, **kwargs)` in a worker; raise `Overloaded`."""
        execution = current_execution.get()
        future: Future[T] = Future()

        def deliver(result: T, error: BaseException | None) -> None:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        def job() -> None:
            if future.set_running_or_notify_cancel():
                call = partial(fn, *args, **kwargs)
                execution.do(partial(execution.within_lifecycle, call), deliver)

        execution.submit(job)
        return future


_worker_executor = _WorkerExecutor()


def execution_of_orm() -> Execution | None:
    """Return the execution in which the async ORM runs for the calling task, if any does."""
    return current_execution.get() if runs_orm(_worker_executor) else None


def _in_context(inside: Context, outside: Context, function: Callable[[], T]) -> T:
    inside.run(move_context, outside)
    return inside.run(function)
