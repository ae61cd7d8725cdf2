"""Run the soak test: `python -m tests.soak --minutes 10 [--seed 1]`."""

import asyncio
import random
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.soak import checks
from tests.soak.faults import Faults, NotRestarted
from tests.soak.load import CONCURRENCY, READERS, RETRIED, Load
from tests.soak.records import Record
from tests.soak.site import CONNECTIONS, LASTING, PROCESSES, Site, serving
from tests.soak.tables import COUNTED
from tests.soak.watch import COUNT, Watch

SHOWN = 10  # lines of evidence for each violation
QUIET = 10.0  # seconds after the load in which everything must have come to rest
FAST = 5.0  # seconds that each request of the burst may take
SUSPICIOUS = ("Exception ignored", "was never", "Exception in thread", "Fatal Python")


@dataclass(slots=True)
class Run:
    """All that was seen."""

    site: Site
    load: Load
    faults: Faults
    watch: Watch
    burst: list[Record]
    states: dict[int, dict[str, Any]]
    listed: dict[int, int]
    not_restarted: list[str]


def main() -> int:
    """Return 0 if nothing was violated."""
    parser = ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--max-age", type=int, help="CONN_MAX_AGE; without it, no limit")
    parser.add_argument("--keep", type=Path, help="directory for the server's log and evidence")
    options = parser.parse_args()
    print(
        f"Soak: {options.minutes:g} minutes, seed {options.seed}, {PROCESSES} processes of at most "
        f"{CONNECTIONS} connections, {LASTING} of them for what lasts, concurrency {CONCURRENCY} "
        f"and {READERS} slow readers, CONN_MAX_AGE {options.max_age}",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        directory = options.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        with serving(directory, options.max_age) as site:
            run = asyncio.run(soak(site, options.minutes * 60, options.seed))
            return report(run)


async def soak(site: Site, seconds: float, seed: int) -> Run:
    """Return what happened in `seconds` seconds of load and faults, and after them."""
    load = Load(site.port, seed)
    faults = Faults(site, load, seed)
    watch = Watch(site)
    until = time.monotonic() + seconds
    not_restarted = []
    watch.start()
    try:
        loading = asyncio.create_task(load.run())
        try:
            await faults.run(until)
        except NotRestarted as error:
            not_restarted.append(str(error))
        load.over.set()
        await loading
        states, listed = await asyncio.to_thread(at_rest, site)
        burst = await load.burst()
    finally:
        await asyncio.to_thread(watch.stop)
    return Run(site, load, faults, watch, burst, states, listed, not_restarted)


def at_rest(site: Site) -> tuple[dict[int, dict[str, Any]], dict[int, int]]:
    """Return the processes' states and numbers of connections, as soon as they are at rest.

    If they do not come to rest, what they are after `QUIET` seconds.
    """
    deadline = time.monotonic() + QUIET
    while True:
        states = site.states()
        listed = {int(name.removeprefix("soak-")): n for name, n in site.database.rows(COUNT)}
        if not checks.leftovers(states, listed):
            return states, listed
        if time.monotonic() > deadline:
            print(site.stacks())
            return states, listed
        time.sleep(0.1)


def report(run: Run) -> int:
    """Print what was seen and what was violated; return the exit code."""
    records, faults = run.load.records, run.faults.found
    found = run.site.database.rows(
        "SELECT name, array_agg(n ORDER BY n) FROM testapp_item GROUP BY 1"
    )
    rows: dict[str, list[int]] = dict(found)
    committed = set(run.site.committed_file.read_text().split())
    growth, grown = checks.memory(run.watch.memory)
    slow = [str(record) for record in run.burst if record.ended - record.started > FAST]
    [[counted]] = run.site.database.rows(COUNTED)
    violations = checks.writes(records, rows, committed, faults) | {
        "counts that are not those of the writes": checks.counts(records, rows, counted, RETRIED),
        "foreign rows": checks.foreign(records),
        "errors that no fault explains": checks.errors(records, faults),
        "workers that are stuck, and what else is left": checks.leftovers(run.states, run.listed),
        "slow requests after the load": slow,
        "more connections than configured": checks.connections(run.watch.too_many),
        "memory that grows": grown,
        "processes that were not restarted": run.not_restarted,
        "suspicious lines of the log": suspicious(run.site.log_file),
    }
    print_figures(run, rows, committed, growth)
    print()
    for name, evidence in violations.items():
        print(f"{len(evidence):6} {name}")
        for line in evidence[:SHOWN]:
            print(f"         {line}")
    return int(any(violations.values()))


def print_figures(
    run: Run, rows: dict[str, list[int]], committed: set[str], growth: list[str]
) -> None:
    records, faults = run.load.records, run.faults.found
    statuses = Counter(record.status for record in records)
    problems = Counter(record.problem for record in records if record.problem)
    print(f"requests: {len(records)}, by status: {dict(sorted(statuses.items()))}")
    print(f"problems, all kinds of faults: {dict(problems)}")
    print(f"slowest: {max(record.ended - record.started for record in records):.1f} s")
    unsure = checks.unsure(records, rows, committed, faults)
    sent = sum(bool(record.token) for record in records)
    print(f"writes: {sent} sent, {len(rows)} there, {unsure} whose COMMIT was not acknowledged")
    print_lasting(records)
    for kind, count in Counter(fault.kind for fault in faults).items():
        those = [fault for fault in faults if fault.kind == kind]
        hit = sum(
            bool(record.problem) and any(fault.covers(record) for fault in those)
            for record in records
        )
        details = [value for fault in those for value in fault.details.values()]
        of = (
            f" ({', '.join(those[0].details)}: {min(details)} to {max(details)})" if details else ""
        )
        print(f"fault: {kind}: {count} times, {hit} requests hit{of}")
    watch = run.watch
    brief = sum(map(len, watch.too_many.values()))
    print(
        f"connections: at most {watch.most_connections} of a process in {watch.samples} samples; "
        f"{brief} samples with more than may be"
    )
    for figure in growth:
        print(f"memory: {figure}")
    for pid, state in run.states.items():
        print(f"at rest: {state}, connections: {run.listed.get(pid, 0)}")
    slowest = max(record.ended - record.started for record in run.burst)
    failed = sum(bool(record.problem) for record in run.burst)
    print(f"burst of {len(run.burst)} afterwards: {failed} failed, slowest {slowest:.2f} s")


def print_lasting(records: list[Record]) -> None:
    looked = [record for record in records if record.has_looked]
    print(
        f"tenants: {len(looked)} answers looked at, {sum(record.foreign for record in looked)} "
        "foreign rows"
    )
    lasting = [record for record in records if record.lasts]
    slow = [record for record in lasting if record.operation.endswith("slowly")]
    for name, those in (("streams and WebSockets", lasting), ("of these slow readers", slow)):
        refused = sum(record.is_refused for record in those)
        print(f"{name}: {len(those)}, {refused} refused as the share was used up")


def suspicious(log_file: Path) -> list[str]:
    """Return the lines of the log that no request and no fault accounts for."""
    with log_file.open(errors="replace") as lines:
        return [line.rstrip() for line in lines if any(word in line for word in SUSPICIOUS)]


if __name__ == "__main__":
    sys.exit(main())
