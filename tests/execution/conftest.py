"""What tests of executions may use."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.core import mail, signals
from django.test import override_settings

from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.workers import WorkerPool, pool
from tests.executing import here
from tests.execution.nothing_held import assert_nothing_is_held
from tests.execution.pools import Busy

__all__ = ["as_in_production", "busy", "events", "only_worker", "workers"]


@pytest.fixture
def only_worker() -> Iterator[threading.Event]:
    """Occupies the only worker until the event is set."""
    with override_settings(MULLET={"THREADS": 1, "QUEUE": 1}):
        pool.stop()
        end, started = threading.Event(), threading.Event()

        def job() -> None:
            started.set()
            end.wait(10)

        pool.submit(job)
        assert started.wait(5)
        yield end
        end.set()


@pytest.fixture
def events() -> Iterator[list[str]]:
    events: list[str] = []

    def started(sender: type, **kwargs: Any) -> None:
        events.append(f"started {here()} {kwargs['scope']['type']}")

    def finished(sender: type, **kwargs: Any) -> None:
        events.append(f"finished {here()}")

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    yield events
    signals.request_started.disconnect(started)
    signals.request_finished.disconnect(finished)


@pytest.fixture
def workers() -> Iterator[WorkerPool]:
    workers = WorkerPool()
    yield workers
    workers.stop()


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


@pytest.fixture
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a request hold what it holds in production, and nothing of the test's."""
    monkeypatch.delattr(mail, "outbox")
    pool.stop()
    slots_of.cache_clear()
    yield
    assert_nothing_is_held()
    pool.stop()
    assert slots_of("default").open == 0
