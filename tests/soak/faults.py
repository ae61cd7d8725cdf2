"""What does the soak test break, one thing at a time?"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import psycopg

from tests.soak.load import Load
from tests.soak.records import Fault
from tests.soak.site import PROCESSES, STARTUP_TIMEOUT, Site

__all__ = ["KINDS", "Faults", "NotRestarted"]

BETWEEN = (2.0, 5.0)  # seconds from the end of one fault to the next
STOPPED = 3.0  # seconds without a database
LOCKED = 2.0  # seconds
GONE = 20  # clients

NO_PROBLEM: frozenset[str] = frozenset()
# A stream cannot take its 200 back, and Django answers with its error page.
# A COMMIT without an answer, and what is lost after one, have names of their own.
NO_DATABASE = frozenset(
    {
        "status 503",
        "cut short",
        "Django's status 500",
        "OutcomeUnknown",
        "AlreadyCommitted",
        "task failed",
        "closed 1013",
    }
)
# Every connection waits for the lock, and a stream for one of them: longer than its head is held
# back, so that it can only be cut if the share is used up by then.
NO_TABLE = frozenset({"cut short"})
NO_PROCESS = frozenset({"cut", "cut short", "task failed"})


class NotRestarted(Exception):
    """A killed process got no successor."""


class Faults:
    """Breaks something of `site` every few seconds, and notes what, and when."""

    def __init__(self, site: Site, load: Load, seed: int) -> None:
        self.found: list[Fault] = []
        self._site = site
        self._load = load
        self._random = Random(f"{seed}-faults")
        self._bag: list[str] = []

    async def run(self, until: float) -> None:
        """Break something again and again, until the time `until`."""
        while True:
            await asyncio.sleep(self._random.uniform(*BETWEEN))
            if time.monotonic() > until:
                return
            if not self._bag:  # each as often as the others, in random order
                self._bag = list(KINDS)
                self._random.shuffle(self._bag)
            kind = self._bag.pop()
            strike, explains = KINDS[kind]
            fault = Fault(kind, time.monotonic(), float("inf"), explains)
            self.found.append(fault)
            await strike(self, fault)
            if fault.ended == float("inf"):
                fault.ended = time.monotonic()

    async def backends_killed(self, fault: Fault) -> None:
        """Kill every connection of the server; over when none of them is left."""
        fault.details["killed"] = await asyncio.to_thread(self._kill_backends)

    def _kill_backends(self) -> int:
        rows = self._site.database.rows
        killed = [pid for [pid] in rows(f"SELECT pid {OF_SERVER}")]
        rows("SELECT count(pg_terminate_backend(pid)) FROM unnest(%s::int[]) AS pid", killed)
        while rows("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)", killed):
            time.sleep(0.005)
        return len(killed)

    async def database_stopped(self, fault: Fault) -> None:
        """Stop PostgreSQL; over when it answers again."""
        await asyncio.to_thread(self._site.database.stop)
        await asyncio.sleep(STOPPED)
        await asyncio.to_thread(self._site.database.start)

    async def process_killed(self, fault: Fault) -> None:
        """Kill the younger process; over when it is dead. Then wait for its successor.

        The other one lives from beginning to end, so that its memory can be watched.
        """
        await asyncio.to_thread(self._kill_process, fault)

    def _kill_process(self, fault: Fault) -> None:
        older, younger = self._site.pids()
        os.kill(younger, signal.SIGKILL)
        while _is_alive(younger):
            time.sleep(0.002)
        fault.ended = time.monotonic()
        deadline = fault.ended + STARTUP_TIMEOUT
        while younger in (pids := self._site.pids()) or len(pids) < PROCESSES:
            if time.monotonic() > deadline:
                raise NotRestarted(f"Process {younger} was killed, and there is only {older}.")
            time.sleep(0.02)
        self._site.states()
        fault.details["restarted after"] = round(time.monotonic() - fault.ended, 1)

    async def clients_gone(self, fault: Fault) -> None:
        """Have clients send requests and be gone before they get the answer."""
        gone = [self._load.vanish(Random(self._random.random())) for _ in range(GONE)]
        await asyncio.gather(*gone)

    async def table_locked(self, fault: Fault) -> None:
        """Hold a lock for which every write, and sometimes every read, has to wait."""
        mode = self._random.choice(["SHARE", "ACCESS EXCLUSIVE"])
        await asyncio.to_thread(self._lock, mode)

    def _lock(self, mode: str) -> None:
        with psycopg.connect(self._site.database.url, application_name="soak-test") as connection:
            connection.execute(f"LOCK TABLE testapp_item IN {mode} MODE")
            time.sleep(LOCKED)


OF_SERVER = (
    "FROM pg_stat_activity WHERE application_name LIKE 'soak-%' AND application_name <> 'soak-test'"
)

Strike = Callable[[Faults, Fault], Awaitable[None]]
KINDS: dict[str, tuple[Strike, frozenset[str]]] = {
    "backends killed": (Faults.backends_killed, NO_DATABASE),
    "database stopped": (Faults.database_stopped, NO_DATABASE),
    "process killed": (Faults.process_killed, NO_PROCESS),
    "clients gone": (Faults.clients_gone, NO_PROBLEM),
    "table locked": (Faults.table_locked, NO_TABLE),
}


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] not in "ZX"
