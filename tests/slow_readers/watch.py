"""How many connections and how much memory has the server, all the time?"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

__all__ = ["APPLICATION", "Peaks", "resident", "watching"]

EVERY = 0.1  # seconds
PAGE = os.sysconf("SC_PAGE_SIZE")
APPLICATION = "slow-readers"
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"


class Peaks:
    """The most that was seen at a time."""

    connections = 0
    memory = 0
    """Bytes."""


def resident(pid: int) -> int:
    """Return how many bytes of memory the process has."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


@contextmanager
def watching(pid: int, url: str) -> Iterator[Peaks]:
    """Look at the process `pid` and its connections from outside, for the length of the block."""
    peaks = Peaks()
    over = threading.Event()

    def look(connection: "psycopg.Connection[tuple[int]]") -> None:
        while not over.wait(EVERY):
            row = connection.execute(COUNT, [APPLICATION]).fetchone()
            assert row is not None
            peaks.connections = max(peaks.connections, row[0])
            peaks.memory = max(peaks.memory, resident(pid))

    with psycopg.connect(url, autocommit=True) as connection:
        thread = threading.Thread(target=look, args=(connection,))
        thread.start()
        try:
            yield peaks
        finally:
            over.set()
            thread.join()
