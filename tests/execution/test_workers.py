import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack

import pytest
from django.test import override_settings

from django_mullet import Overloaded
from django_mullet.execution import workers as workers_module
from django_mullet.execution.job_queue import Backlog, Job
from django_mullet.execution.workers import ACTIVE_WORKERS, STALL_SECONDS, WorkerPool
from tests.waiting import until


@pytest.fixture
def workers() -> Iterator[WorkerPool]:
    workers = WorkerPool()
    yield workers
    workers.stop()


class Busy:
    """A job that keeps its worker until `done` is called."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.thread: threading.Thread | None = None
        self._end = threading.Event()

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        self.started.set()
        assert self._end.wait(10)

    def done(self) -> None:
        self._end.set()


@pytest.fixture
def busy(workers: WorkerPool) -> Iterator[Callable[[], Busy]]:
    """Submits a job that keeps its worker, at most to the end of the test."""
    with ExitStack() as stack:

        def submit() -> Busy:
            job = Busy()
            stack.callback(job.done)
            workers.submit(job)
            return job

        yield submit


def thread_of(submit: Callable[[Callable[[], object]], None]) -> threading.Thread:
    """Return the thread in which a job runs."""
    future: Future[threading.Thread] = Future()
    submit(lambda: future.set_result(threading.current_thread()))
    return future.result(timeout=5)


def idle(workers: WorkerPool, count: int) -> None:
    until(lambda: len(workers._idle) == count)


def test_a_job_runs_in_a_thread_of_the_pool(workers: WorkerPool) -> None:
    thread = thread_of(workers.submit)

    assert thread is not threading.current_thread()
    assert thread.name == "mullet-1"
    assert thread.daemon
    assert workers.size == 1


def test_one_job_after_the_other_uses_one_thread(workers: WorkerPool) -> None:
    threads = set()

    for _ in range(5):
        threads.add(thread_of(workers.submit))
        idle(workers, 1)

    assert len(threads) == workers.size == 1


def test_the_worker_that_worked_last_is_the_next_to_work(
    workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    first, second, third = busy(), busy(), busy()
    until(lambda: first.thread and second.thread and third.thread)
    for count, job in enumerate([third, first, second], start=1):
        job.done()
        idle(workers, count)

    threads = []
    for _ in range(2):
        threads.append(thread_of(workers.submit))
        idle(workers, 3)

    assert threads == [second.thread, second.thread]


def test_as_many_jobs_as_the_pool_keeps_going_start_at_once(
    workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    jobs = [busy() for _ in range(ACTIVE_WORKERS)]

    for job in jobs:
        assert job.started.wait(5)
    assert (workers.size, workers.waiting) == (ACTIVE_WORKERS, 0)


def test_one_more_job_waits_until_a_worker_is_free(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    monkeypatch.setattr(workers_module, "STALL_SECONDS", 5.0)
    jobs = [busy() for _ in range(ACTIVE_WORKERS)]

    waiting = busy()

    assert (workers.size, workers.waiting) == (ACTIVE_WORKERS, 1)
    assert not waiting.started.is_set()
    jobs[3].done()
    assert waiting.started.wait(5)
    assert waiting.thread is jobs[3].thread
    assert (workers.size, workers.waiting) == (ACTIVE_WORKERS, 0)


@override_settings(MULLET={"CONNECTIONS": 2})
def test_no_more_workers_are_kept_going_than_there_are_connections(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    monkeypatch.setattr(workers_module, "STALL_SECONDS", 5.0)

    for _ in range(3):
        busy()

    assert (workers.size, workers.waiting) == (2, 1)


def test_stalled_workers_do_not_hold_up_a_job_that_waits(
    workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    for _ in range(ACTIVE_WORKERS):
        busy()

    waiting = [busy(), busy()]

    for job in waiting:
        assert job.started.wait(1.5)
    assert (workers.size, workers.waiting) == (ACTIVE_WORKERS + 2, 0)


def test_stalled_workers_do_not_hold_up_a_new_job(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    for _ in range(ACTIVE_WORKERS):
        busy()
    monkeypatch.setattr(workers_module, "STALL_SECONDS", 0.0)

    busy()

    assert (workers.size, workers.waiting) == (ACTIVE_WORKERS + 1, 0)


def test_a_new_job_waits_when_more_workers_are_going_than_are_kept_going(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    monkeypatch.setattr(workers_module, "STALL_SECONDS", 0.0)
    for _ in range(ACTIVE_WORKERS + 1):
        busy()
    monkeypatch.setattr(workers_module, "STALL_SECONDS", 60.0)

    busy()

    assert (workers.size, workers.waiting) == (ACTIVE_WORKERS + 1, 1)


@override_settings(MULLET={"THREADS": 2})
def test_there_are_never_more_workers_than_threads_allows(
    workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    busy(), busy()

    waiting = busy()

    assert not waiting.started.wait(4 * STALL_SECONDS)
    assert (workers.size, workers.waiting) == (2, 1)


def test_a_lower_limit_starts_no_worker_beside_those_that_there_are(
    workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    busy(), busy()

    with override_settings(MULLET={"THREADS": 1}):
        busy()

    assert (workers.size, workers.waiting) == (2, 1)


@override_settings(MULLET={"THREADS": 1})
def test_waiting_jobs_run_in_their_order(workers: WorkerPool, busy: Callable[[], Busy]) -> None:
    order: list[int] = []
    first = busy()
    for number in range(5):
        workers.submit(lambda number=number: order.append(number))  # type: ignore[misc]

    first.done()

    until(lambda: len(order) == 5)
    assert order == [0, 1, 2, 3, 4]


@override_settings(MULLET={"THREADS": 1, "QUEUE": 2})
def test_a_full_queue_takes_no_more_jobs(workers: WorkerPool, busy: Callable[[], Busy]) -> None:
    for _ in range(3):
        busy()

    with pytest.raises(Overloaded) as caught:
        busy()

    assert str(caught.value) == (
        "All workers are busy, and the queue is full (MULLET['QUEUE']). Run more "
        "processes, or raise MULLET['THREADS'] if endpoints wait for slow services."
    )
    assert workers.waiting == 2


@override_settings(MULLET={"THREADS": 1, "QUEUE": 1})
def test_a_full_queue_takes_a_job_that_must_be_done(
    workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    first, second = busy(), busy()
    done = threading.Event()

    workers.submit(done.set, even_if_full=True)

    assert workers.waiting == 2
    with pytest.raises(Overloaded):
        busy()
    first.done()
    second.done()
    assert done.wait(5)


def test_workers_are_prepared_and_cleared_in_their_own_thread(workers: WorkerPool) -> None:
    calls = []
    workers.enter = lambda: calls.append(("enter", threading.current_thread()))
    workers.leave = lambda: calls.append(("leave", threading.current_thread()))

    thread = thread_of(workers.submit)
    workers.stop()

    assert calls == [("enter", thread), ("leave", thread)]


def test_an_idle_worker_holds_on_to_nothing_of_its_last_job(workers: WorkerPool) -> None:
    job = Busy()
    job.done()
    gone = weakref.ref(job)

    workers.submit(job)
    idle(workers, 1)
    del job

    until(lambda: gone() is None)


def test_workers_without_work_end_but_for_those_kept_going(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    monkeypatch.setattr(workers_module, "IDLE_SECONDS", 0.02)
    left: list[str] = []
    workers.leave = lambda: left.append(threading.current_thread().name)
    jobs = [busy() for _ in range(4)]
    monkeypatch.setattr(workers_module, "ACTIVE_WORKERS", 2)

    for job in jobs:
        job.done()

    until(lambda: len(left) == 2)
    idle(workers, 2)
    threading.Event().wait(0.06)
    assert (workers.size, len(left)) == (2, 2)


def test_a_few_workers_without_work_stay(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool
) -> None:
    monkeypatch.setattr(workers_module, "IDLE_SECONDS", 0.01)
    thread = thread_of(workers.submit)

    threading.Event().wait(0.05)

    assert thread_of(workers.submit) is thread


def test_a_worker_in_a_long_job_is_not_without_work(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    monkeypatch.setattr(workers_module, "IDLE_SECONDS", 0.01)
    monkeypatch.setattr(workers_module, "ACTIVE_WORKERS", 1)
    job = busy()

    threading.Event().wait(0.05)

    assert workers.size == 1
    job.done()
    idle(workers, 1)
    assert thread_of(workers.submit) is job.thread


def test_stopping_ends_the_workers(workers: WorkerPool, busy: Callable[[], Busy]) -> None:
    jobs = [busy() for _ in range(3)]
    until(lambda: all(job.thread for job in jobs))
    for job in jobs:
        job.done()

    workers.stop()

    assert workers.size == 0
    assert not any(job.thread and job.thread.is_alive() for job in jobs)


def test_stopping_waits_for_jobs_that_run_or_wait(
    workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    done = []
    with override_settings(MULLET={"THREADS": 1}):
        first = busy()
        workers.submit(lambda: done.append("waiting"))
    timer = threading.Timer(0.05, first.done)
    timer.start()

    workers.stop()

    assert done == ["waiting"]
    assert workers.size == 0
    timer.join()


def test_stopping_does_not_wait_longer_than_asked(
    workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    jobs = [busy() for _ in range(2)]
    assert all(job.started.wait(5) for job in jobs)
    before = time.monotonic()

    workers.stop(timeout=0.02)

    assert time.monotonic() - before < 0.9
    assert workers.size == 2
    assert all(job.thread and job.thread.is_alive() for job in jobs)


def test_a_job_may_stop_the_pool(workers: WorkerPool) -> None:
    stopped = threading.Event()

    def stop() -> None:
        workers.stop()
        stopped.set()

    workers.submit(stop)

    assert stopped.wait(5)


def test_a_stopped_pool_can_be_used_again(workers: WorkerPool) -> None:
    before = thread_of(workers.submit)
    workers.stop()

    after = thread_of(workers.submit)

    assert after is not before
    idle(workers, 1)
    assert thread_of(workers.submit) is after


def test_stopping_an_unused_pool_does_nothing(workers: WorkerPool) -> None:
    workers.stop()

    assert workers.size == 0


# What may happen between two steps


def test_a_job_that_has_just_found_no_worker_goes_to_the_one_that_is_free_now(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool, busy: Callable[[], Busy]
) -> None:
    job, done = busy(), threading.Event()

    def become_free() -> bool:
        job.done()
        idle(workers, 1)
        return False

    monkeypatch.setattr(workers, "_may_grow", become_free)
    workers.submit(done.set)

    assert done.wait(5)
    assert workers.size == 1


def test_a_worker_whose_job_was_taken_by_another_stays_idle(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool
) -> None:
    class Taken(Backlog):
        def take(self, *, may_query: bool) -> Job:
            super().take(may_query=may_query)
            return super().take(may_query=may_query)

    thread = thread_of(workers.submit)
    idle(workers, 1)
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_backlog", Taken())
        workers._backlog.put(lambda: None, None, 0.0)
        workers._match()

    assert thread_of(workers.submit) is thread


def test_a_worker_does_not_end_when_a_job_is_coming_to_it(
    monkeypatch: pytest.MonkeyPatch, workers: WorkerPool
) -> None:
    monkeypatch.setattr(workers_module, "IDLE_SECONDS", 0.01)
    thread = thread_of(workers.submit)
    idle(workers, 1)

    coming_to = workers._idle.pop()
    monkeypatch.setattr(workers_module, "ACTIVE_WORKERS", 0)
    threading.Event().wait(0.05)

    assert thread_of(coming_to.inbox.put) is thread


# Processes


def run(script: str) -> list[str]:
    """Return the lines that `script` prints in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    return done.stdout.split()


def test_a_forked_process_starts_with_no_workers_and_makes_its_own() -> None:
    script = """
import os, threading
from django_mullet.execution.workers import pool
def work():
    done = threading.Event()
    pool.submit(done.set)
    assert done.wait(5)
work()
child = os.fork()
if child == 0:
    before = pool.size
    work()
    print("child", before, pool.size, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print("parent", pool.size)
"""

    assert run(script) == ["child", "0", "1", "parent", "1"]


def test_a_process_that_ends_lets_its_workers_leave() -> None:
    script = """
import threading
from django_mullet.execution.workers import pool
done = threading.Event()
pool.leave = lambda: print("left", flush=True)
pool.submit(done.set)
done.wait(5)
"""

    assert run(script) == ["left"]


def test_a_process_that_ends_does_not_wait_for_a_stuck_worker() -> None:
    script = """
import threading
from django_mullet.execution.workers import pool
started = threading.Event()
def stuck():
    started.set()
    threading.Event().wait()
pool.submit(stuck)
started.wait(5)
print("end")
"""

    assert run(script) == ["end"]
