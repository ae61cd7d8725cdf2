"""The lease of a worker for the jobs of one request.

As long as the request leaves nothing behind in a worker, each job runs in any that is free. From
the first job on that gives a reason to keep the worker, a query for instance, all run in the same
one, until no reason is left: to the end of the request, or until it closes its connections. They
run one after the other in any case.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from queue import Empty
from typing import Any, Protocol

from django_mullet.execution.workers import Worker, WorkerPool, current_worker

__all__ = ["Habits", "Lease", "LeasedJob", "Reason"]

RECHECK_SECONDS = 1.0
"""Seconds after which a worker that waits for a job looks whether it still has a reason to."""


class Habits:
    """What is known of the requests of one route, from those so far."""

    queries = False
    """Some have used a connection."""


class Reason(Enum):
    """Why the next job of a request belongs in the worker of the last."""

    CONNECTION = "it has used a connection, which is open"
    STATE = "a backend that is not Django's own keeps state in its connection objects"
    TRANSACTION = "it has entered 'async with atomic()', and is to leave it there"
    DEPENDENCY = "it has entered a dependency with 'yield', and is to leave it there"
    WAITING = "a job waits for the event loop, in the middle of what it does with a connection"


class LeasedJob(Protocol):
    """A job that calls `Lease.finished()` when it is done. Neither method may raise."""

    def __call__(self) -> object:
        """Do the job, in a worker."""

    def refuse(self, error: Exception) -> object:
        """Tell who waits for the job that it will not be done."""


class Lease:
    """The jobs of one owner, the worker that they run in, and the reasons to keep that.

    After the last of the jobs its worker waits for the next, and does nothing else, while there is
    a reason. `look_again` is called in the worker every `RECHECK_SECONDS` then, and may find that
    there is none any more. `habits` say what is to be expected of the jobs.
    """

    __slots__ = (
        "_changing",
        "_finished",
        "_jobs",
        "_kept",
        "_pool",
        "_submitted",
        "_waiting",
        "habits",
        "has_worker",
        "look_again",
        "reasons",
    )

    def __init__(
        self,
        pool: WorkerPool,
        habits: Habits | None = None,
    ) -> None:
        self._pool = pool
        self.habits = habits or Habits()
        self.look_again: Callable[[], object] = lambda: None
        self._changing = threading.Lock()  # held to change or read what follows
        self._jobs: deque[LeasedJob] = deque()
        self._kept: LeasedJob | None = None
        self._waiting: Worker | None = None
        self._submitted = self._finished = 0
        self.has_worker = False
        """Whether a worker runs the jobs, or waits for the next, or is about to come."""
        self.reasons: list[Reason] = []
        """Why the next job belongs in the same worker; changed in it, before a job is finished."""

    @property
    def queries(self) -> bool:
        """Whether the jobs are known to need a connection."""
        return self.habits.queries

    # The reasons, in the worker

    def note(self, reason: Reason, *, applies: bool) -> None:
        """Note whether there is `reason` to keep the worker, after each job anew."""
        if applies != (reason in self.reasons):
            (self.reasons.append if applies else self.reasons.remove)(reason)

    def keep(self, reason: Reason) -> None:
        """Keep the worker, in which something has begun that ends here, until `release()`.

        May be called again before that, and then needs as many releases.
        """
        self.reasons.append(reason)

    def release(self, reason: Reason) -> None:
        """Undo one `keep()`."""
        self.reasons.remove(reason)

    @property
    def is_held(self) -> bool:
        """Whether something has begun that ends in this worker, whatever a job leaves behind."""
        return any(reason in _HELD for reason in self.reasons)

    # The jobs

    def submit(self, job: LeasedJob, *, in_any_case: bool = False) -> None:
        """Have `job` run after those that were submitted before.

        Where it needs a worker first, it is refused, or `Overloaded` raised, as by
        `WorkerPool.submit`; not `in_any_case`, which is for one job, the last.
        """
        if in_any_case:
            self._kept = job
        self._put(job, in_any_case=in_any_case)
        self._submitted += 1

    def finished(self) -> None:
        """In the worker: note that a job is done, before anybody is told."""
        self._finished += 1

    @property
    def is_busy(self) -> bool:
        """Whether some job is not done."""
        return self._finished < self._submitted

    @property
    def is_queued(self) -> bool:
        """Whether some job has not begun."""
        return bool(self._jobs)

    def _put(self, job: LeasedJob, *, in_any_case: bool = False) -> None:
        with self._changing:
            worker, self._waiting = self._waiting, None
            if worker is not None:
                worker.is_waiting = False
                worker.inbox.put(job)
                return
            self._jobs.append(job)
            if self.has_worker:
                return
            try:
                owner = None if in_any_case else self
                self._pool.submit(self._serve, owner=owner, even_if_full=in_any_case)
            except BaseException:
                self._jobs.pop()
                raise
            self.has_worker = True

    def wait(self) -> None:
        """In the worker, in the middle of a job: do the next ones, until `resume()`."""
        worker = current_worker()
        while (job := self._next(worker, keep=True)) is not _RESUME:
            assert job is not None
            job()
            del job

    def resume(self) -> None:
        """End `wait()`, after what was submitted before."""
        self._put(_RESUME)

    def refuse(self, error: Exception) -> None:
        """Tell who waits for the jobs that they will not be done, except for one that must be."""
        with self._changing:
            refused = [job for job in self._jobs if job is not self._kept]
            self._jobs = deque(job for job in self._jobs if job is self._kept)
            self._finished += len(refused)
            self.has_worker = bool(self._jobs)
            if self.has_worker:
                self._pool.submit(self._serve, even_if_full=True)
        for job in refused:
            job.refuse(error)

    def _serve(self) -> None:
        worker = current_worker()
        while (job := self._next(worker)) is not None:
            job()
            del job

    def _next(self, worker: Worker, *, keep: bool = False) -> LeasedJob | None:
        """Return the next job, if need be when there is one; `None`: the worker may go."""
        while True:
            with self._changing:
                if self._jobs:
                    return self._jobs.popleft()
                if not (keep or self.reasons):
                    self.has_worker = False
                    return None
                self._waiting = worker
                worker.is_waiting = True
            job = self._awaited(worker)
            if job is not None:
                return job
            if not keep:
                # Without the lock, for which the event loop would wait: a database may be slow.
                self.look_again()

    def _awaited(self, worker: Worker) -> LeasedJob | None:
        """Return the job that comes to `worker`; `None`: none has in `RECHECK_SECONDS`."""
        while True:
            try:
                job = worker.inbox.get(timeout=RECHECK_SECONDS)
            except Empty:
                with self._changing:
                    if self._waiting is worker:
                        self._waiting = None
                        worker.is_waiting = False
                        return None
            else:
                worker.busy_since = time.monotonic()
                return job  # type: ignore[return-value]


_HELD = (Reason.TRANSACTION, Reason.DEPENDENCY, Reason.WAITING)

_RESUME: Any = object()
