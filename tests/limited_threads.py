"""How does a test run code as a worker does, with the connections of one?"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from django.db import connection

from django_mullet.execution import connection_limit, connections
from django_mullet.execution.job_queue import Job
from django_mullet.execution.worker_lease import Lease
from django_mullet.execution.workers import WorkerPool, pool
from tests.testapp.models import Item

__all__ = ["Thread", "limited_threads", "open_connections", "submitted", "use"]

T = TypeVar("T")


def submitted(submit: Callable[[Job], object], function: Callable[[], T]) -> "Future[T]":
    """Return the future of what `function` returns as a job of what `submit` belongs to."""
    future: Future[T] = Future()

    def job() -> None:
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(error)

    submit(job)
    return future


class Thread:
    """A thread with limited connections."""

    def __init__(self, workers: WorkerPool) -> None:
        self._lease = Lease(workers)
        self._lease.is_needed = True

    def close(self) -> None:
        """Let the thread go when it has done what was submitted before."""
        self._lease.is_needed = False
        self._lease.submit(lambda: None)

    def submit(self, function: Callable[[], T]) -> "Future[T]":
        return submitted(self._lease.submit, function)

    def run(self, function: Callable[[], T]) -> T:
        return self.submit(function).result(timeout=10)


@contextmanager
def limited_threads() -> Iterator[Callable[[], Thread]]:
    """Yield what starts threads with limited connections, and count theirs only."""
    pool.stop()
    connection_limit.limiter.cache_clear()
    workers = WorkerPool()
    workers.enter = connections.install
    workers.leave = connections.close_all
    with ExitStack() as stack:

        def start() -> Thread:
            thread = Thread(workers)
            stack.callback(thread.close)
            return thread

        yield start
    workers.stop()
    connection_limit.limiter.cache_clear()


def use() -> Any:
    """Run a query and return the DB-API connection that it ran on."""
    Item.objects.count()
    return connection.connection


def open_connections() -> int:
    """Return how many connections to the default database are open."""
    return connection_limit.limiter("default").open
