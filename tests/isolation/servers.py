"""Where does the isolation test get its servers from?"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.isolation.matrix import Tenancy
from tests.server import ROOT, STARTUP_TIMEOUT, Server, free_port

__all__ = ["Pair", "serving"]

FEW = {"CONNECTIONS": 6}
"""So few that requests which are short have to pass them on."""

MANY = {"CONNECTIONS": 48, "LASTING": 44}
"""Enough for all streams and sockets at once, as each holds one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers of the same: for what is short, and for what lasts."""

    few: Server
    many: Server


@contextmanager
def serving(
    tenancy: Tenancy, kinds: tuple[str, ...], url: str, directory: Path
) -> Iterator[dict[str, Pair]]:
    """Keep a pair of servers alive for each of `kinds`, ways of keeping connections."""
    with ExitStack() as stack:
        pairs = {
            kind: Pair(
                *(
                    stack.enter_context(_running(tenancy, kind, url, mullet, directory))
                    for mullet in (FEW, MANY)
                )
            )
            for kind in kinds
        }
        for pair in pairs.values():
            _wait_until_ready(pair.few)
            _wait_until_ready(pair.many)
        yield pairs


@contextmanager
def _running(
    tenancy: Tenancy, kind: str, url: str, mullet: dict[str, int], directory: Path
) -> Iterator[Server]:
    port = free_port()
    environment = os.environ | {
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "tests.isolation.settings",
        "ISOLATION_CONNECTIONS": kind,
        "ISOLATION_MULLET": json.dumps(mullet),
        "ISOLATION_TENANCY": tenancy.name,
    }
    command = [sys.executable, "-m", "tests.servers.narrow", "tests.isolation.app:app", str(port)]
    log = directory / f"{tenancy.name}-{kind}-{mullet['CONNECTIONS']}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
    server = Server(port, process, log)
    try:
        yield server
    finally:
        server.stop()


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.url}/health", timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The server did not start:\n{server.log()}")
