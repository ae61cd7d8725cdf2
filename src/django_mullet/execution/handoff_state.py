"""The states of a job that an event loop hands to a worker thread."""

import asyncio
from contextlib import suppress
from enum import Enum

from anyio import CancelScope

__all__ = ["FINISHED", "QUEUED", "RUNNING", "SUSPENDED", "WITHDRAWN", "Handoff", "HandoffState"]


class HandoffState(Enum):
    """Where a job is; `Handoff` has the transitions."""

    QUEUED = "no worker has begun"
    RUNNING = "a worker has begun"
    SUSPENDED = "the worker waits, in the middle, for something on the event loop"
    FINISHED = "the worker is done"
    WITHDRAWN = "no worker will begin"


QUEUED, RUNNING, SUSPENDED, FINISHED, WITHDRAWN = HandoffState

_SETTLED = (SUSPENDED, FINISHED, WITHDRAWN)
"""States that whoever waits on the event loop waits for."""


class Handoff:
    """A job that is done once, or not at all; made on the event loop that waits for it.

        QUEUED --begin--> RUNNING --report--> FINISHED
          |                |   ^
          |           report   resume
          |                v   |
          |              SUSPENDED
          v
        WITHDRAWN

    A worker may `begin` while the waiting task gives up, or a third thread refuses the job: one of
    them takes the ticket, and the others do nothing. A worker writes RUNNING itself. All other
    states are written on the event loop, when what was reported arrives there: so each report
    wakes who waits exactly once, and none is taken for the next.
    """

    __slots__ = ("_ticket", "_woken", "loop", "state")

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.state = QUEUED
        self._ticket = [None]
        self._woken: asyncio.Future[None] = self.loop.create_future()

    @property
    def is_queued(self) -> bool:
        """Whether no worker has begun, and nobody has given the job up."""
        return bool(self._ticket)

    def begin(self) -> bool:
        """In the worker: return whether the job is to be done now."""
        if not self._take_ticket():
            return False
        self.state = RUNNING
        return True

    def withdraw(self) -> bool:
        """On the loop: return whether the job has been given up in time."""
        if not self._take_ticket():
            return False
        self.state = WITHDRAWN
        return True

    def resume(self) -> None:
        """On the loop: expect another report of a worker that was suspended."""
        self.state = RUNNING
        self._woken = self.loop.create_future()

    def report(self, state: HandoffState) -> None:
        """In any thread: tell who waits on the loop that the job is in `state`."""
        try:
            self.loop.call_soon_threadsafe(self._arrive, state)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    async def arrival(self) -> None:
        """Wait for a report, however often the task is cancelled: nothing can stop the job."""
        with CancelScope(shield=True):  # else a cancelled scope of anyio's interrupts each turn
            while self.state not in _SETTLED:
                self._woken = self.loop.create_future()
                with suppress(asyncio.CancelledError):
                    await self._woken

    def _take_ticket(self) -> bool:
        try:
            self._ticket.pop()
        except IndexError:
            return False
        return True

    def _arrive(self, state: HandoffState) -> None:
        self.state = state
        if not self._woken.done():
            self._woken.set_result(None)
