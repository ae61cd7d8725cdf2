"""The slots for connections of workers to a database, and the queue for them.

A worker that finds neither a free slot nor an idle connection waits, in order of arrival. A
connection that is idle, or becomes free, is handed over as it is.
"""

import os
import threading
from functools import cache
from typing import Any

from django_mullet import conf
from django_mullet.exceptions import ConnectionLimitReached

__all__ = ["ConnectionSlots", "slots_of", "starved"]

starved: set[Any] = set()
"""The connections that wait, in their workers, for one to become free."""


class ConnectionSlots:
    """The slots of one alias: `MULLET["CONNECTIONS"]`, each free, in use or idle.

    What becomes free while others wait goes to the one that has waited longest, there and then: so
    every open DB-API connection is at any time in the `WorkerConnection` of some worker.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.open = 0
        self._idle: dict[Any, None] = {}
        self._waiting: dict[Any, threading.Event] = {}
        self._lock = threading.Lock()

    def acquire(self, connection: Any) -> bool:
        """Have `connection` take over an idle DB-API connection, or leave it to open a new one.

        Return whether it has taken one over. Wait while `MULLET["CONNECTIONS"]` are open and in
        use; raise `ConnectionLimitReached` after `MULLET["CONNECTION_TIMEOUT"]` seconds.
        """
        settings = conf.current()
        with self._lock:
            if self._idle:
                # The one idle for longest: its worker is the last to need it again.
                coldest = next(iter(self._idle))
                del self._idle[coldest]
                coldest.give_to(connection)
                return True
            if self.open < settings.connections:
                self.open += 1
                return False
            turn = self._waiting[connection] = threading.Event()
        starved.add(connection)
        try:
            turn.wait(settings.connection_timeout)
        except BaseException:
            if not self._stop_waiting(connection):
                self.release() if connection.connection is None else connection.abandon()
            raise
        finally:
            starved.discard(connection)
        if self._stop_waiting(connection):
            raise ConnectionLimitReached(
                f"No connection to database '{self.alias}' became free within "
                f"{settings.connection_timeout} s: all {settings.connections} are in use "
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

    def checkin(self, connection: Any) -> None:
        """Let others take over what `connection` holds, until its worker checks it out."""
        with self._lock:
            if self._waiting:
                connection.give_to(self._next())
            else:
                self._idle[connection] = None
                connection.is_idle = True

    def _next(self) -> Any:
        """End the turn of the one that waits longest, and return it."""
        longest = next(iter(self._waiting))
        self._waiting.pop(longest).set()
        return longest

    def _stop_waiting(self, connection: Any) -> bool:
        """Return whether `connection` still waited."""
        with self._lock:
            return self._waiting.pop(connection, None) is not None

    def renew(self, worn: Any, fresh: Any) -> None:
        """Have `fresh` stand in the place of `worn`, which is idle, or has no connection."""
        with self._lock:
            if worn.is_idle:
                del self._idle[worn]
                worn.give_to(fresh)
                self._idle[fresh] = None
                fresh.is_idle = True

    def checkout(self, connection: Any) -> None:
        """Take `connection` back for its worker; another may have taken over what it held."""
        with self._lock:
            self._idle.pop(connection, None)
            connection.is_idle = False


@cache
def slots_of(alias: str) -> ConnectionSlots:
    """Return the slots for the connections of workers to `alias`."""
    return ConnectionSlots(alias)


os.register_at_fork(after_in_child=slots_of.cache_clear)
