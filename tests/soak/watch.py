"""How many connections and how much memory has the server, all the time?"""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.soak.site import CONNECTIONS, Site

__all__ = ["Watch"]

EVERY = 0.1  # seconds
PAGE = os.sysconf("SC_PAGE_SIZE")

COUNT = (
    "SELECT application_name, count(*) FROM pg_stat_activity"
    " WHERE backend_type = 'client backend' AND application_name LIKE 'soak-%'"
    " AND application_name <> 'soak-test' GROUP BY application_name"
)


class Watch:
    """Looks at `site` from outside, in a thread, from `start()` to `stop()`."""

    def __init__(self, site: Site) -> None:
        self.samples = 0
        self.most_connections = 0
        """Of one process, at any time."""
        self.too_many: dict[str, list[tuple[float, int]]] = {}
        """By process: when it had more than it may, and how many."""
        self.memory: dict[int, list[tuple[float, int]]] = {}
        """By process: bytes that are resident, and when."""
        self.error: Exception | None = None
        self._site = site
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _watch(self) -> None:
        try:
            while not self._over.is_set():
                # While PostgreSQL is stopped, nobody has a connection to it.
                with suppress(psycopg.OperationalError):
                    self._watch_database()
                self._watch_memory()
                self._over.wait(EVERY)
        except Exception as error:
            self.error = error

    def _watch_database(self) -> None:
        url = self._site.database.url
        with psycopg.connect(url, application_name="soak-test", autocommit=True) as connection:
            while not self._over.is_set():
                for name, count in connection.execute(COUNT):
                    self.most_connections = max(self.most_connections, count)
                    if count > CONNECTIONS:
                        self.too_many.setdefault(name, []).append((time.monotonic(), count))
                self.samples += 1
                self._watch_memory()
                self._over.wait(EVERY)

    def _watch_memory(self) -> None:
        for pid in self._site.pids():
            with suppress(OSError):  # it has just ended
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                self.memory.setdefault(pid, []).append((time.monotonic(), pages * PAGE))
