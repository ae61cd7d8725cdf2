"""What tests of executions may use."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import signals
from django.test import override_settings

from django_mullet.execution.workers import pool
from tests.executing import here

__all__ = ["events", "only_worker"]


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
