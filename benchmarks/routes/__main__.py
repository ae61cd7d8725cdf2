"""Compares plain FastAPI with django-mullet: `python -m benchmarks.routes`."""

import json
import os
import platform
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import uvloop

from benchmarks import cores
from benchmarks.routes import over_http
from benchmarks.routes.cases import CASES, Case
from benchmarks.routes.databases import DATABASES, fill
from benchmarks.routes.measurement import Measurement, Options

RESULTS = Path(__file__).parent / "results"
PACKAGES = ["asgiref", "django", "fastapi", "pydantic", "starlette", "uvicorn", "uvloop", "psycopg"]
MODES = ["in-process", "http"]

COLUMNS = {
    "in process, 1": ("in process", 1, "cpu"),
    "in process, 16": ("in process", 16, "cpu"),
    "uvicorn, 16": ("uvicorn", 16, "cpu"),
    "uvicorn, 16: rate": ("uvicorn", 16, "wall"),
}


async def main(arguments: Namespace) -> None:
    cores.leave_to_server()
    options = Options(case=arguments.case)
    if arguments.quick:
        options = replace(options, repetitions=8, in_process_requests=48, http_requests=96)
    measurements = []
    for database in arguments.database or DATABASES:
        with DATABASES[database]() as url:
            os.environ["DATABASE_URL"] = url
            fill()
            for mode in arguments.mode or MODES:
                async for measurement in measure(mode, options, database):
                    print_progress(measurement)
                    measurements.append(measurement)
            del os.environ["DATABASE_URL"]
    print(table(measurements))
    if not (arguments.quick or arguments.case or arguments.database or arguments.mode):
        print(f"\nWritten to {write(measurements, options)}")


async def measure(mode: str, options: Options, database: str) -> AsyncIterator[Measurement]:
    if mode == "http":
        async for measurement in over_http.measure(options, database):
            yield measurement
        return
    command = [sys.executable, "-m", "benchmarks.routes.in_process", json.dumps(asdict(options))]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    for line in process.stdout.splitlines():
        yield Measurement.from_json(line, database)


def print_progress(measurement: Measurement) -> None:
    where = f"{measurement.database}, {measurement.mode}, {measurement.concurrency} at a time"
    print(f"{where}: {measurement.case}: {measurement.ratio('cpu'):.2f}", file=sys.stderr)


def table(measurements: list[Measurement]) -> str:
    """Return the ratios as Markdown; those below the bar are struck out."""
    lines = [["database", "case", "bar", *COLUMNS], ["---", "---", *["--:"] * (len(COLUMNS) + 1)]]
    for database in DATABASES:
        for case in CASES:
            found = [m for m in measurements if (m.database, m.case) == (database, case.name)]
            if found:
                bar = f"{case.bar}" if case.bar else ""
                cells = [cell(found, case, *column) for column in COLUMNS.values()]
                lines.append([database, case.name, bar, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(
    measurements: list[Measurement], case: Case, mode: str, concurrency: int, what: str
) -> str:
    for measurement in measurements:
        if (measurement.mode, measurement.concurrency) == (mode, concurrency):
            ratio = f"{measurement.ratio(what):.2f}"
            below = what == "cpu" and case.bar is not None and measurement.ratio(what) < case.bar
            return f"~~{ratio}~~" if below else ratio
    return ""


def write(measurements: list[Measurement], options: Options) -> Path:
    """Write the results to a file named after the day and the versions; return its path."""
    now = datetime.now(UTC)
    versions = {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
    name = f"{now:%Y-%m-%d}-python{versions['python']}-django{versions['django']}.json"
    results = {
        "date": f"{now:%Y-%m-%dT%H:%MZ}",
        "versions": versions,
        "machine": {"cores": os.cpu_count(), "architecture": platform.machine()},
        "options": asdict(options),
        "measurements": [measurement.summary() for measurement in measurements],
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / name
    path.write_text(json.dumps(results, indent=2) + "\n")
    return path


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks.routes", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a glance; nothing is written")
    parser.add_argument("--case", default="", help="only those with this in their names")
    parser.add_argument("--database", action="append", choices=DATABASES)
    parser.add_argument("--mode", action="append", choices=MODES)
    uvloop.run(main(parser.parse_args()))
