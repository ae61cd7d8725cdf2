import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
from django.test import override_settings

from django_mullet import Overloaded
from django_mullet.execution import worker_lease
from django_mullet.execution.worker_lease import Habits, Lease, Reason
from django_mullet.execution.workers import WorkerPool
from tests.execution.pools import idle
from tests.waiting import until


class Owner:
    """Has a lease, and needs its worker as long as it says so."""

    def __init__(self, workers: WorkerPool, habits: Habits | None = None) -> None:
        self.lease = Lease(workers, habits)

    def thread(self) -> str:
        """Return the name of the thread in which the next job runs."""
        return Job(self.lease).result(timeout=5)

    def release_worker(self) -> None:
        self.lease.release(Reason.CONNECTION)
        self.thread()


class Job(Future[str]):
    """Submits itself; its result is the thread in which it ran."""

    def __init__(self, lease: Lease, do: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self._do, self._lease = do, lease
        lease.submit(self)

    def __call__(self) -> None:
        self._do()
        self._lease.finished()
        self.set_result(threading.current_thread().name)

    def refuse(self, error: Exception) -> None:
        self.set_exception(error)


def querying() -> Habits:
    """Return the habits of those who are known to query."""
    habits = Habits()
    habits.queries = True
    return habits


def test_a_lease_that_needs_no_worker_has_none_after_its_job(workers: WorkerPool) -> None:
    owner = Owner(workers)

    assert owner.thread() == "mullet-1"

    idle(workers, 1)
    assert not owner.lease.has_worker


def test_a_lease_keeps_its_worker_from_others(workers: WorkerPool) -> None:
    owner, other = Owner(workers), Owner(workers)
    owner.lease.keep(Reason.CONNECTION)

    leased = {owner.thread(), owner.thread()}

    assert len(leased) == 1
    assert other.thread() not in leased
    owner.release_worker()
    idle(workers, 2)


def test_a_worker_that_waits_in_vain_goes(
    workers: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_lease, "RECHECK_SECONDS", 0.01)
    looked: list[list[Reason]] = []

    def look_again() -> None:
        looked.append(lease.reasons.copy())
        lease.note(Reason.CONNECTION, applies=len(looked) < 3)

    lease = Lease(workers)
    lease.look_again = look_again
    lease.keep(Reason.CONNECTION)
    Job(lease).result(timeout=5)

    until(lambda: len(workers._idle) == 1)
    assert looked == [[Reason.CONNECTION]] * 3
    assert not lease.has_worker
    assert Job(lease).result(timeout=5) == "mullet-1"


def test_who_submits_does_not_wait_for_a_worker_that_looks_again(
    workers: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_lease, "RECHECK_SECONDS", 0.01)
    looks, end = threading.Event(), threading.Event()

    def look_again() -> None:
        looks.set()
        end.wait(10)

    lease = Lease(workers)
    lease.look_again = look_again
    lease.keep(Reason.CONNECTION)
    first = Job(lease).result(timeout=5)
    assert looks.wait(5)

    job = Job(lease)  # returns, or this test never ends
    assert not job.done()
    end.set()

    assert job.result(timeout=5) == first


def test_a_job_that_comes_as_patience_ends_is_done(
    workers: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on its way to the inbox, so the worker waits on."""
    monkeypatch.setattr(worker_lease, "RECHECK_SECONDS", 0.01)
    lease = Lease(workers)
    lease.keep(Reason.CONNECTION)
    Job(lease).result(timeout=5)
    until(lambda: lease._waiting is not None)
    with lease._changing:
        worker, lease._waiting = lease._waiting, None
        assert worker is not None
        worker.is_waiting = False
    time.sleep(0.05)

    class Late(Job):
        def __init__(self) -> None:
            Future.__init__(self)
            self._do, self._lease = (lambda: None), lease

    late = Late()
    worker.inbox.put(late)

    assert late.result(timeout=5)


def test_one_that_has_others_done_meanwhile_does_not_go(
    workers: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_lease, "RECHECK_SECONDS", 0.01)
    owner = Owner(workers)

    job = Job(owner.lease, owner.lease.wait)
    time.sleep(0.1)
    assert not job.done()
    owner.lease.resume()

    assert job.result(timeout=5) == "mullet-1"


def test_jobs_run_one_after_the_other(workers: WorkerPool) -> None:
    owner, running, most = Owner(workers), [], []

    def do() -> None:
        running.append(0)
        most.append(len(running))
        running.pop()

    jobs = [Job(owner.lease, do) for _ in range(100)]

    assert len({job.result(timeout=5) for job in jobs}) >= 1
    assert set(most) == {1}


def test_jobs_of_many_threads_all_run(workers: WorkerPool) -> None:
    owner, done = Owner(workers), []

    def submit() -> None:
        for _ in range(200):
            Job(owner.lease, lambda: done.append(0)).result(timeout=5)

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(done) == 1600
    idle(workers, workers.size)


def test_a_job_that_waits_has_others_done_meanwhile(workers: WorkerPool) -> None:
    owner, order = Owner(workers), []
    waits = threading.Event()

    def outer() -> None:
        waits.set()
        owner.lease.wait()
        order.append("outer")

    first = Job(owner.lease, outer)
    assert waits.wait(5)
    second = Job(owner.lease, lambda: order.append("inner"))
    owner.lease.resume()

    assert first.result(timeout=5) == second.result(timeout=5)
    assert order == ["inner", "outer"]


def test_a_lease_is_busy_until_all_its_jobs_are_done(workers: WorkerPool) -> None:
    owner, end = Owner(workers), threading.Event()
    assert not owner.lease.is_busy

    jobs = [Job(owner.lease, lambda: end.wait(5)) for _ in range(2)]

    assert owner.lease.is_busy
    end.set()
    for job in jobs:
        job.result(timeout=5)
    assert not owner.lease.is_busy


def test_a_leased_worker_that_waits_counts_for_none(workers: WorkerPool) -> None:
    with override_settings(MULLET={"THREADS": 1, "CONNECTIONS": 2}):
        owners = [Owner(workers) for _ in range(2)]
        for owner in owners:
            owner.lease.keep(Reason.CONNECTION)

        assert len({owner.thread() for owner in owners}) == 2
        assert Owner(workers).thread() == "mullet-3"

        for owner in owners:
            owner.release_worker()


def test_there_are_never_more_threads_than_threads_and_connections(workers: WorkerPool) -> None:
    with override_settings(MULLET={"THREADS": 1, "CONNECTIONS": 1}):
        owners = [Owner(workers) for _ in range(2)]
        for owner in owners:
            owner.lease.keep(Reason.CONNECTION)
            owner.thread()
        waiting = Job(Owner(workers).lease)

        assert workers.size == 2
        assert owners[0].thread() == "mullet-1"  # it needs no other worker to go on
        assert not waiting.done()

        for owner in owners:
            owner.release_worker()
        assert waiting.result(timeout=5) in {"mullet-1", "mullet-2"}


def test_what_finds_no_worker_is_not_submitted(workers: WorkerPool) -> None:
    with override_settings(MULLET={"THREADS": 1, "CONNECTIONS": 1, "QUEUE": 1}):
        end = threading.Event()
        workers.submit(lambda: end.wait(10))
        workers.submit(lambda: None)
        owner = Owner(workers)

        with pytest.raises(Overloaded):
            Job(owner.lease)
        end.set()
        until(lambda: not workers.waiting)

        assert owner.thread() == "mullet-1"


# While too many workers wait for connections


@pytest.fixture
def starved(workers: WorkerPool) -> Iterator[list[int]]:
    """Has an element for each worker that waits for a connection: as many as may be."""
    starved = [0] * 32
    workers.starved = starved
    yield starved
    starved.clear()


def test_a_job_that_queries_waits_and_others_do_not(
    workers: WorkerPool, starved: list[int]
) -> None:
    jobs = [Job(Owner(workers, querying()).lease) for _ in range(3)]

    assert Owner(workers).thread().startswith("mullet-")
    assert workers.waiting == 3

    starved.clear()

    assert all(job.result(timeout=5) for job in jobs)


def test_jobs_that_query_run_in_their_order(workers: WorkerPool, starved: list[int]) -> None:
    order: list[int] = []

    def note(number: int) -> Callable[[], None]:
        return lambda: order.append(number)

    with override_settings(MULLET={"THREADS": 1}):
        jobs = [Job(Owner(workers, querying()).lease, note(number)) for number in range(10)]
        starved.clear()
        for job in jobs:
            job.result(timeout=5)

    assert order == list(range(10))


def test_jobs_of_both_kinds_take_turns_and_each_has_its_order(workers: WorkerPool) -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    with override_settings(MULLET={"THREADS": 1}):
        end = threading.Event()
        workers.submit(lambda: end.wait(10))
        jobs = [Job(Owner(workers, querying()).lease, note(f"q{n}")) for n in range(4)]
        jobs += [Job(Owner(workers).lease, note(f"n{n}")) for n in range(2)]
        end.set()
        for job in jobs:
            job.result(timeout=5)

    assert order == ["n0", "q0", "n1", "q1", "q2", "q3"]


def test_what_is_found_out_to_query_meanwhile_lets_others_pass(workers: WorkerPool) -> None:
    order: list[str] = []
    habits = Habits()

    def note(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    def find_out() -> None:
        order.append("q0")
        habits.queries = True

    with override_settings(MULLET={"THREADS": 1}):
        end = threading.Event()
        workers.submit(lambda: end.wait(10))
        jobs = [Job(Owner(workers, habits).lease, find_out)]
        jobs += [Job(Owner(workers, habits).lease, note(f"q{n}")) for n in range(1, 4)]
        jobs += [Job(Owner(workers).lease, note("n"))]
        end.set()
        for job in jobs:
            job.result(timeout=5)

    assert order.index("n") <= 2


def test_a_job_that_queries_is_refused_in_the_end(workers: WorkerPool, starved: list[int]) -> None:
    with override_settings(MULLET={"CONNECTION_TIMEOUT": 0.1}):
        owner = Owner(workers, querying())
        jobs = [Job(owner.lease) for _ in range(2)]

        for job in jobs:
            with pytest.raises(Overloaded, match=r"No connection became free within 0\.1 s"):
                job.result(timeout=5)

    assert workers.waiting == 0
    starved.clear()
    assert owner.thread().startswith("mullet-")


def test_a_job_that_must_be_done_is_not_refused_with_the_others(
    workers: WorkerPool, starved: list[int]
) -> None:
    done = threading.Event()

    class Last:
        def __call__(self) -> None:
            owner.lease.finished()
            done.set()

        def refuse(self, error: Exception) -> None:
            raise AssertionError("It must be done.") from error

    with override_settings(MULLET={"CONNECTION_TIMEOUT": 0.1}):
        owner = Owner(workers, querying())
        job = Job(owner.lease)
        owner.lease.submit(Last(), in_any_case=True)

        with pytest.raises(Overloaded):
            job.result(timeout=5)

    assert done.wait(5)
    until(lambda: not owner.lease.has_worker)
    assert not owner.lease.is_busy


def test_one_that_came_later_is_not_refused_with_it(
    workers: WorkerPool, starved: list[int]
) -> None:
    with override_settings(MULLET={"CONNECTION_TIMEOUT": 0.2}):
        first = Job(Owner(workers, querying()).lease)
    with override_settings(MULLET={"CONNECTION_TIMEOUT": 30}):
        later = Job(Owner(workers, querying()).lease)

        assert isinstance(first.exception(timeout=5), Overloaded)
        assert not later.done()

        starved.clear()
        assert later.result(timeout=5)
