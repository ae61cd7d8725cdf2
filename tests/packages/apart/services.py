"""Which servers may a package need, and where does one come from?"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

STARTUP_TIMEOUT = 30  # seconds


@dataclass(frozen=True, slots=True)
class Service:
    """A server, and the variable of the environment in which its address is told."""

    variable: str
    running: Callable[[], AbstractContextManager[str]]


@contextmanager
def postgres() -> Iterator[str]:
    """Yield the URL of a PostgreSQL, from where the other tests have theirs."""
    sys.path.append(str(Path(__file__).resolve().parents[3]))
    from tests.postgres import PostgresNotFoundError, server

    try:
        with server() as url:
            yield url
    except PostgresNotFoundError as error:
        sys.exit(str(error))


@contextmanager
def redis() -> Iterator[str]:
    """Yield the URL of a Redis that is gone afterwards."""
    if (program := shutil.which("redis-server")) is None:
        sys.exit("No Redis found: install 'redis-server', as Debian's package is called.")
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:
        socket = Path(directory) / "socket"
        options = ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", directory]
        process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            wait_for(socket, process)
            yield f"unix://{socket}"
        finally:
            process.terminate()
            process.wait()


def wait_for(socket: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit("Redis did not start.")
        time.sleep(0.02)


SERVICES = {
    "postgres": Service("DATABASE_URL", postgres),
    "redis": Service("REDIS_URL", redis),
}
