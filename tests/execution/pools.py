"""How does a test keep workers busy, and see where a job runs, here or in another process?"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future

from django_mullet.execution.workers import WorkerPool
from tests.waiting import until

__all__ = ["Busy", "idle", "printed_by", "thread_of"]


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


def thread_of(submit: Callable[[Callable[[], object]], None]) -> threading.Thread:
    """Return the thread in which a job runs."""
    future: Future[threading.Thread] = Future()
    submit(lambda: future.set_result(threading.current_thread()))
    return future.result(timeout=5)


def idle(workers: WorkerPool, count: int) -> None:
    until(lambda: len(workers._idle) == count)


def printed_by(script: str) -> list[str]:
    """Return the lines that `script` prints in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
    return done.stdout.split()
