"""How does a test run code as a worker does, with the connections of one?"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from django.db import connection

from django_mullet.execution import connections
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.job_queue import Job
from django_mullet.execution.worker_lease import Lease, Reason
from django_mullet.execution.workers import WorkerPool, pool
from tests.testapp.models import Item

__all__ = ["Thread", "open_connections", "submitted", "use", "worker_threads"]

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
    """A thread that has a worker's connections."""

    def __init__(self, workers: WorkerPool) -> None:
        self._lease = Lease(workers)
        self._lease.keep(Reason.CONNECTION)

    def close(self) -> None:
        """Let the thread go when it has done what was submitted before."""
        self._lease.release(Reason.CONNECTION)
        self._lease.submit(lambda: None)

    def submit(self, function: Callable[[], T]) -> "Future[T]":
        return submitted(self._lease.submit, function)

    def run(self, function: Callable[[], T]) -> T:
        return self.submit(function).result(timeout=10)


@contextmanager
def worker_threads() -> Iterator[Callable[[], Thread]]:
    """Yield what starts threads that have a worker's connections, and count theirs only."""
    pool.stop()
    slots_of.cache_clear()
    workers = WorkerPool()
    workers.enter = connections.install_worker_connections
    workers.leave = connections.close_all
    with ExitStack() as stack:

        def start() -> Thread:
            thread = Thread(workers)
            stack.callback(thread.close)
            return thread

        yield start
    workers.stop()
    slots_of.cache_clear()


def use() -> Any:
    """Run a query and return the DB-API connection that it ran on."""
    Item.objects.count()
    return connection.connection


def open_connections() -> int:
    """Return how many connections to the default database are open."""
    return slots_of("default").open
