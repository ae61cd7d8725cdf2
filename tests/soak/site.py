"""What does the soak test run against: PostgreSQL, and a server of two processes?"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from tests import postgres
from tests.isolation.data import ROLE
from tests.server import ROOT, free_port
from tests.settings import database
from tests.soak.tables import make_tables

__all__ = ["CONNECTIONS", "LASTING", "PROCESSES", "Database", "Site", "serving"]

PROCESSES = 2
CONNECTIONS = 8  # of each process
LASTING = 4  # of those, for streams and WebSockets
STARTUP_TIMEOUT = 60  # seconds


class Database:
    """A PostgreSQL that can be stopped and started."""

    def __init__(self, cluster: postgres.Cluster) -> None:
        self.url = cluster.url
        self._cluster = cluster
        self._running: AbstractContextManager[None] | None = None

    def start(self) -> None:
        """Return when it answers."""
        self._running = self._cluster.running()
        self._running.__enter__()

    def stop(self) -> None:
        """Return when it is gone, and all its connections with it."""
        if self._running is not None:
            self._running.__exit__(None, None, None)
            self._running = None

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        """Execute `query` on a connection of its own; return what it finds."""
        with psycopg.connect(self.url, application_name="soak-test") as connection:
            cursor = connection.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []


class Site:
    """The server, whose main process is `process`, and its database."""

    def __init__(
        self, process: subprocess.Popen[bytes], port: int, database: Database, directory: Path
    ) -> None:
        self.process = process
        self.port = port
        self.database = database
        self.log_file = directory / "log"
        self.committed_file = directory / "committed"

    def pids(self) -> list[int]:
        """Return the processes that serve, the oldest first."""
        main = self.process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in _command(int(pid))]

    def get(self, path: str) -> Any:
        """Return the JSON at `path`, of any process."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return json.load(answer)

    def states(self, timeout: float = STARTUP_TIMEOUT) -> dict[int, dict[str, Any]]:
        """Return what each process says of itself; raise `TimeoutError` if one does not."""
        found: dict[int, dict[str, Any]] = {}
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                state = self.get("/api/state")
            except OSError:
                time.sleep(0.05)
                continue
            found[state["pid"]] = state
            pids = self.pids()
            if len(pids) == PROCESSES and all(pid in found for pid in pids):
                return {pid: found[pid] for pid in pids}
        raise TimeoutError(f"Of the processes {self.pids()} only {sorted(found)} answered.")

    def stacks(self) -> str:
        """Return where each thread of some process is."""
        return str(self.get("/api/stacks"))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


@contextmanager
def serving(directory: Path, max_age: int | None) -> Iterator[Site]:
    """Keep a site with files in `directory` alive for the length of the block."""
    with postgres.cluster() as cluster:
        data = Database(cluster)
        data.start()
        try:
            environment = _environment(data.url, directory, max_age)
            as_role = make_conninfo(data.url, user=ROLE, password=ROLE)
            migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0", "--skip-checks"]
            subprocess.run(migrate, env=environment, cwd=ROOT, check=True)
            make_tables(data.url)
            with _server(_environment(as_role, directory, max_age), data, directory) as site:
                yield site
        finally:
            data.stop()


def _environment(url: str, directory: Path, max_age: int | None) -> dict[str, str]:
    limits = {
        "CONNECTIONS": CONNECTIONS,
        "LASTING": LASTING,
        "CONNECTION_TIMEOUT": 15,
        "ROLLBACK_ON_ERROR_RESPONSE": True,
    }
    databases = {"default": database(url, "unused") | {"CONN_MAX_AGE": max_age}}
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.soak.settings",
        "SERVER_APPLICATION": "tests.soak.app:app",
        "SERVER_DATABASES": json.dumps(databases),
        "SERVER_MULLET": json.dumps(limits),
        "SOAK_COMMITTED": str(directory / "committed"),
    }


@contextmanager
def _server(environment: dict[str, str], data: Database, directory: Path) -> Iterator[Site]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.soak.app:app", "--port", str(port)]
    command += ["--workers", str(PROCESSES), "--no-access-log"]
    (directory / "committed").write_bytes(b"")
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log)
    site = Site(process, port, data, directory)
    try:
        site.states()
        yield site
    finally:
        pids = site.pids()
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            for pid in [*pids, process.pid]:
                os.kill(pid, signal.SIGKILL)
            process.wait()
