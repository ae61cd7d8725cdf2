"""The fair queue of jobs that wait for a worker.

Jobs that are known to query have a queue of their own, which is held back while too many workers
already wait for connections. When both queues have jobs they take turns, so that a job that needs
no database does not wait for all that do.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

__all__ = ["Backlog", "Job", "Owner"]

Job = Callable[[], object]


class Owner(Protocol):
    """The owner of a job: the lease of a request."""

    @property
    def queries(self) -> bool:
        """Whether the job is known to need a connection."""
        ...

    def refuse(self, error: Exception) -> None:
        """Be told why the job will not be done."""


_Waiting: TypeAlias = tuple[Job, Owner | None, float]


class Backlog:
    """Jobs in two queues, both in the order in which they came.

    Several threads may use it at once: all that changes it is a single, atomic operation.
    """

    def __init__(self) -> None:
        self._others: deque[_Waiting] = deque()
        self._querying: deque[_Waiting] = deque()
        self._is_turn_of_querying = False

    def __len__(self) -> int:
        return len(self._others) + len(self._querying)

    def put(self, job: Job, owner: Owner | None, deadline: float) -> None:
        """Add `job`; one that queries may wait until `deadline`, on the clock `time.monotonic`."""
        is_known = owner is not None and owner.queries
        (self._querying if is_known else self._others).append((job, owner, deadline))

    def has_next(self, *, may_query: bool) -> bool:
        """Return whether there is a job that may begin."""
        self._sort()
        return bool(self._others or (may_query and self._querying))

    def take(self, *, may_query: bool) -> Job:
        """Return the job whose turn it is; raise `IndexError` if none may begin."""
        while True:
            self._sort()
            is_turn = self._is_turn_of_querying or not self._others
            source = self._querying if may_query and self._querying and is_turn else self._others
            try:
                job = source.popleft()[0]
            except IndexError:  # another thread may have taken the last
                if not self.has_next(may_query=may_query):
                    raise
                continue
            self._is_turn_of_querying = source is self._others
            return job

    def take_overdue(self, now: float) -> Iterator[Owner]:
        """Remove querying jobs whose deadline is over, and yield their owners."""
        try:
            while True:
                first = self._querying.popleft()
                owner, deadline = first[1:]
                if owner is None or deadline >= now:
                    self._querying.appendleft(first)
                    return
                yield owner
        except IndexError:  # there are no more
            return

    def _sort(self) -> None:
        """Move jobs at the head that are known by now to query to the other queue."""
        others = self._others
        try:
            while (owner := others[0][1]) is not None and owner.queries:
                first = others.popleft()
                if first[1] is not owner:  # another thread has taken that
                    others.appendleft(first)
                    return
                self._querying.append(first)
        except IndexError:  # there are no more
            return
