"""How does a peer become a process that answers?"""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import cores
from benchmarks.database import Database
from benchmarks.environments import python_of
from benchmarks.peers import Peer

__all__ = ["Server", "StartError", "serve"]

STARTUP_TIMEOUT = 60  # seconds


class StartError(Exception):
    """A server does not start; the message has the end of what it has printed."""


@dataclass(frozen=True, slots=True)
class Server:
    """A peer that runs."""

    peer: Peer
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_until_ready(self) -> None:
        """Wait until it listens. Raises `StartError` if it does not in time."""
        deadline = time.monotonic() + STARTUP_TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.1)
            else:
                return
        last = self.log.read_text().splitlines()[-10:]
        raise StartError("\n".join(last) or "It never listened.")


@contextmanager
def serve(peer: Peer, database: Database) -> Iterator[Server]:
    """Yield the server of `peer`, which starts, on the core that is measured."""
    port = free_port()
    with tempfile.NamedTemporaryFile(prefix=f"{peer.name}-", suffix=".log") as output:
        process = subprocess.Popen(
            [python_of(peer), *(part.format(port=port) for part in peer.command)],
            cwd=peer.folder,
            env=environment(peer, database),
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=cores.take_for_server,
        )
        try:
            yield Server(peer, port, process, Path(output.name))
        finally:
            stop(process)


def environment(peer: Peer, database: Database) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {
        **kept,
        **database.variables(peer.name),
        **dict(peer.variables),
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": os.pathsep.join(map(str, peer.python_path)),
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def stop(process: "subprocess.Popen[bytes]") -> None:
    """End the server and every process that it has started."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
