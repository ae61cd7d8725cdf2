"""On which thread does synchronous code run?

One pool of worker threads per process. A worker takes jobs, functions without
arguments, from the pool; the one that worked last is the next to work, so that few
threads are warm. The pool keeps `PARALLEL` workers going; beyond those it starts one
only when too many are *stalled*, busy with one job for longer than `STALL` seconds,
as in a call to a slow service. So a CPU-bound load is served by few threads, which
is fastest under the GIL, and a stuck endpoint does not stop the others.

Two kinds of workers wait in the middle of their work. One that is leased waits for the next job
of its request, and counts as none of the above. One that finds no connection to its database
waits for that, and would be of no use to anybody else who needs one. So jobs that are known to
query wait outside of the workers while too many of those wait inside; and where both kinds of jobs
wait they take turns, so that what needs no database does not wait for all that does.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sized
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from django_mullet import conf
from django_mullet.exceptions import Overloaded

__all__ = ["PARALLEL", "STALL", "Job", "Owner", "Worker", "WorkerPool", "current_worker", "pool"]

Job = Callable[[], object]


class Owner(Protocol):
    """Whose job it is."""

    @property
    def queries(self) -> bool:
        """Whether the job is known to need a connection."""
        ...

    def refuse(self, error: Exception) -> None:
        """Hear why the job will not be done."""


PARALLEL = 8
"""Workers that are kept going; more than this gains nothing under the GIL."""

STALL = 0.05
"""Seconds after which a busy worker no longer counts as going."""

IDLE = 10.0
"""Seconds without work after which a worker beyond `PARALLEL` ends."""


class Worker:
    """One thread and the box in which it gets its jobs."""

    __slots__ = ("busy_since", "inbox", "is_waiting", "thread")

    def __init__(self, pool: "WorkerPool", number: int) -> None:
        self.inbox: SimpleQueue[Job | None] = SimpleQueue()
        self.busy_since = time.monotonic()
        self.is_waiting = False
        """It is leased, and its request has nothing for it to do at the moment."""
        self.thread = threading.Thread(
            target=pool._work, args=(self,), name=f"mullet-{number}", daemon=True
        )


class _Thread(threading.local):
    worker: Worker


_thread = _Thread()


def current_worker() -> Worker:
    """Return the worker that the calling code runs in; raise `AttributeError` outside of one."""
    return _thread.worker


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A job that waits for a worker."""

    job: Job
    deadline: float
    owner: Owner | None

    @property
    def queries(self) -> bool:
        return self.owner is not None and self.owner.queries


class WorkerPool:
    """Threads that run jobs, first come first served.

    `enter` and `leave`, functions without arguments, run in each worker thread when
    it starts and before it ends. `starved` has an element for each worker that waits for a
    connection.

    Handing a job over takes no lock, for which the event loop would have to wait: `_idle` and
    `_backlog` are changed by single operations, which are atomic, and whoever puts something
    on the one looks at the other afterwards.
    """

    def __init__(self) -> None:
        self.enter: Job = lambda: None
        self.leave: Job = lambda: None
        self.starved: Sized = ()
        self._reset()

    def _reset(self) -> None:
        self._idle: list[Worker] = []
        self._backlog: deque[_Waiting] = deque()
        self._querying: deque[_Waiting] = deque()
        self._is_turn_of_querying = False
        self._workers: set[Worker] = set()
        self._started = 0
        self._changing = threading.Lock()  # held to change or read `_workers`
        self._watcher: threading.Thread | None = None
        self._crowded = threading.Event()
        self._stopping = False

    def submit(self, job: Job, *, owner: Owner | None = None, even_if_full: bool = False) -> None:
        """Have `job` run in a worker, as soon as one is free.

        That of an `owner` which is known to query is refused if no worker was free for it within
        `MULLET["CONNECTION_TIMEOUT"]` seconds. Raise `Overloaded` when `MULLET["QUEUE"]` jobs wait
        already. A job must not raise.
        """
        if not self._is_held_back(owner):
            try:
                worker = self._idle.pop()
            except IndexError:
                pass
            else:
                worker.inbox.put(job)
                return
        self._start_worker_or_wait(job, owner, even_if_full=even_if_full)

    def stop(self, timeout: float = 5.0) -> None:
        """End the idle workers now and the others after their job; wait `timeout` seconds.

        The pool can be used again afterwards.
        """
        self._stopping = True
        with self._changing:
            workers = list(self._workers)
        with suppress(IndexError):
            while True:
                self._idle.pop().inbox.put(None)
        deadline = time.monotonic() + timeout
        for worker in workers:
            if worker.thread is not threading.current_thread():
                worker.thread.join(max(0.0, deadline - time.monotonic()))
        self._stopping = False

    @property
    def size(self) -> int:
        """How many worker threads there are now."""
        return len(self._workers)

    @property
    def waiting(self) -> int:
        """How many jobs wait for a worker now."""
        return len(self._backlog) + len(self._querying)

    def _start_worker_or_wait(self, job: Job, owner: Owner | None, *, even_if_full: bool) -> None:
        with self._changing:
            if self._may_grow() and not self._is_held_back(owner):
                self._start_worker(job)
                return
        limits = conf.current()
        if not even_if_full and self.waiting >= limits.queue:
            raise Overloaded(
                "All workers are busy, and as many jobs wait as MULLET['QUEUE'] lets wait. Run "
                "more processes, or raise MULLET['THREADS'] if endpoints wait for slow services."
            )
        deadline = time.monotonic() + limits.connection_timeout
        self._backlog.append(_Waiting(job, deadline, owner))
        self._match()
        if not self._crowded.is_set():
            self._call_watcher()

    def _is_held_back(self, owner: Owner | None) -> bool:
        return owner is not None and owner.queries and self._is_starved()

    def _is_starved(self) -> bool:
        """Return whether as many workers wait for a connection as may: some are left for others."""
        starved = len(self.starved)
        return starved > 0 and starved >= max(1, conf.current().threads - PARALLEL)

    def _has_next(self) -> bool:
        if not (self._backlog or self._querying):
            return False
        self._sort()
        return bool(self._backlog or not self._is_starved())

    def _sort(self) -> None:
        """Put those at the head of the backlog aside that are known to query by now."""
        backlog = self._backlog
        with suppress(IndexError):  # another thread has taken the last
            while backlog and backlog[0].queries:
                first = backlog.popleft()
                if not first.queries:  # it has taken the one that does
                    backlog.appendleft(first)
                    return
                self._querying.append(first)

    def _take(self) -> Job:
        """Return the job whose turn it is; raise `IndexError` if none may begin now."""
        if not (self._backlog or self._querying):
            raise IndexError
        self._sort()
        backlogs = [self._backlog]
        if self._querying and not self._is_starved():
            backlogs.insert(0 if self._is_turn_of_querying else 1, self._querying)
        for backlog in backlogs:
            with suppress(IndexError):  # it is empty, or another thread has taken it
                job = backlog.popleft().job
                self._is_turn_of_querying = backlog is not self._querying
                return job
        raise IndexError

    def _match(self) -> None:
        """Give jobs that wait to workers that are idle, while there are both."""
        while self._has_next():
            try:
                worker = self._idle.pop()
            except IndexError:
                return
            try:
                worker.inbox.put(self._take())
            except IndexError:
                self._idle.append(worker)

    # With `_changing` held

    def _may_grow(self) -> bool:
        limits = conf.current()
        at_work = [worker for worker in self._workers if not worker.is_waiting]
        size = len(at_work)
        if size >= limits.threads or len(self._workers) >= limits.threads + limits.connections:
            return False
        wanted = min(PARALLEL, limits.connections)
        if size < wanted:
            return True
        stalled_since = time.monotonic() - STALL
        going = sum(worker.busy_since > stalled_since for worker in at_work)
        return going < wanted

    def _start_worker(self, job: Job) -> None:
        self._started += 1
        worker = Worker(self, self._started)
        worker.inbox.put(job)
        self._workers.add(worker)
        worker.thread.start()

    # In the threads of the pool

    def _work(self, worker: Worker) -> None:
        _thread.worker = worker
        self.enter()
        try:
            while (job := self._next_job(worker)) is not None:
                worker.busy_since = time.monotonic()
                job()
                del job
        finally:
            with self._changing:
                self._workers.discard(worker)
            self.leave()

    def _next_job(self, worker: Worker) -> Job | None:
        """Return the next job for `worker`, or `None`: it should end."""
        if worker.inbox.empty():
            try:
                return self._take()
            except IndexError:
                self._idle.append(worker)
            self._match()
            if self._stopping and self._is_free(worker):
                return None
        while True:
            try:
                return worker.inbox.get(timeout=IDLE)
            except Empty:
                if len(self._workers) > PARALLEL and self._is_free(worker):
                    return None

    def _is_free(self, worker: Worker) -> bool:
        """Take `worker` from the idle ones; return False if a job is coming to it."""
        try:
            self._idle.remove(worker)
        except ValueError:
            return False
        return True

    def _call_watcher(self) -> None:
        self._crowded.set()
        with self._changing:
            if self._watcher is None:
                self._watcher = threading.Thread(
                    target=self._watch, name="mullet-watcher", daemon=True
                )
                self._watcher.start()

    def _watch(self) -> None:
        """While jobs wait, start a worker for each that a stalled one would delay."""
        while True:
            self._crowded.wait()
            time.sleep(STALL / 2)
            self._refuse_overdue()
            self._match()
            with self._changing:
                while self._has_next() and self._may_grow():
                    with suppress(IndexError):
                        self._start_worker(self._take())
            if not (self._backlog or self._querying):
                self._crowded.clear()
                if self._backlog or self._querying:  # since then
                    self._crowded.set()

    def _refuse_overdue(self) -> None:
        """Refuse those that have waited too long for others to find connections."""
        now = time.monotonic()
        with suppress(IndexError):  # there are no more
            while (first := self._querying.popleft()).deadline < now:
                assert first.owner is not None
                first.owner.refuse(
                    Overloaded(
                        "No connection became free within "
                        f"{conf.current().connection_timeout} s, and many requests wait for one "
                        "(see MULLET['CONNECTIONS'])."
                    )
                )
            self._querying.appendleft(first)


pool = WorkerPool()
"""The workers of this process. A forked child starts with none."""

os.register_at_fork(after_in_child=pool._reset)
atexit.register(pool.stop, timeout=1.0)
