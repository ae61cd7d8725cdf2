"""Compares django-mullet with its peers: `python -m benchmarks`."""

import signal
import sys
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import uvloop

from benchmarks import cores, report
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
    options = Options(exchanges=tuple(arguments.exchange))
    if arguments.quick:
        options = replace(options, rounds=2, saturation=0.3, fixed_rate=0.3)
    if arguments.seconds:
        options = replace(options, saturation=arguments.seconds, fixed_rate=arguments.seconds)
    if arguments.rounds:
        options = replace(options, rounds=arguments.rounds)
    cores.leave_to_server()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # stops the servers
    chosen = [peer for peer in PEERS if peer.name in arguments.peer or not arguments.peer]
    missing: dict[str, str] = {}
    installed = [peer for peer in chosen if is_installed(peer, missing)]
    with ExitStack() as stack:
        database = stack.enter_context(postgresql([peer.name for peer in installed]))
        machine = report.machine(database.version())
        say("start the servers")
        started = [stack.enter_context(serve(peer, database)) for peer in installed]
        servers = [server for server in started if is_ready(server, missing)]
        try:
            results = uvloop.run(measure(servers, database, options, say))
        except WrongAnswerError as error:
            print(f"Nothing is compared: {error}", file=sys.stderr)
            return 1
        document = report.document(results, servers, missing, options, machine)
    directory = arguments.output or (QUICK_RESULTS if arguments.quick else report.RESULTS)
    print(report.write(document, directory))
    return 0


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


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--rounds", type=int, help="how often everything is measured")
    parser.add_argument("--seconds", type=float, help="how long everything is measured each time")
    parser.add_argument(
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
    sys.exit(main(parser.parse_args()))
