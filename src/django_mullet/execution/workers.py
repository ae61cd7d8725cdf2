"""The pool of worker threads on which synchronous code runs.

One pool of worker threads per process. A worker takes jobs, functions without
arguments, from the pool; the one that worked last is the next to work, so that few
threads are warm. The pool keeps `ACTIVE_WORKERS` workers active; beyond those it starts one
only when too many are *stalled*, busy with one job for longer than `STALL_SECONDS`, as in a
call to a slow service. So a CPU-bound load is served by few threads, which
is fastest under the GIL, and a stuck endpoint does not stop the others.

Two kinds of workers wait in the middle of their work. One that is leased waits for the next job
of its request, and counts as none of the above. One that finds no connection to its database
waits for that; more like it would help nobody. So jobs that are known to query wait outside the
workers, in the `Backlog`, while too many workers wait for connections.
"""

import atexit
import os
import threading
import time
from collections.abc import Sized
from contextlib import suppress
from queue import Empty, SimpleQueue

from django_mullet import conf
from django_mullet.exceptions import Overloaded
from django_mullet.execution.job_queue import Backlog, Job, Owner
from django_mullet.execution.stall_watcher import StallWatcher

__all__ = ["ACTIVE_WORKERS", "STALL_SECONDS", "Worker", "WorkerPool", "current_worker", "pool"]

ACTIVE_WORKERS = 8
"""Workers that are kept active; more gain nothing under the GIL."""

STALL_SECONDS = 0.05
"""Seconds after which a worker that is busy with one job counts as stalled, not active."""

COUNT_SECONDS = STALL_SECONDS / 10
"""Seconds for which a count of active workers stays valid: counting takes time."""

IDLE_SECONDS = 10.0
"""Seconds without work after which a worker beyond `ACTIVE_WORKERS` ends."""


class Worker:
    """One thread and the box in which it gets its jobs."""

    __slots__ = ("busy_since", "inbox", "is_waiting", "thread")

    def __init__(self, pool: "WorkerPool", number: int) -> None:
        self.inbox: SimpleQueue[Job | None] = SimpleQueue()
        self.busy_since = time.monotonic()
        self.is_waiting = False
        """It is leased, and its request has nothing for it to do now."""
        self.thread = threading.Thread(
            target=pool._work, args=(self,), name=f"mullet-{number}", daemon=True
        )


class _Thread(threading.local):
    worker: Worker


_thread = _Thread()


def current_worker() -> Worker:
    """Return the worker that the calling code runs in; raise `AttributeError` outside of one."""
    return _thread.worker


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
        self._backlog = Backlog()
        self._workers: set[Worker] = set()
        self._started = 0
        self._look_again_at = 0.0
        self._changing = threading.Lock()  # held to change or read `_workers`
        self._watcher = StallWatcher(self._backlog, self._relieve, STALL_SECONDS / 2)
        self._stopping = False

    def submit(self, job: Job, *, owner: Owner | None = None, even_if_full: bool = False) -> None:
        """Have `job` run in a worker, as soon as one is free.

        The job of an `owner` that is known to query is refused if no worker was free for it within
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
        return len(self._backlog)

    def _start_worker_or_wait(self, job: Job, owner: Owner | None, *, even_if_full: bool) -> None:
        with self._changing:
            if self._may_grow() and not self._is_held_back(owner):
                self._start_worker(job)
                return
        settings = conf.current()
        if not even_if_full and len(self._backlog) >= settings.queue:
            raise Overloaded(
                "All workers are busy, and the queue is full (MULLET['QUEUE']). Run more "
                "processes, or raise MULLET['THREADS'] if endpoints wait for slow services."
            )
        self._backlog.put(job, owner, time.monotonic() + settings.connection_timeout)
        self._match()
        self._watcher.wake()

    def _is_held_back(self, owner: Owner | None) -> bool:
        return owner is not None and self._is_starved() and owner.queries

    def _is_starved(self) -> bool:
        """Return whether so many workers wait for connections that the rest is kept for others."""
        starved = len(self.starved)
        return starved > 0 and starved >= max(1, conf.current().threads - ACTIVE_WORKERS)

    def _has_next(self) -> bool:
        return bool(self._backlog) and self._backlog.has_next(may_query=not self._is_starved())

    def _take(self) -> Job:
        """Return the job whose turn it is; raise `IndexError` if none may begin now."""
        return self._backlog.take(may_query=not self._is_starved())

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
        now = time.monotonic()
        if now < self._look_again_at:
            return False
        may_grow = self._has_stalled(now)
        if not may_grow:
            self._look_again_at = now + COUNT_SECONDS
        return may_grow

    def _has_stalled(self, now: float) -> bool:
        """Return whether too few workers are active, and there may be more."""
        settings = conf.current()
        at_work = [worker for worker in self._workers if not worker.is_waiting]
        size = len(at_work)
        if (
            size >= settings.threads
            or len(self._workers) >= settings.threads + settings.connections
        ):
            return False
        wanted = min(ACTIVE_WORKERS, settings.connections)
        if size < wanted:
            return True
        return sum(worker.busy_since > now - STALL_SECONDS for worker in at_work) < wanted

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
            if self._backlog:
                with suppress(IndexError):  # none may begin now
                    return self._take()
            self._idle.append(worker)
            self._match()
            if self._stopping and self._is_free(worker):
                return None
        while True:
            try:
                return worker.inbox.get(timeout=IDLE_SECONDS)
            except Empty:
                if len(self._workers) > ACTIVE_WORKERS and self._is_free(worker):
                    return None

    def _is_free(self, worker: Worker) -> bool:
        """Take `worker` from the idle ones; return False if a job is coming to it."""
        try:
            self._idle.remove(worker)
        except ValueError:
            return False
        return True

    # In the thread of the watcher

    def _relieve(self) -> None:
        """Refuse what has waited too long; start a worker for what a stalled one would delay."""
        for owner in self._backlog.take_overdue(time.monotonic()):
            owner.refuse(_no_connection())
        self._match()
        with self._changing:
            while self._has_next() and self._may_grow():
                with suppress(IndexError):
                    self._start_worker(self._take())


def _no_connection() -> Overloaded:
    return Overloaded(
        f"No connection became free within {conf.current().connection_timeout} s, and many "
        "requests wait for one (see MULLET['CONNECTIONS'])."
    )


pool = WorkerPool()
"""The workers of this process. A forked child starts with none."""

os.register_at_fork(after_in_child=pool._reset)
atexit.register(pool.stop, timeout=1.0)
