"""How soon does a large export begin, and what does it take? `python -m benchmarks.routes.export`.

Asks one uvicorn process for a million rows of PostgreSQL as JSON lines: the seconds to the first
byte and to the last, and by how much the server's memory grows meanwhile, at its most.
"""

import os
import subprocess
import sys
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import psycopg

from benchmarks import cores
from benchmarks.routes.databases import DATABASES, fill

FIRST_BYTE_BAR = 0.1  # seconds
MEMORY_BAR = 50.0  # MB
REPETITIONS = 10  # of the first line
PATHS = ["/export/transaction", "/export", "/export/async"]
INSERT = """
    INSERT INTO routes_item (id, name, amount, active, created_at)
    SELECT n, 'Item ' || n, n, true, now() FROM generate_series(101, %s) AS n
"""


@dataclass(frozen=True, slots=True)
class Export:
    """What one export took, from a server that has answered one request before."""

    first_bytes: list[float]
    """The seconds to the first line, of downloads that are broken off then."""
    seconds: float
    """Of the one that is not."""
    cpu: float
    """The server's CPU time for it, in seconds."""
    growth: float
    """Of the server's resident memory, in MB."""

    @property
    def meets_bars(self) -> bool:
        return median(self.first_bytes) < FIRST_BYTE_BAR and self.growth < MEMORY_BAR

    def __str__(self) -> str:
        first = ", ".join(f"{seconds * 1000:.0f}" for seconds in sorted(self.first_bytes))
        return (
            f"first line after {median(self.first_bytes) * 1000:.0f} ms ({first}), "
            f"all in {self.seconds:.1f} s with {self.cpu:.1f} s of CPU time, "
            f"memory +{self.growth:.1f} MB: {'met' if self.meets_bars else 'missed'}"
        )


def main(rows: int, paths: list[str]) -> None:
    cores.leave_to_server()
    with DATABASES["PostgreSQL"]() as url:
        os.environ["DATABASE_URL"] = url
        fill()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(INSERT, [rows])
            connection.execute("VACUUM ANALYZE routes_item")
        for path in paths:
            print(f"{path}: {measured(path, rows)}", flush=True)


def measured(path: str, rows: int) -> Export:
    command = [sys.executable, "-m", "benchmarks.routes.server", "mullet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        with httpx.Client(base_url=url, timeout=60) as client:
            client.get("/items/1").raise_for_status()  # a worker and its connection are there
            before = resident(process.pid)
            first_bytes = [first_byte(client, path) for _ in range(REPETITIONS)]
            cpu, started = client.get("/cpu").json(), time.perf_counter()
            most = download(client, path, rows, process.pid)
            seconds = time.perf_counter() - started
            return Export(first_bytes, seconds, client.get("/cpu").json() - cpu, most - before)
    finally:
        process.terminate()
        process.wait()


def first_byte(client: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    with client.stream("GET", path) as response:
        next(response.iter_raw())
        return time.perf_counter() - started


def download(client: httpx.Client, path: str, rows: int, pid: int) -> float:
    """Read all of `path`; return the most memory that the server had meanwhile, in MB."""
    most = resident(pid)
    lines, looked = 0, time.perf_counter()
    with client.stream("GET", path) as response:
        for piece in response.iter_raw():
            lines += piece.count(b"\n")
            if time.perf_counter() - looked > 0.05:
                looked, most = time.perf_counter(), max(most, resident(pid))
    if lines != rows:
        raise RuntimeError(f"{path!r} sent {lines} rows of {rows}.")
    return most


def resident(pid: int) -> float:
    """Return the resident memory of the process, in MB (proc(5))."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks.routes.export", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("path", nargs="*", default=PATHS)
    arguments = parser.parse_args()
    main(arguments.rows, arguments.path)
