"""The database connections that one request has in its workers.

They are why a request keeps its worker: from the first query on what the session was told, and what
it has locked, is the request's own, until it ends or closes its connections.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Literal, TypeVar

from django.db import InterfaceError, OperationalError

from django_mullet.execution import borrowed_connections, connections
from django_mullet.execution.connection_share import ShareMember
from django_mullet.execution.worker_lease import Lease, Reason

__all__ = ["RequestConnections", "Unit"]

T = TypeVar("T")

Unit = Literal["request", "call"]
"""What has a connection to itself."""


class RequestConnections:
    """The connections of one request, which tells its `lease` whether they need its worker.

    With `unit` "call", and after the end of the request, each call is a unit of its own, as far as
    it leaves no transaction open: what it has used is given back when it returns.
    """

    __slots__ = (
        "_before_checkout",
        "_borrowed",
        "_lease",
        "_member",
        "_unit",
        "has_ended",
        "was_lost",
    )

    def __init__(self, lease: Lease, unit: Unit) -> None:
        self._lease = lease
        self._unit = unit
        self._borrowed = borrowed_connections.held_by_test()
        self._member: ShareMember | None = None
        self._before_checkout: Callable[[], None] | None = None
        lease.look_again = self.give_back_forgotten
        self.has_ended = False
        """The request has: what goes on is a task that outlives it."""
        self.was_lost = False
        """Whether a job failed because its database was not there."""

    # On the event loop

    def become_lasting(self, *, in_any_case: bool) -> None:
        """Count as one that lasts, while there are connections; see `Execution`."""
        if self._unit == "call":
            return
        member = self._member = self._member or ShareMember()
        enter = self._before_checkout = partial(member.enter, in_any_case=in_any_case)
        if Reason.CONNECTION in self._lease.reasons:
            enter()

    @property
    def refusal(self) -> Exception | None:
        """Why one that lasts has got no connection."""
        return None if self._member is None else self._member.refusal

    # In a worker

    def begin(self) -> None:
        """Leave nothing of another request in the worker's connection objects."""
        if self._borrowed is None:
            connections.begin()

    def use(self, function: Callable[[], T]) -> T:
        """Return what `function` returns, with connections to use."""
        is_unit = self._is_unit  # not so what ends the request
        connections.prepare(self._before_checkout)
        try:
            if self._borrowed is not None:
                with self._borrowed:
                    return function()
            return function()
        except (OperationalError, InterfaceError):
            self.was_lost = self.was_lost or connections.lost_connection()
            raise
        finally:
            if is_unit and not self._lease.is_held:
                connections.give_back(clean=self._unit == "call")

    def note_use(self) -> None:
        """Note, before anybody is told of the end of a job, what it has left in its worker."""
        borrowed = self._borrowed
        is_used = connections.in_use() or (borrowed is not None and borrowed.in_transaction)
        self._lease.note(Reason.CONNECTION, applies=is_used)
        self._lease.note(Reason.STATE, applies=connections.keep_state() and not self._is_unit)
        if self._member is not None and not is_used:
            self._member.leave()

    def give_back_forgotten(self) -> None:
        """Give back what a task has begun to read, and neither ends nor holds any more."""
        if self._is_unit and not self._lease.is_held:
            connections.give_back(clean=self._unit == "call")
            self.note_use()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Let other jobs of the request use them, while one waits in the middle.

        What is in use then stays: what the others do is in the middle of that.
        """
        if self._borrowed is not None:
            self._borrowed.__exit__()
        is_used = connections.in_use()
        if is_used:
            self._lease.keep(Reason.WAITING)
        yield
        if is_used:
            self._lease.release(Reason.WAITING)
        if self._borrowed is not None:
            self._borrowed.__enter__()

    def end(self) -> list[str]:
        """Note that the request has ended, and roll back the transactions that it has left open.

        Not that of a task that goes on. Return the aliases of those that were rolled back.
        """
        self.has_ended = True
        habits = self._lease.habits
        if not habits.queries and connections.in_use():
            habits.queries = True
        return [] if self._lease.is_held else connections.close_abandoned()

    def give_up(self, *, keeps_session: bool) -> None:
        """Let others have them, but for those of a task that goes on with its transaction."""
        if not keeps_session:
            connections.close_used()
        connections.checkin()

    @property
    def _is_unit(self) -> bool:
        """Whether each call is a unit of its own."""
        return self.has_ended or self._unit == "call"
