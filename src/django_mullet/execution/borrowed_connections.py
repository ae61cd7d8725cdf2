"""The connection of a Django test, borrowed by workers while the test is in a transaction.

`TestCase` and pytest-django's `db` open a transaction on the connection of the test's own
thread and roll it back in the end. A worker borrows that connection for the length of a job,
so that it sees the test's rows, and its own are rolled back with them. None of this
happens outside Django's test environment.
"""

import threading
from typing import Any
from weakref import WeakSet

from django.core import mail, signals
from django.db import close_old_connections, connections
from django.db.backends.base.base import NO_DB_ALIAS, BaseDatabaseWrapper

from django_mullet._compat.backends import share_between_threads
from django_mullet.execution.worker_connection import WorkerConnection
from django_mullet.execution.workers import pool

__all__ = ["SharedConnections", "held_by_test", "in_tests", "remember"]

_outside_workers: WeakSet[BaseDatabaseWrapper] = WeakSet()
_borrowing = threading.RLock()


def remember(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Receive `connection_created`: note the connections that no worker made.

    A connection to no database is made to create or drop one, while nobody may be connected to it:
    the workers are stopped, with their connections.
    """
    if connection.alias == NO_DB_ALIAS and in_tests():
        pool.stop()
    elif not isinstance(connection, WorkerConnection):
        _outside_workers.add(connection)


def in_tests() -> bool:
    """Return whether this is Django's test environment (`setup_test_environment()` has run)."""
    return "outbox" in vars(mail)


def held_by_test() -> "SharedConnections | None":
    """Return the connections on which the running test holds a transaction, if any."""
    if not in_tests():
        return None
    held = {c.alias: c for c in list(_outside_workers) if c.in_atomic_block}
    return SharedConnections(held) if held else None


class SharedConnections:
    """Context manager for a worker: the test's connections are the worker's.

    One worker at a time has them; one that leaves with a transaction of its own still
    open keeps them until it comes back and ends it.
    """

    def __init__(self, held: dict[str, BaseDatabaseWrapper]) -> None:
        self._held = held
        self._own: dict[str, BaseDatabaseWrapper] = {}
        self._depth = 0
        self.in_transaction = False

    def __enter__(self) -> None:
        if not self.in_transaction:
            _borrowing.acquire()
            self._depth = self._open_blocks()
        self._own = {c.alias: c for c in connections.all(initialized_only=True)}
        for alias, connection in self._held.items():
            share_between_threads(connection)
            connections[alias] = connection
        # It would close a connection that is in a transaction; Django's test client does the same.
        signals.request_started.disconnect(close_old_connections)
        signals.request_finished.disconnect(close_old_connections)

    def __exit__(self, *exc_info: object) -> None:
        signals.request_started.connect(close_old_connections)
        signals.request_finished.connect(close_old_connections)
        for alias, connection in self._held.items():
            connection.dec_thread_sharing()
            if alias in self._own:
                connections[alias] = self._own[alias]
            else:
                del connections[alias]
        self.in_transaction = self._open_blocks() > self._depth
        if not self.in_transaction:
            _borrowing.release()

    def _open_blocks(self) -> int:
        return sum(len(connection.atomic_blocks) for connection in self._held.values())
