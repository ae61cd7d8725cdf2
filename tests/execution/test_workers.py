"""Jobs run in few threads, in their order, and one that is stalled holds up no others."""

import threading
import weakref
from collections.abc import Callable

import pytest
from django.test import override_settings

from django_mullet import Overloaded
from django_mullet.execution import workers as workers_module
from django_mullet.execution.job_queue import Backlog, Job
from django_mullet.execution.workers import ACTIVE_WORKERS, STALL_SECONDS, WorkerPool
from tests.execution.pools import Busy, idle, thread_of
from tests.waiting import until


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
