"""On which thread does synchronous code run?

One pool of worker threads per process. A worker takes jobs, functions without
arguments, from the pool; the one that worked last is the next to work, so that few
threads are warm. The pool keeps `PARALLEL` workers going; beyond those it starts one
only when too many are *stalled*, busy with one job for longer than `STALL` seconds,
as in a call to a slow service. So a CPU-bound load is served by few threads, which
is fastest under the GIL, and a stuck endpoint does not stop the others.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from django_mullet import conf
from django_mullet.exceptions import Overloaded

__all__ = ["PARALLEL", "STALL", "Job", "Lease", "WorkerPool", "pool"]

Job = Callable[[], object]

PARALLEL = 8
"""Workers that are kept going; more than this gains nothing under the GIL."""

STALL = 0.05
"""Seconds after which a busy worker no longer counts as going."""

IDLE = 10.0
"""Seconds without work after which a worker beyond `PARALLEL` ends."""


class Worker:
    """One thread and the box in which it gets its jobs."""

    __slots__ = ("busy_since", "inbox", "thread")

    def __init__(self, pool: "WorkerPool", number: int) -> None:
        self.inbox: SimpleQueue[Job | None] = SimpleQueue()
        self.busy_since = time.monotonic()
        self.thread = threading.Thread(
            target=pool._work, args=(self,), name=f"mullet-{number}", daemon=True
        )


class WorkerPool:
    """Threads that run jobs, first come first served.

    `enter` and `leave`, functions without arguments, run in each worker thread when
    it starts and before it ends.

    Handing a job over takes no lock, for which the event loop would have to wait: `_idle` and
    `_backlog` are changed by single operations, which are atomic, and whoever puts something
    on the one looks at the other afterwards.
    """

    def __init__(self) -> None:
        self.enter: Job = lambda: None
        self.leave: Job = lambda: None
        self._reset()

    def _reset(self) -> None:
        self._idle: list[Worker] = []
        self._backlog: deque[Job] = deque()
        self._workers: set[Worker] = set()
        self._started = 0
        self._changing = threading.Lock()  # held to change or read `_workers`
        self._watcher: threading.Thread | None = None
        self._crowded = threading.Event()
        self._stopping = False

    def submit(self, job: Job, *, even_if_full: bool = False) -> None:
        """Have `job` run in a worker, as soon as one is free.

        Raise `Overloaded` when `MULLET["QUEUE"]` jobs wait already. A job must not
        raise.
        """
        try:
            worker = self._idle.pop()
        except IndexError:
            self._start_worker_or_wait(job, even_if_full=even_if_full)
        else:
            worker.inbox.put(job)

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

    def _start_worker_or_wait(self, job: Job, *, even_if_full: bool) -> None:
        with self._changing:
            if self._may_grow():
                self._start_worker(job)
                return
        if not even_if_full and len(self._backlog) >= conf.current().queue:
            raise Overloaded(
                "All workers are busy, and as many jobs wait as MULLET['QUEUE'] lets wait. Run "
                "more processes, or raise MULLET['THREADS'] if endpoints wait for slow services."
            )
        self._backlog.append(job)
        self._match()
        if not self._crowded.is_set():
            self._call_watcher()

    def _match(self) -> None:
        """Give jobs that wait to workers that are idle, while there are both."""
        while self._backlog:
            try:
                worker = self._idle.pop()
            except IndexError:
                return
            try:
                worker.inbox.put(self._backlog.popleft())
            except IndexError:
                self._idle.append(worker)

    # With `_changing` held

    def _may_grow(self) -> bool:
        limits = conf.current()
        size = len(self._workers)
        if size >= limits.threads:
            return False
        wanted = min(PARALLEL, limits.connections)
        if size < wanted:
            return True
        stalled_since = time.monotonic() - STALL
        going = sum(worker.busy_since > stalled_since for worker in self._workers)
        return going < wanted

    def _start_worker(self, job: Job) -> None:
        self._started += 1
        worker = Worker(self, self._started)
        worker.inbox.put(job)
        self._workers.add(worker)
        worker.thread.start()

    # In the threads of the pool

    def _work(self, worker: Worker) -> None:
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
                return self._backlog.popleft()
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
            with self._changing:
                while self._backlog and self._may_grow():
                    with suppress(IndexError):
                        self._start_worker(self._backlog.popleft())
            if not self._backlog:
                self._crowded.clear()
                if self._backlog:  # since then
                    self._crowded.set()


class Lease:
    """A worker that serves one owner only, from a queue of the owner's, until it is closed."""

    __slots__ = ("_queue", "_thread")

    def __init__(self) -> None:
        self._thread: int | None = None
        self._queue: SimpleQueue[Job | None] = SimpleQueue()

    def submit(self, job: Job) -> None:
        """Have `job` run in the leased worker."""
        self._queue.put(job)

    def close(self) -> None:
        """Give the worker back when it has done what was submitted before."""
        self._queue.put(None)

    @property
    def is_served_here(self) -> bool:
        """Whether the calling thread is the leased worker."""
        return self._thread == threading.get_ident()

    def serve(self) -> None:
        """Run the owner's jobs until the lease is closed; itself a job for the pool."""
        self._thread = threading.get_ident()
        while (job := self._queue.get()) is not None:
            job()
            del job


pool = WorkerPool()
"""The workers of this process. A forked child starts with none."""

os.register_at_fork(after_in_child=pool._reset)
atexit.register(pool.stop, timeout=1.0)
