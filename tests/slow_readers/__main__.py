"""Read slowly from a server: `python -m tests.slow_readers --seconds 60`."""

import asyncio
import json
import resource
import signal
import sys
from argparse import ArgumentParser
from collections import Counter

from tests.server import ROOT, Server
from tests.slow_readers.bars import CONNECTIONS, Figures, allowed_memory, violations
from tests.slow_readers.probes import Samples, probe
from tests.slow_readers.readers import Outcome
from tests.slow_readers.scenarios import PROBES, READERS, SCENARIOS, Scenario
from tests.slow_readers.site import new_site
from tests.slow_readers.watch import resident, watching

WARM = 1.0  # seconds
IDLE = 5.0  # seconds, at least, for which it is looked at how fast the server is
AFTER = 2.0  # seconds for which it is looked at what the readers have left behind


def main() -> int:
    """Return 0 if every bar was met."""
    parser = ArgumentParser(prog="python -m tests.slow_readers")
    parser.add_argument("--seconds", type=float, default=60, help="of each scenario")
    parser.add_argument("--scenario", choices=[each.name for each in SCENARIOS], action="append")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # stops the server
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # of the processes below, too
    missed = False
    with new_site() as site:
        cookie = site.fill()
        for scenario in SCENARIOS:
            if not options.scenario or scenario.name in options.scenario:
                with site.serving() as server:
                    running = slowly(scenario, server, site.url, cookie, options.seconds)
                    missed |= report(asyncio.run(running))
    return int(missed)


async def slowly(
    scenario: Scenario, server: Server, url: str, cookie: str, seconds: float
) -> Figures:
    """Return what was seen in `seconds` seconds of slow readers, and before and after them."""
    await probe(server.port, PROBES, cookie, WARM)
    with watching(server.pid, url) as peaks:
        idle = await probe(server.port, PROBES, cookie, max(seconds / 4, IDLE))
        before = resident(server.pid)
        command = [sys.executable, "-m", "tests.slow_readers.readers", str(server.port)]
        readers = await asyncio.create_subprocess_exec(
            *command,
            *scenario.paths,
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert readers.stdout is not None
        settled = float(await readers.stdout.readline())
        busy = await probe(server.port, PROBES, cookie, seconds)
        outcomes, _ = await readers.communicate(b"")  # they go: their standard input ends
        after = await probe(server.port, PROBES, cookie, AFTER)
    return Figures(
        scenario,
        [Outcome(**outcome) for outcome in json.loads(outcomes)],
        settled,
        idle,
        busy,
        after,
        peaks.connections,
        (before, peaks.memory),
    )


def report(figures: Figures) -> bool:
    """Print what was seen, and return whether a bar was missed."""
    before, most = figures.memory
    print(f"\n{figures.scenario.name}: {READERS} readers, settled in {figures.settled:g} s")
    by_path = Counter((each.path, each.status) for each in figures.readers)
    for (path, status), count in sorted(by_path.items()):
        print(f"  {count:4} x {path}: {status or 'no answer'}")
    print(f"  connections: at most {figures.connections} of {CONNECTIONS}")
    print(
        f"  memory: {before / 1e6:.0f} MB before, {(most - before) / 1e6:+.0f} MB at most, "
        f"{allowed_memory(figures) / 1e6:+.0f} MB are allowed"
    )
    print(f"  {'ms':18}{'idle p50':>10}{'p95':>9}{'busy p50':>12}{'p95':>9}{'x':>8}{'failed':>12}")
    for name, samples in figures.busy.items():
        print(f"  {name:18}{line(figures.idle[name], samples)}")
    missed = violations(figures)
    for violation in missed:
        print(f"  MISSED: {violation}")
    return bool(missed)


def line(idle: Samples, busy: Samples) -> str:
    cells = [1e3 * each.percentile(percent) for each in (idle, busy) for percent in (50, 95)]
    widths = zip(cells, (10, 9, 12, 9), strict=True)
    ratio = cells[3] / cells[1]
    return "".join(f"{ms:{width}.1f}" for ms, width in widths) + (
        f"{ratio:8.1f}{len(busy.failures):>5} of {len(busy.seconds)}"
    )


if __name__ == "__main__":
    sys.exit(main())
