import threading
import time

import pytest

from django_mullet.execution.stall_watcher import StallWatcher
from tests.waiting import until

SECONDS = 0.005


class Jobs(list[str]):
    """Jobs that wait, each until it is relieved once; and how often they were."""

    relieved = 0

    def relieve(self) -> None:
        self.relieved += 1
        del self[:1]


def test_who_waits_is_relieved_until_nobody_waits() -> None:
    jobs = Jobs(["first", "second", "third"])

    StallWatcher(jobs, jobs.relieve, SECONDS).wake()

    until(lambda: not jobs)
    assert jobs.relieved == 3


def test_it_rests_while_no_job_waits() -> None:
    jobs = Jobs(["job"])
    watcher = StallWatcher(jobs, jobs.relieve, SECONDS)
    assert watcher.rests

    watcher.wake()

    assert not watcher.rests or not jobs
    until(lambda: watcher.rests)
    relieved = jobs.relieved
    time.sleep(4 * SECONDS)
    assert jobs.relieved == relieved


def test_it_is_woken_again_in_the_same_thread() -> None:
    jobs, threads = Jobs(["job"]), set()

    def relieve() -> None:
        threads.add(threading.current_thread())
        jobs.relieve()

    watcher = StallWatcher(jobs, relieve, SECONDS)
    for _ in range(3):
        jobs.append("job")
        watcher.wake()
        until(lambda: watcher.rests)

    assert not jobs
    assert [thread.name for thread in threads] == ["mullet-watcher"]


def test_it_sees_a_job_that_came_while_it_looked_away(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = Jobs(["job"])
    watcher = StallWatcher(jobs, jobs.relieve, SECONDS)

    class Called(threading.Event):
        def clear(self) -> None:
            super().clear()
            if jobs.relieved == 1:
                jobs.append("late")

    monkeypatch.setattr(watcher, "_is_called", Called())
    watcher.wake()

    until(lambda: jobs.relieved == 2)
    assert not jobs
