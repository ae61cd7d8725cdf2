"""The most connections that workers open to a database, and the queue for them.

Who finds none waits, in order of arrival; what is idle, or becomes free, is handed over as it is.
"""

import os
import threading
from functools import cache
from typing import Any

from django_mullet import conf
from django_mullet.exceptions import ConnectionLimitReached

__all__ = ["Limiter", "limiter", "starved"]

starved: set[Any] = set()
"""The connections that wait, in their workers, for one to become free."""


class Limiter:
    """Counts the open connections of one alias and hands idle ones over.

    What becomes free while others wait goes to the one that waits longest, there and then: so
    every open DB-API connection is at any time in the `LimitedConnection` of some worker.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.open = 0
        self._parked: dict[Any, None] = {}
        self._waiting: dict[Any, threading.Event] = {}
        self._lock = threading.Lock()

    def acquire(self, connection: Any) -> bool:
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

    def park(self, connection: Any) -> None:
        """Let others take over what `connection` holds, until its worker claims it."""
        with self._lock:
            if self._waiting:
                connection.give_to(self._next())
            else:
                self._parked[connection] = None
                connection.parked = True

    def _next(self) -> Any:
        """End the turn of the one that waits longest, and return it."""
        first = next(iter(self._waiting))
        self._waiting.pop(first).set()
        return first

    def _stop_waiting(self, connection: Any) -> bool:
        """Return whether `connection` still waited."""
        with self._lock:
            return self._waiting.pop(connection, None) is not None

    def renew(self, worn: Any, fresh: Any) -> None:
        """Have `fresh` stand in the place of `worn`, which is parked, or has no connection."""
        with self._lock:
            if worn.parked:
                del self._parked[worn]
                worn.give_to(fresh)
                self._parked[fresh] = None
                fresh.parked = True

    def claim(self, connection: Any) -> None:
        """Take `connection` back for its worker; what it held may be gone."""
        with self._lock:
            self._parked.pop(connection, None)
            connection.parked = False


@cache
def limiter(alias: str) -> Limiter:
    """Return the limiter of the connections that workers open to `alias`."""
    return Limiter(alias)


os.register_at_fork(after_in_child=limiter.cache_clear)
