"""The database connections of a worker thread, which take a slot before they connect.

Between two requests, and only then, another worker may take over the DB-API connection in it: as
it is, without connecting anew.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from weakref import ref

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from django_mullet._compat.django import receivers_of
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.outcomes import WatchedConnection

__all__ = ["WorkerConnection", "has_state", "job"]


class _Job(threading.local):
    """What a worker notes and asks during its current job."""

    lost_connection = False
    """A database was unreachable when it was needed."""
    before_checkout: Callable[[], object] | None = None
    """Called before a connection is used that the request did not use before; may raise."""


job = _Job()
"""The current job of the calling worker."""

_OF_EVERY = {
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

_OF_DJANGO = {"isolation_level", "transaction_mode"}
"""Those that it sets for some of Django's own."""

_MISSING = object()


class WorkerConnection(WatchedConnection):
    """A mixin for a backend's `DatabaseWrapper`, which takes a slot before it connects.

    Between requests it is idle. A request that queries checks it out, and keeps it until its end;
    one that does not query leaves it to whoever needs it.
    """

    health_check_enabled: bool
    health_check_done: bool
    is_idle = False
    forgets_session = False
    """A connection pool gets it back closed, since it would pass it on as it is."""
    lasting_cursor: Any = None
    """A cursor that waits for its next query; see `fetching`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursors: set[ref[Any]] = set()
        """Those that `QuerySet.iterator()` has not read to the end, and that are not forgotten."""
        self.facts: dict[str, Any] = {}
        """Attributes of this wrapper by which `connect()` has noted facts about the session."""
        self.wrappers: list[Any] = []
        """Those of `execute_wrappers` that receivers of `connection_created` have added."""

    def ensure_connection(self) -> None:
        if self.is_idle:
            self._checkout()
        if self.connection is None:
            super().ensure_connection()

    def close_if_health_check_failed(self) -> None:
        if self.is_idle:
            self._checkout()
        if self.health_check_enabled and not self.health_check_done:
            super().close_if_health_check_failed()

    def close_if_unusable_or_obsolete(self) -> None:
        # An idle one is examined when it is checked out, not by receivers of `request_started`.
        # One without autocommit Django would close, and silently lose what was not committed.
        if not (self.is_idle or self.is_begun):
            super().close_if_unusable_or_obsolete()

    def _checkout(self) -> None:
        if job.before_checkout is not None:
            job.before_checkout()
        slots_of(self.alias).checkout(self)
        # What Django does at `request_started`, for this request.
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
        self.forgets_session = False
        if job.before_checkout is not None:
            job.before_checkout()
        try:
            if slots_of(self.alias).acquire(self) and self._go_on():
                return
            with self._noting_facts():
                super().connect()
        except Exception:
            job.lost_connection = True
            raise

    @contextmanager
    def _noting_facts(self) -> Iterator[None]:
        """Note what the block sets, even if it fails: another attempt may set the same again."""
        before, wrappers = vars(self).copy(), len(self.execute_wrappers)
        try:
            yield
        finally:
            changed = {
                name
                for name, value in vars(self).items()
                if name in self.facts or before.get(name, _MISSING) is not value
            }
            # Another backend may note what it told the session for one request: soon outdated.
            others = set() if has_state(self) else changed - _OF_EVERY
            self.facts = {
                name: value
                for name, value in vars(self).items()
                if name in _OF_DJANGO or name in others
            }
            self.wrappers = self.execute_wrappers[wrappers:]

    def get_new_connection(self, conn_params: Any) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except BaseException:
            slots_of(self.alias).release()
            raise

    def _go_on(self) -> bool:
        """Prepare what has been taken over as for the next request of its last worker.

        Return whether it can be used; if not, it is closed, and a new one may be opened.
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
        if self.is_idle:
            slots_of(self.alias).checkout(self)
        self.lasting_cursor = None
        was_open = self.connection is not None and not self.closed_in_transaction
        if was_open and self.errors_occurred:
            job.lost_connection = True
        if self.connection is not None and self.forgets_session and self._is_pooled():
            self.connection.close()
        super().close()
        if self.connection is not None and not self.closed_in_transaction:
            self.close_cursors()  # SQLite keeps a database in memory open
            return
        self.cursors.clear()
        if was_open:
            slots_of(self.alias).release()

    def _is_pooled(self) -> bool:
        return self.vendor == "postgresql" and getattr(self, "pool", None) is not None

    def give_to(self, other: "WorkerConnection") -> None:
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
        self.is_idle = False

    @property
    def is_in_use(self) -> bool:
        """Whether it is open, and the current request has used it."""
        return self.connection is not None and not self.is_idle

    def is_held(self) -> bool:
        """Return whether it is in the middle of something that only its thread can end."""
        return bool(self.cursors) or self.is_begun

    def clean(self) -> None:
        """Reset the session to what it was when it was opened, or close it."""
        self.lasting_cursor = None
        if self.connection is None:
            return
        self.forgets_session = True
        if self.vendor != "postgresql" or _is_set_up_by_others():
            self.close()
            return
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("DISCARD ALL")
            self.init_connection_state()
        except Exception:  # the driver's own, too
            self.abandon()
        else:
            self.forgets_session = False

    def abandon(self) -> None:
        """Close this connection, and forget a transaction that was never ended."""
        self.close()
        if self.connection is not None and not self.closed_in_transaction:
            # SQLite keeps a database in memory open; its worker may be about to end.
            self.connection.close()
            slots_of(self.alias).release()
        self.connection = None
        self.in_atomic_block = False
        self.closed_in_transaction = False


def has_state(connection: BaseDatabaseWrapper) -> bool:
    """Return whether a backend that is not Django's own may keep state in `connection`."""
    backend: Any = type(connection)
    return not _is_django_s(backend)


@cache
def _is_django_s(backend: Any) -> bool:
    modules = [cls.__module__ for cls in backend.__mro__ if cls is not object]
    return all(module.startswith(_DJANGO_S) for module in modules)


_DJANGO_S = ("django.db.backends.", "django.contrib.gis.db.backends.", "django_mullet.")


def _is_set_up_by_others() -> bool:
    """Return whether a receiver that is not Django's may set up new connections."""
    modules = [receiver.__module__ for receiver in receivers_of(connection_created)]
    return not all(module.startswith(("django.", "django_mullet.")) for module in modules)
