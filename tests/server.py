"""Where does a test get a real server from?

`running` starts one, uvicorn unless told otherwise, in a process of its own, on a free port, with
the database of the test.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connections

__all__ = ["Server", "database", "free_port", "running", "uvicorn"]

Command = Callable[[str, int], list[str]]

STARTUP_TIMEOUT = 90  # seconds; a loaded machine takes its time over several processes
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers at `url`."""

    port: int
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """Return what the server has written to its standard output and error."""
        return self.log_file.read_text()

    def stop(self) -> int:
        """Tell the server to end; return its exit code when it has."""
        self.process.terminate()
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


def uvicorn(app: str, port: int, *options: str) -> list[str]:
    return ["uvicorn", app, "--port", str(port), "--no-access-log", *options]


def database(alias: str = "default", **changes: Any) -> dict[str, Any]:
    """Return the settings of the database that the running test has at `alias`."""
    used = connections[alias].settings_dict
    names = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "CONN_MAX_AGE")
    return {name: used[name] for name in names} | {"CONN_HEALTH_CHECKS": True} | changes


@contextmanager
def running(
    app: str = "tests.servers.site:app",
    *,
    databases: dict[str, dict[str, Any]] | None = None,
    mullet: dict[str, Any] | None = None,
    command: Command = uvicorn,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Keep a server of `app`, "module:name", alive for the length of the block.

    `databases` and `mullet` are its settings `DATABASES` and `MULLET`; `command` returns, for the
    application and a port, the module that is the server and its arguments. `variables` are
    added to its environment.
    """
    port = free_port()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.servers.settings",
        "SERVER_APPLICATION": app,
        "SERVER_DATABASES": json.dumps(databases or {"default": database()}),
        "SERVER_MULLET": json.dumps(mullet or {}),
        **(variables or {}),
    }
    with tempfile.TemporaryDirectory() as directory:
        log_file = Path(directory, "log")
        with log_file.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command(app, port)],
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
        server = Server(port, process, log_file)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            server.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.url}/api/health", timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The server did not start:\n{server.log()}")
