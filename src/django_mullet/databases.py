"""How many connections do the workers have open, and who gets the next one?

Django keeps one connection per thread and alias, which is right while there are no
more threads than connections. Here the two are limited separately: each worker thread
has, as Django's own thread-local connection, an instance of the configured backend's
class that asks a `Limiter` before it connects. A worker keeps its connection between
requests, as `CONN_MAX_AGE` says; while it is idle, or others wait, another worker may
take over the DB-API connection in it.
"""

import os
import threading
from functools import cache
from typing import Any
from weakref import ref

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from django_mullet import conf
from django_mullet.exceptions import ConnectionLimitReached
from django_mullet.outcomes import WatchedConnection

__all__ = [
    "LimitedConnection",
    "Limiter",
    "close_abandoned",
    "close_all",
    "close_old",
    "expect_no_loss",
    "in_use",
    "install",
    "limiter",
    "lost_connection",
    "park",
    "reconnects",
]


class Limiter:
    """Counts the open connections of one alias and hands idle ones over.

    What becomes free while others wait goes to the one that waits longest, there and then: so
    every open DB-API connection is at any time in the `LimitedConnection` of some worker.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.open = 0
        self._parked: dict[LimitedConnection, None] = {}
        self._waiting: dict[LimitedConnection, threading.Event] = {}
        self._lock = threading.Lock()

    def acquire(self, connection: "LimitedConnection") -> None:
        """Have `connection` take over an idle DB-API connection, or leave it to open a new one.

        Wait while `MULLET["CONNECTIONS"]` are open and in use; raise
        `ConnectionLimitReached` after `MULLET["CONNECTION_TIMEOUT"]` seconds.
        """
        limits = conf.current()
        with self._lock:
            if self._parked:
                # The one parked longest: its worker is the last to need it again.
                coldest = next(iter(self._parked))
                del self._parked[coldest]
                coldest.give_to(connection)
                return
            if self.open < limits.connections:
                self.open += 1
                return
            turn = self._waiting[connection] = threading.Event()
        try:
            turn.wait(limits.connection_timeout)
        except BaseException:
            if not self._stop_waiting(connection):
                self.release() if connection.connection is None else connection.abandon()
            raise
        if self._stop_waiting(connection):
            raise ConnectionLimitReached(
                f"No connection to database '{self.alias}' became free within "
                f"{limits.connection_timeout} s: all {limits.connections} are in use "
                "(see MULLET['CONNECTIONS'])."
            )

    def release(self) -> None:
        """Note that a connection is closed: whoever waits longest may open one."""
        with self._lock:
            if self._waiting:
                self._next()
            else:
                self.open -= 1

    def park(self, connection: "LimitedConnection") -> None:
        """Let others take over what `connection` holds, until its worker claims it."""
        with self._lock:
            if self._waiting:
                connection.give_to(self._next())
            else:
                self._parked[connection] = None
                connection.parked = True

    def _next(self) -> "LimitedConnection":
        """End the turn of the one that waits longest, and return it."""
        first = next(iter(self._waiting))
        self._waiting.pop(first).set()
        return first

    def _stop_waiting(self, connection: "LimitedConnection") -> bool:
        """Return whether `connection` still waited."""
        with self._lock:
            return self._waiting.pop(connection, None) is not None

    def claim(self, connection: "LimitedConnection") -> None:
        """Take `connection` back for its worker; what it held may be gone."""
        with self._lock:
            self._parked.pop(connection, None)
            connection.parked = False


@cache
def limiter(alias: str) -> Limiter:
    """Return the limiter of the connections that workers open to `alias`."""
    return Limiter(alias)


class LimitedConnection(WatchedConnection):
    """Mixed into a backend's `DatabaseWrapper`: asks before it connects.

    Between jobs it is parked. A job that queries claims it; one that does not leaves it to
    whoever needs it. While `QuerySet.iterator()` reads from a cursor it is not: the cursor is
    the connection's.
    """

    health_check_enabled: bool
    health_check_done: bool
    parked = False
    lasting_cursor: Any = None
    """A cursor that waits for its next query; see `cursors`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursors: set[ref[Any]] = set()
        """Those that `QuerySet.iterator()` has not read to the end, and nobody forgotten."""

    def ensure_connection(self) -> None:
        if self.parked:
            self._claim()
        if self.connection is None:
            super().ensure_connection()

    def close_if_health_check_failed(self) -> None:
        if self.parked:
            self._claim()
        if self.health_check_enabled and not self.health_check_done:
            super().close_if_health_check_failed()

    def _claim(self) -> None:
        limiter(self.alias).claim(self)
        # What `request_started` has Django do, for this request.
        self.close_if_unusable_or_obsolete()

    def chunked_cursor(self) -> Any:
        cursor = super().chunked_cursor()
        self.cursors.add(ref(cursor, self.cursors.discard))
        return cursor

    def close_cursors(self) -> None:
        """End what `QuerySet.iterator()` reads, or this connection if that fails."""
        cursors = [cursor() for cursor in self.cursors]
        self.cursors.clear()
        try:
            for cursor in filter(None, cursors):
                cursor.close()
        except Exception:
            self.abandon()

    def connect(self) -> None:
        try:
            super().connect()
        except Exception:
            _thread.lost_connection = True
            raise

    def get_new_connection(self, conn_params: Any) -> Any:
        close_at = self.close_at
        limiter(self.alias).acquire(self)
        if self.connection is not None:  # taken over
            if not self.settings_dict["CONN_HEALTH_CHECKS"] or self.is_usable():
                return self.connection
            super().close()
            self.close_at = close_at
        try:
            return super().get_new_connection(conn_params)
        except BaseException:
            limiter(self.alias).release()
            raise

    def close(self) -> None:
        if self.parked:
            limiter(self.alias).claim(self)
        self.lasting_cursor = None
        was_open = self.connection is not None and not self.closed_in_transaction
        if was_open and self.errors_occurred:
            _thread.lost_connection = True
        super().close()
        self.cursors.clear()
        # SQLite keeps a database in memory open.
        if was_open and (self.connection is None or self.closed_in_transaction):
            limiter(self.alias).release()

    def give_to(self, other: "LimitedConnection") -> None:
        """Have `other` hold this DB-API connection and its end; this wrapper is then closed."""
        other.connection, other.close_at = self.connection, self.close_at
        self.connection = self.lasting_cursor = None
        self.parked = False

    def abandon(self) -> None:
        """Close this connection, and forget a transaction that was never ended."""
        self.close()
        if self.connection is not None and not self.closed_in_transaction:
            # SQLite keeps a database in memory open; its worker may be about to end.
            self.connection.close()
            limiter(self.alias).release()
        self.connection = None
        self.in_atomic_block = False
        self.closed_in_transaction = False


@cache
def _limited(backend: Any) -> type[LimitedConnection]:
    return type(backend.__name__, (LimitedConnection, backend), {"__module__": backend.__module__})


class _Thread(threading.local):
    def __init__(self) -> None:
        self.connections: list[LimitedConnection] = []
        self.lost_connection = False


_thread = _Thread()

os.register_at_fork(after_in_child=limiter.cache_clear)


def install() -> None:
    """Give the calling thread limited connections for every alias; none is opened yet."""
    for alias in connections:
        ordinary = connections.create_connection(alias)
        backend: Any = type(ordinary)
        limited = _limited(backend)(ordinary.settings_dict, alias)
        connections[alias] = limited
        _thread.connections.append(limited)


def close_all() -> None:
    """Close the calling worker's connections, and whatever was left open on them."""
    for connection in _thread.connections:
        connection.abandon()


def park() -> None:
    """After a job: let others take the calling worker's open connections over."""
    for connection in _thread.connections:
        is_open = connection.connection is not None
        is_free = not (connection.parked or connection.is_begun or connection.cursors)
        if is_open and is_free:
            limiter(connection.alias).park(connection)


def close_old() -> None:
    """Do what `django.db.close_old_connections` does, for the calling worker's connections.

    A parked one has its turn when it is claimed.
    """
    for connection in _thread.connections:
        if connection.connection is not None and not connection.parked:
            connection.close_if_unusable_or_obsolete()


def reset_queries() -> None:
    """Do what `django.db.reset_queries` does, for the calling worker's connections."""
    for connection in _thread.connections:
        if connection.queries_log:
            connection.queries_log.clear()


def close_abandoned() -> list[str]:
    """Close cursors that the calling worker has left open, and connections in a transaction.

    Return the aliases of those whose transaction nobody has ended.
    """
    abandoned = []
    for connection in _thread.connections:
        if connection.is_begun:
            if connection.has_begun_work:
                abandoned.append(connection.alias)
            connection.abandon()
        elif connection.cursors:
            connection.close_cursors()
    return abandoned


def expect_no_loss() -> None:
    """Have `lost_connection()` tell of what happens from now on."""
    _thread.lost_connection = False


def lost_connection() -> bool:
    """Return whether a database of the calling worker was not there when it was needed."""
    return _thread.lost_connection or any(
        connection.connection is not None
        and connection.errors_occurred
        and not _is_there(connection)
        for connection in connections.all(initialized_only=True)
    )


def _is_there(connection: BaseDatabaseWrapper) -> bool:
    if connection.in_atomic_block:
        # No query could tell: where one has failed, the transaction refuses all others.
        return not getattr(connection.connection, "closed", False)
    return connection.is_usable()


def in_use() -> bool:
    """Return whether the calling worker has a transaction open, or is in `QuerySet.iterator()`."""
    return any(connection.is_begun or connection.cursors for connection in _thread.connections)


def reconnects() -> bool:
    """Return whether some database is connected to anew by every request.

    So it is with `CONN_MAX_AGE = 0`, Django's default, unless psycopg's pool is used.
    """
    return any(
        settings["CONN_MAX_AGE"] == 0 and not settings["OPTIONS"].get("pool")
        for settings in connections.settings.values()
    )
