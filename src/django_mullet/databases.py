"""How many connections do the workers have open, and who gets the next one?

Django keeps one connection per thread and alias, which is right while there are no
more threads than connections. Here the two are limited separately: each worker thread
has, as Django's own thread-local connection, an instance of the configured backend's
class that asks a `Limiter` before it connects. A worker keeps its connection between
requests, as `CONN_MAX_AGE` says; between two requests, and only then, another worker may
take over the DB-API connection in it: as it is, without connecting anew.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from weakref import ref

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from django_mullet import conf
from django_mullet._compat import receivers_of
from django_mullet.exceptions import ConnectionLimitReached
from django_mullet.outcomes import WatchedConnection

__all__ = [
    "LimitedConnection",
    "Limiter",
    "backends_with_state",
    "begin",
    "close_abandoned",
    "close_all",
    "close_old",
    "expect_no_loss",
    "give_back",
    "in_use",
    "install",
    "is_held",
    "keep_state",
    "limiter",
    "lost_connection",
    "park",
    "prepare",
    "starved",
]

starved: "set[LimitedConnection]" = set()
"""Those that wait, in their workers, for a connection to become free."""


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

    def acquire(self, connection: "LimitedConnection") -> bool:
        """Have `connection` take over an idle DB-API connection, or leave it to open a new one.

        Return whether it has taken one over. Wait while `MULLET["CONNECTIONS"]` are open and in
        use; raise `ConnectionLimitReached` after `MULLET["CONNECTION_TIMEOUT"]` seconds.
        """
        limits = conf.current()
        with self._lock:
            if self._parked:
                # The one parked longest: its worker is the last to need it again.
                coldest = next(iter(self._parked))
                del self._parked[coldest]
                coldest.give_to(connection)
                return True
            if self.open < limits.connections:
                self.open += 1
                return False
            turn = self._waiting[connection] = threading.Event()
        starved.add(connection)
        try:
            turn.wait(limits.connection_timeout)
        except BaseException:
            if not self._stop_waiting(connection):
                self.release() if connection.connection is None else connection.abandon()
            raise
        finally:
            starved.discard(connection)
        if self._stop_waiting(connection):
            raise ConnectionLimitReached(
                f"No connection to database '{self.alias}' became free within "
                f"{limits.connection_timeout} s: all {limits.connections} are in use "
                "(see MULLET['CONNECTIONS'])."
            )
        return connection.connection is not None

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

    def renew(self, worn: "LimitedConnection", fresh: "LimitedConnection") -> None:
        """Have `fresh` stand in the place of `worn`, which is parked, or has no connection."""
        with self._lock:
            if worn.parked:
                del self._parked[worn]
                worn.give_to(fresh)
                self._parked[fresh] = None
                fresh.parked = True

    def claim(self, connection: "LimitedConnection") -> None:
        """Take `connection` back for its worker; what it held may be gone."""
        with self._lock:
            self._parked.pop(connection, None)
            connection.parked = False


@cache
def limiter(alias: str) -> Limiter:
    """Return the limiter of the connections that workers open to `alias`."""
    return Limiter(alias)


_OF_EVERY = {
    "_by_driver",
    "atomic_blocks",
    "autocommit",
    "close_at",
    "closed_in_transaction",
    "connection",
    "errors_occurred",
    "has_written",
    "health_check_done",
    "health_check_enabled",
    "in_atomic_block",
    "needs_rollback",
    "run_on_commit",
    "savepoint_ids",
}
"""Attributes that `connect()` sets for every backend."""

_MISSING = object()


class LimitedConnection(WatchedConnection):
    """Mixed into a backend's `DatabaseWrapper`: asks before it connects.

    Between requests it is parked. A request that queries claims it, and has it to its end; one
    that does not leaves it to whoever needs it.
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
        self.facts: dict[str, Any] = {}
        """What `connect()` has noted about the session, as the attributes of this wrapper."""
        self.wrappers: list[Any] = []
        """Of `execute_wrappers`, those by receivers of `connection_created`."""
        self._by_driver: dict[str, Any] = {}  # what there was when the driver had connected
        self.is_for_one_request = False
        """The backend has noted something that may be true in the request only that connected."""

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
        if _thread.before_claim is not None:
            _thread.before_claim()
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
        if _thread.before_claim is not None:
            _thread.before_claim()
        try:
            if limiter(self.alias).acquire(self) and self._go_on():
                return
            before, wrappers = vars(self).copy(), len(self.execute_wrappers)
            super().connect()
        except Exception:
            _thread.lost_connection = True
            raise
        self.facts = {
            name: value
            for name, value in vars(self).items()
            if name not in _OF_EVERY and before.get(name, _MISSING) is not value
        }
        self.wrappers = self.execute_wrappers[wrappers:]
        self.is_for_one_request = not (_is_django_s(self) or all(map(self._is_kept, self.facts)))
        self._by_driver = {}

    def _is_kept(self, fact: str) -> bool:
        """Return whether `fact` is of the connection, or what Django finds out about any."""
        return self._by_driver.get(fact, _MISSING) is self.facts[fact] or any(
            fact in vars(cls) for cls in type(self).__mro__ if cls.__module__.startswith(_DJANGO_S)
        )

    def get_new_connection(self, conn_params: Any) -> Any:
        try:
            new = super().get_new_connection(conn_params)
        except BaseException:
            limiter(self.alias).release()
            raise
        self._by_driver = vars(self).copy()
        return new

    def _go_on(self) -> bool:
        """Use what has been taken over, as the next request of its last worker would.

        Return whether that is possible; if not, it is closed, and there is room for another.
        """
        self.in_atomic_block = self.closed_in_transaction = False
        self.needs_rollback = self.errors_occurred = False
        self.savepoint_ids, self.atomic_blocks, self.run_on_commit = [], [], []
        self.health_check_enabled = self.settings_dict["CONN_HEALTH_CHECKS"]
        self.health_check_done = True
        is_obsolete = self.close_at is not None and time.monotonic() >= self.close_at
        if is_obsolete or (self.health_check_enabled and not self.is_usable()):
            super().close()  # SQLite keeps a database in memory open
        return self.connection is not None

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
        other.autocommit = self.autocommit
        other.facts, other.wrappers = self.facts, self.wrappers
        vars(other).update(self.facts)
        self.execute_wrappers = [
            each for each in self.execute_wrappers if each not in self.wrappers
        ]
        other.execute_wrappers += self.wrappers
        self.connection = self.lasting_cursor = None
        self.parked = False

    def is_held(self) -> bool:
        """Return whether it is in the middle of something that only its thread can end."""
        return bool(self.cursors) or self.is_begun

    def clean(self) -> None:
        """Have the session forget what it was told, as if it had just been opened."""
        self.lasting_cursor = None
        if self.connection is None:
            return
        if self.vendor != "postgresql" or _is_set_up_by_others():
            self.close()
            return
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("DISCARD ALL")
            self.init_connection_state()
        except Exception:  # the driver's own, too
            self.abandon()

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


def _is_django_s(connection: BaseDatabaseWrapper) -> bool:
    """Return whether `connection` has no state but what Django knows."""
    backend: Any = type(connection)
    return _are_django_s(backend)


@cache
def _are_django_s(backend: Any) -> bool:
    modules = [cls.__module__ for cls in backend.__mro__ if cls is not object]
    return all(module.startswith(_DJANGO_S) for module in modules)


_DJANGO_S = ("django.db.backends.", "django.contrib.gis.db.backends.", "django_mullet.")


def backends_with_state() -> Iterator[tuple[str, str]]:
    """Yield the aliases with a backend that is not Django's own, and the backend."""
    for alias, settings in connections.settings.items():
        if not _is_django_s(connections.create_connection(alias)):
            yield alias, settings["ENGINE"]


def _is_set_up_by_others() -> bool:
    """Return whether somebody but Django is told of new connections, and may set them up."""
    modules = [receiver.__module__ for receiver in receivers_of(connection_created)]
    return not all(module.startswith(("django.", "django_mullet.")) for module in modules)


class _Thread(threading.local):
    def __init__(self) -> None:
        self.connections: dict[str, LimitedConnection] = {}
        self.has_state = False
        self.lost_connection = False
        self.before_claim: Callable[[], object] | None = None


_thread = _Thread()

os.register_at_fork(after_in_child=limiter.cache_clear)


def install() -> None:
    """Give the calling thread limited connections for every alias; none is opened yet."""
    held = _thread.connections
    for alias in [alias for alias in held if alias not in connections.settings]:
        held.pop(alias).abandon()
    ordinary = {each.alias: each for each in connections.all(initialized_only=True)}
    for alias in [alias for alias in connections.settings if alias not in held]:
        if alias in ordinary:
            ordinary[alias].close()
        held[alias] = connections[alias] = _new(alias)
    _thread.has_state = not all(map(_is_django_s, held.values()))


def _new(alias: str) -> LimitedConnection:
    ordinary = connections.create_connection(alias)
    backend: Any = type(ordinary)
    return _limited(backend)(ordinary.settings_dict, alias)


def begin() -> None:
    """Before the first job of a request: leave nothing of another in the wrappers.

    A backend that is not Django's own keeps state there: which tenant's schema it has told the
    session to use, for instance.
    """
    if not _thread.has_state:
        return
    for alias, worn in list(_thread.connections.items()):
        if not _is_django_s(worn):
            fresh = _new(alias)
            limiter(alias).renew(worn, fresh)
            worn.close()
            _thread.connections[alias] = fresh
            if connections[alias] is worn:  # and not that of a test
                connections[alias] = fresh


def prepare(before_claim: Callable[[], object] | None = None) -> None:
    """Before each job: have new aliases looked after, and `lost_connection()` tell of this job.

    `before_claim` is called before a connection is used that was not, and may raise.
    """
    expect_no_loss()
    _thread.before_claim = before_claim
    if _is_outdated() and not _used_elsewhere():
        install()


def _is_outdated() -> bool:
    held = _thread.connections  # none but in a worker
    return bool(held) and held.keys() != connections.settings.keys()


def _used_elsewhere() -> bool:
    """Return whether an alias that has come since is used already, by an ordinary connection."""
    return any(_elsewhere())


def _elsewhere() -> Iterator[BaseDatabaseWrapper]:
    for each in connections.all(initialized_only=True):
        if each.connection is not None and each.alias not in _thread.connections:
            yield each


def _begun_elsewhere() -> bool:
    """Return whether such a connection is in a transaction."""
    return any(
        each.in_atomic_block or (each.settings_dict["AUTOCOMMIT"] and not each.autocommit)
        for each in _elsewhere()
    )


def keep_state() -> bool:
    """Return whether the calling worker's connections have state that is no query's."""
    return _thread.has_state


def close_all() -> None:
    """Close the calling worker's connections, and whatever was left open on them."""
    for connection in _thread.connections.values():
        connection.abandon()


def park() -> None:
    """After a request: let others take the calling worker's open connections over."""
    for connection in _thread.connections.values():
        is_open = connection.connection is not None
        if is_open and not (connection.parked or connection.is_held()):
            if connection.is_for_one_request:
                connection.abandon()
            else:
                limiter(connection.alias).park(connection)
    if _is_outdated():
        install()


def give_back(*, clean: bool) -> None:
    """After a call that is a unit of its own: do what is done at the end of a request."""
    if _is_outdated() and _begun_elsewhere():
        return
    for connection in _thread.connections.values():
        if connection.connection is None or connection.parked or connection.is_held():
            continue
        connection.close_if_unusable_or_obsolete()
        if clean:
            connection.clean()
    park()


def close_old() -> None:
    """Do what `django.db.close_old_connections` does, for the calling worker's connections.

    A parked one has its turn when it is claimed.
    """
    for connection in _thread.connections.values():
        if connection.connection is not None and not connection.parked:
            connection.close_if_unusable_or_obsolete()


def reset_queries() -> None:
    """Do what `django.db.reset_queries` does, for the calling worker's connections."""
    for connection in _thread.connections.values():
        if connection.queries_log:
            connection.queries_log.clear()


def close_abandoned() -> list[str]:
    """Close cursors that the calling worker has left open, and connections in a transaction.

    Return the aliases of those whose transaction nobody has ended.
    """
    abandoned = []
    for connection in _thread.connections.values():
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
    """Return whether the calling worker has a connection open that its request has used."""
    for connection in _thread.connections.values():
        if connection.connection is not None and not connection.parked:
            return True
    return _is_outdated() and _used_elsewhere()


def is_held() -> bool:
    """Return whether the calling worker is in the middle of a transaction, or of a result."""
    return any(connection.is_held() for connection in _thread.connections.values())
