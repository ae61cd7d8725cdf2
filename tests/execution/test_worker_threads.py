"""Worker threads end when there is no work, when the pool is stopped, or with the process."""

import threading
import time
from collections.abc import Callable

import pytest
from django.test import override_settings

from django_mullet.execution import workers as workers_module
from django_mullet.execution.workers import WorkerPool
from tests.execution.pools import Busy, idle, printed_by, thread_of
from tests.waiting import until


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


# Processes


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

    assert printed_by(script) == ["child", "0", "1", "parent", "1"]


def test_a_process_that_ends_lets_its_workers_leave() -> None:
    script = """
import threading
from django_mullet.execution.workers import pool
done = threading.Event()
pool.leave = lambda: print("left", flush=True)
pool.submit(done.set)
done.wait(5)
"""

    assert printed_by(script) == ["left"]


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

    assert printed_by(script) == ["end"]
