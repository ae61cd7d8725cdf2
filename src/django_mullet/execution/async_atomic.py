"""A transaction that lasts across awaits.

Django keeps a transaction on the connection of a thread. `AtomicBlock` enters and leaves it in the
thread of the async ORM, which within a request is the one worker that the request leases. Once
entered it is always left, however often the task is cancelled.
"""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial, wraps
from types import TracebackType
from typing import Any, TypeVar, cast

from anyio import CancelScope
from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.db.transaction import TransactionManagementError

from django_mullet.execution import orm_calls
from django_mullet.execution.execution import Execution, current_execution
from django_mullet.execution.handoff_state import FINISHED, Handoff
from django_mullet.execution.silent_rollback import ReportingAtomic
from django_mullet.execution.worker_lease import Reason

__all__ = ["AtomicBlock"]

C = TypeVar("C", bound=Callable[..., Any])

_seen: ContextVar[tuple["_Entered", ...]] = ContextVar("mullet_atomic_blocks", default=())
"""The blocks around the running code, the innermost last; a new task begins with its parent's."""


class AtomicBlock(ReportingAtomic):
    """What `transaction.atomic()` returns, for `with`, `async with` and as a decorator."""

    def __init__(self, using: str, savepoint: bool, durable: bool) -> None:
        super().__init__(using, savepoint, durable)
        self._arguments = (using, savepoint, durable)
        self._entered: list[_Entered] = []

    async def __aenter__(self) -> None:
        entered = _Entered(*self._arguments)
        await entered.enter()
        self._entered.append(entered)
        _seen.set((*_seen.get(), entered))

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entered = self._last_entered()
        self._entered.remove(entered)
        _seen.set(tuple(other for other in _seen.get() if other is not entered))
        await entered.leave(exc_value)

    def _last_entered(self) -> "_Entered":
        """Return what the calling task entered last: several tasks may share this block."""
        seen = _seen.get()
        mine = [entered for entered in self._entered if entered in seen]
        return (mine or self._entered)[-1]

    def __call__(self, function: C) -> C:
        """Return `function`, which may be `async`, with this block around each call."""
        if inspect.isasyncgenfunction(function):
            raise TypeError(
                f"'atomic' cannot decorate the async generator '{function.__qualname__}': write "
                "'async with atomic():' inside it."
            )
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @wraps(function)
        async def in_transaction(*args: Any, **kwargs: Any) -> Any:
            async with self:
                return await function(*args, **kwargs)

        return cast("C", in_transaction)


class _Entered(ReportingAtomic):
    """One `async with` of a block."""

    def __init__(self, using: str, savepoint: bool, durable: bool) -> None:
        super().__init__(using, savepoint, durable)
        self._execution: Execution | None = None
        self._is_open = False

    async def enter(self) -> None:
        """Begin the transaction or savepoint; undo that if the task is cancelled meanwhile."""
        self._execution = current_execution.get() if orm_calls.runs_here() else None
        try:
            await _Job(partial(self._enter, _seen.get())).run()
        except BaseException as error:
            if self._is_open:
                await self.leave(error)
            raise

    async def leave(self, error: BaseException | None) -> None:
        """Commit, or with an `error` roll back."""
        with self._where_it_began():
            await _Job(partial(self._leave, error)).run_in_any_case()

    @contextmanager
    def _where_it_began(self) -> Iterator[None]:
        """Have the async ORM run in the execution that the block was entered in.

        Middleware may leave it after the request, as containers of dependencies do.
        """
        execution = self._execution
        if execution is None or (
            orm_calls.runs_here() and current_execution.get(None) is execution
        ):
            yield
            return
        token, undo = current_execution.set(execution), orm_calls.take_orm()
        try:
            yield
        finally:
            undo()
            current_execution.reset(token)

    # In the thread of the connection

    def _open_blocks(self) -> list[transaction.Atomic]:
        connection: Any = connections[self.using or ""]
        return list(connection.atomic_blocks) if connection.in_atomic_block else []

    def _enter(self, seen: tuple["_Entered", ...]) -> None:
        for block in self._open_blocks():
            if isinstance(block, _Entered) and block not in seen:
                raise TransactionManagementError(
                    "Another task has a transaction open on this connection: 'async with "
                    "atomic()' in both would mix their savepoints. Put one block around what "
                    "runs concurrently, such as 'asyncio.gather()', or await one task before "
                    "you start the other."
                )
        self.__enter__()
        self._is_open = True
        if self._execution is not None:
            self._execution.lease.keep(Reason.TRANSACTION)

    def _leave(self, error: BaseException | None) -> None:
        if self._execution is not None:
            self._execution.lease.release(Reason.TRANSACTION)
        blocks = self._open_blocks()
        if self not in blocks:
            problem = (
                "The transaction of this 'async with atomic()' block ended before the block did."
            )
        elif blocks[-1] is not self:
            problem = (
                "A task has opened 'async with atomic()' inside this block and not left it: "
                "both are rolled back. Await the task before the end of the block."
            )
        else:
            self.__exit__(None if error is None else type(error), error, None)
            return
        misuse = TransactionManagementError(problem)
        while self in blocks:
            blocks.pop().__exit__(type(misuse), misuse, None)
        if error is None:
            raise misuse


class _Job(Handoff):
    """A function for the thread of the async ORM, which runs once, or not at all."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__()
        self._function = function

    async def run(self) -> None:
        """Run the function; a task that is cancelled does not leave before what has begun is done.

        What has not begun then is given up.
        """
        try:
            await self._submit()
        except asyncio.CancelledError:
            if not self.withdraw():
                await self._finish()
            raise

    async def run_in_any_case(self) -> None:
        """Run the function, and only then raise the cancellation of the task."""
        try:
            await self._submit()
        except asyncio.CancelledError:
            await self._finish()
            raise

    async def _submit(self) -> None:
        await sync_to_async(self._call)()

    async def _finish(self) -> None:
        with CancelScope(shield=True):  # else a cancelled anyio scope interrupts each wait
            while self.is_queued:
                with suppress(asyncio.CancelledError):
                    await self._submit()
        await self.arrival()

    def _call(self) -> None:
        if self.begin():
            try:
                self._function()
            finally:
                self.report(FINISHED)
