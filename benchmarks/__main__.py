"""Compares django-mullet with its peers, or with itself: `python -m benchmarks`."""

import signal
import sys
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import comparison, cores, report
from benchmarks.checkouts import CheckoutError
from benchmarks.client import WrongAnswerError
from benchmarks.database import postgresql
from benchmarks.environments import InstallationError, install
from benchmarks.exchanges import EXCHANGES
from benchmarks.peers import OURS, PEERS, Peer
from benchmarks.rounds import Options, measure
from benchmarks.servers import Server, StartError, serve

QUICK_RESULTS = Path(__file__).parent.parent / "build" / "benchmarks"


def main(arguments: Namespace) -> int:
    """Measure, write the results and return the exit code."""
    cores.leave_to_server()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # stops the servers
    try:
        print(compare_checkouts(arguments) if arguments.against else compare_peers(arguments))
    except (CheckoutError, MissingPeerError, WrongAnswerError) as error:
        print(f"Nothing is compared: {error}", file=sys.stderr)
        return 1
    return 0


class MissingPeerError(Exception):
    """A checkout cannot be measured; the message says why."""


def compare_peers(arguments: Namespace) -> str:
    """Return the tables of this library and the others."""
    chosen = [peer for peer in PEERS if peer.name in arguments.peer or not arguments.peer]
    missing: dict[str, str] = {}
    document = measured(chosen, options(arguments, Options()), missing)
    directory = arguments.output or (QUICK_RESULTS if arguments.quick else report.RESULTS)
    return report.write(document, directory)


def compare_checkouts(arguments: Namespace) -> str:
    """Return the tables of this checkout and of another one."""
    with comparison.compared(arguments.against) as (peers, what):
        missing: dict[str, str] = {}
        document = measured(peers, options(arguments, comparison.OPTIONS), missing, needed=True)
    return comparison.write(document, what, arguments.output or QUICK_RESULTS)


def options(arguments: Namespace, given: Options) -> Options:
    found = replace(given, exchanges=tuple(arguments.exchange))
    if arguments.quick:
        found = replace(found, rounds=2, saturation=0.3, fixed_rate=0.3)
    if arguments.seconds:
        found = replace(found, saturation=arguments.seconds, fixed_rate=arguments.seconds)
    return replace(found, rounds=arguments.rounds) if arguments.rounds else found


def measured(
    peers: list[Peer], options: Options, missing: dict[str, str], *, needed: bool = False
) -> dict[str, Any]:
    """Return the document of a run with those `peers` that can be installed and started.

    The others are put into `missing`. Raises `MissingPeerError` if all are `needed`.
    """
    installed = [peer for peer in peers if is_installed(peer, missing)]
    with ExitStack() as stack:
        database = stack.enter_context(postgresql([peer.name for peer in installed]))
        machine = report.machine(database.version())
        say("start the servers")
        started = [stack.enter_context(serve(peer, database)) for peer in installed]
        servers = [server for server in started if is_ready(server, missing)]
        if needed and missing:
            raise MissingPeerError("; ".join(f"'{n}': {why}" for n, why in missing.items()))
        results = uvloop.run(measure(servers, database, options, say))
        return report.document(results, servers, missing, options, machine)


def is_installed(peer: Peer, missing: dict[str, str]) -> bool:
    say(f"install {peer.name}")
    try:
        install(peer)
    except InstallationError as error:
        missing[peer.name] = str(error)
        return False
    return True


def is_ready(server: Server, missing: dict[str, str]) -> bool:
    try:
        server.wait_until_ready()
    except StartError as error:
        missing[server.peer.name] = str(error)
        return False
    return True


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def parsed() -> Namespace:
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rounds", type=int, help="how often everything is measured")
    parser.add_argument("--seconds", type=float, help="how long everything is measured each time")
    whom = parser.add_mutually_exclusive_group()
    whom.add_argument(
        "--against",
        help="a git revision, or the path of a checkout: compare only this library, with that",
    )
    whom.add_argument(
        "--peer",
        action="append",
        default=[],
        choices=[peer.name for peer in PEERS],
        help=f"only these; ratios need '{OURS}'",
    )
    parser.add_argument(
        "--exchange", action="append", default=[], choices=[each.name for each in EXCHANGES]
    )
    parser.add_argument("--output", type=Path, help="the directory for JSON, Markdown and plot")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main(parsed()))
