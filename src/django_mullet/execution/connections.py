"""The connections of worker threads: opened, checked in and out, cleaned and closed.

Django keeps one connection for each thread and alias, which is right while there are no more
threads than connections. Here each of the two has a limit of its own: a worker thread has, as
Django's own thread-local connection, a `WorkerConnection` of the configured backend, which takes
one of the `ConnectionSlots` before it connects. A worker keeps its connection between requests, as
`CONN_MAX_AGE` says; between two requests, and only then, another worker may take over the DB-API
connection in it: as it is, without connecting anew.
"""

import threading
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.worker_connection import WorkerConnection, has_state, job

__all__ = [
    "backends_with_state",
    "begin",
    "checkin",
    "close_abandoned",
    "close_all",
    "close_old",
    "close_used",
    "expect_no_loss",
    "forget_sessions",
    "give_back",
    "in_use",
    "install_worker_connections",
    "keep_state",
    "lost_connection",
    "prepare",
]


@cache
def _class_for(backend: Any) -> type[WorkerConnection]:
    return type(backend.__name__, (WorkerConnection, backend), {"__module__": backend.__module__})


def backends_with_state() -> Iterator[tuple[str, str]]:
    """Yield the aliases with a backend that is not Django's own, and the backend."""
    for alias, settings in connections.settings.items():
        if has_state(connections.create_connection(alias)):
            yield alias, settings["ENGINE"]


class _Thread(threading.local):
    def __init__(self) -> None:
        self.connections: dict[str, WorkerConnection] = {}
        self.has_state = False


_thread = _Thread()


def install_worker_connections() -> None:
    """Give the calling thread a `WorkerConnection` for every alias; none is opened yet."""
    held = _thread.connections
    for alias in [alias for alias in held if alias not in connections.settings]:
        held.pop(alias).abandon()
    ordinary = {each.alias: each for each in connections.all(initialized_only=True)}
    for alias in [alias for alias in connections.settings if alias not in held]:
        if alias in ordinary:
            ordinary[alias].close()
        held[alias] = connections[alias] = _new(alias)
    _thread.has_state = any(map(has_state, held.values()))


def _new(alias: str) -> WorkerConnection:
    ordinary = connections.create_connection(alias)
    backend: Any = type(ordinary)
    return _class_for(backend)(ordinary.settings_dict, alias)


def begin() -> None:
    """Before the first job of a request: replace connection objects that keep state of another.

    A backend that is not Django's own keeps state there: for instance which tenant's schema it has
    told the session to use.
    """
    if not _thread.has_state:
        return
    for alias, worn in list(_thread.connections.items()):
        if has_state(worn):
            fresh = _new(alias)
            slots_of(alias).renew(worn, fresh)
            worn.close()
            _thread.connections[alias] = connections[alias] = fresh


def prepare(before_checkout: Callable[[], object] | None = None) -> None:
    """Before each job: install connections for new aliases, and reset `lost_connection()`.

    `before_checkout` is called before the job uses a connection that was idle, and may raise.
    """
    expect_no_loss()
    job.before_checkout = before_checkout
    if _is_outdated() and not _used_elsewhere():
        install_worker_connections()


def _is_outdated() -> bool:
    held = _thread.connections  # none but in a worker
    return held.keys() != connections.settings.keys() and bool(held)


def _used_elsewhere() -> bool:
    """Return whether an alias added since is in use already, by an ordinary connection."""
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
    """Return whether the calling worker's connection objects may keep state of a request."""
    return _thread.has_state


def close_all() -> None:
    """Close the calling worker's connections, and whatever was left open on them."""
    for connection in _thread.connections.values():
        connection.abandon()


def close_used() -> None:
    """Close those of the calling worker's connections that its request has used."""
    for connection in _thread.connections.values():
        if connection.is_in_use:
            connection.abandon()


def forget_sessions() -> None:
    """Have the sessions that the calling worker's request has used discarded, not reused."""
    for connection in _thread.connections.values():
        if connection.is_in_use:
            connection.forgets_session = True


def checkin() -> None:
    """After a request: let other workers take over the calling worker's open connections."""
    for connection in _thread.connections.values():
        if connection.is_in_use and not connection.is_held():
            slots_of(connection.alias).checkin(connection)
    if _is_outdated():
        install_worker_connections()


def give_back(*, clean: bool) -> None:
    """After a call that is a unit of its own: do what is done at the end of a request."""
    if _is_outdated() and _begun_elsewhere():
        return
    for connection in _thread.connections.values():
        if not connection.is_in_use or connection.is_held():
            continue
        if clean:
            connection.clean()  # before a pool has it back
        connection.close_if_unusable_or_obsolete()
    checkin()


def close_old() -> None:
    """Do what `django.db.close_old_connections` does, for the calling worker's connections.

    An idle one has its turn when it is checked out.
    """
    for connection in _thread.connections.values():
        if connection.is_in_use:
            connection.close_if_unusable_or_obsolete()


def reset_queries() -> None:
    """Do what `django.db.reset_queries` does, for the calling worker's connections."""
    for connection in _thread.connections.values():
        if connection.queries_log:
            connection.queries_log.clear()


def close_abandoned() -> list[str]:
    """Close cursors that the calling worker has left open, and connections in a transaction.

    Return the aliases of those on which work was begun and not committed or rolled back.
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
    """Reset `lost_connection()`: it reports what happens from now on."""
    job.lost_connection = False


def lost_connection() -> bool:
    """Return whether a database was unreachable when the calling worker needed it."""
    return job.lost_connection or any(
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
        if connection.is_in_use:
            return True
    return _is_outdated() and _used_elsewhere()
