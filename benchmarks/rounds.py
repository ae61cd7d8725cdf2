"""What is measured, how often and in which order?"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from statistics import quantiles

from benchmarks.client import Client, Load, connect
from benchmarks.database import Database, Statements
from benchmarks.equality import Expectations
from benchmarks.exchanges import EXCHANGES, Exchange
from benchmarks.processes import usage
from benchmarks.servers import Server

__all__ = ["Block", "Contender", "Options", "Results", "measure"]


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured."""

    rounds: int = 5
    connections: int = 16
    saturation: float = 1.5
    """Seconds."""
    turns: int = 1
    """In how many parts two checkouts of the same peer take turns during those."""
    fixed_rate: float = 2.0
    """Seconds."""
    share: float = 0.5
    """The fixed rate: this part of what the slowest of the peers can do."""
    exchanges: tuple[str, ...] = ()

    def chosen(self) -> list[Exchange]:
        return [each for each in EXCHANGES if not self.exchanges or each.name in self.exchanges]


@dataclass(frozen=True, slots=True)
class Block:
    """What one peer has shown in one round of one exchange."""

    cpu: float
    """Microseconds of the server's CPU time for each request, at saturation."""
    rate: float
    """Requests a second, at saturation."""
    p50: float
    """Milliseconds, at the fixed rate."""
    p99: float


@dataclass(slots=True)
class Results:
    """What was measured, by the name of the exchange and then of the peer."""

    blocks: dict[str, dict[str, list[Block]]] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    statements: dict[str, dict[str, Statements]] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, and what it is asked."""

    server: Server
    loads: dict[str, Load]

    @property
    def name(self) -> str:
        return self.server.peer.name

    def connect(self, options: Options) -> AbstractAsyncContextManager[Client]:
        """Open connections: new ones each time, as servers close those that are idle."""
        return connect(self.server.port, options.connections)


Target = tuple[Contender, Client, Load]


@dataclass(slots=True)
class Spent:
    """What a server has done at saturation."""

    cpu: float = 0.0
    """Seconds of its CPU time."""
    wall: float = 0.0
    """Seconds."""
    made: int = 0
    """Requests."""

    @property
    def rate(self) -> float:
        return self.made / self.wall


async def measure(
    servers: list[Server], database: Database, options: Options, progress: Callable[[str], None]
) -> Results:
    """Compare the bodies of all servers, then measure each of them in every round.

    Raises `WrongAnswerError` as soon as an answer is not the right one.
    """
    results = Results()
    expectations = Expectations()
    contenders = []
    for server in servers:
        progress(f"compare the bodies of {server.peer.name}")
        async with connect(server.port, 1) as client:
            loads = await expectations.loads(server.peer, client, database)
        contenders.append(Contender(server, loads))
    for exchange in options.chosen():
        progress(f"prepare {exchange.name}")
        await prepare(exchange, contenders, database, options, results)
    for number in range(options.rounds):
        for exchange in options.chosen():
            progress(f"round {number + 1} of {options.rounds}: {exchange.name}")
            await run_round(exchange, number, contenders, database, options, results)
    for contender in contenders:
        results.connections[contender.name] = database.connections(contender.name)
        results.memory[contender.name] = usage(contender.server.pid).memory
    return results


def asked(exchange: Exchange, contenders: list[Contender]) -> list[Contender]:
    return [contender for contender in contenders if exchange.name in contender.loads]


async def prepare(
    exchange: Exchange,
    contenders: list[Contender],
    database: Database,
    options: Options,
    results: Results,
) -> None:
    """Warm the servers up, count their statements and find the rate that all can keep."""
    chosen = asked(exchange, contenders)
    rates = []
    for contender in chosen:
        load = contender.loads[exchange.name]
        async with contender.connect(options) as client:
            await client.saturate(load, requests=2)
            [spent] = await saturate([(contender, client, load)], options.saturation / 2)
        rates.append(spent.rate)
    results.rates[exchange.name] = max(1.0, round(min(rates, default=0) * options.share))
    results.statements[exchange.name] = await count_statements(exchange, chosen, database)
    database.forget_writes()


async def count_statements(
    exchange: Exchange, contenders: list[Contender], database: Database
) -> dict[str, Statements]:
    """Return what a request of each server's sends to the database."""
    requests = 20
    start = database.start_listening()
    for contender in contenders:
        async with connect(contender.server.port, 1) as client:
            await client.saturate(contender.loads[exchange.name], requests=requests)
    await asyncio.sleep(0.1)  # a connection may be given back after the answer
    names = [contender.name for contender in contenders]
    return database.stop_listening(start, names, requests)


async def run_round(
    exchange: Exchange,
    number: int,
    contenders: list[Contender],
    database: Database,
    options: Options,
    results: Results,
) -> None:
    """Measure every server once, in an order of this round's."""
    for group in in_order(asked(exchange, contenders), f"{exchange.name} {number}"):
        blocks = await run_group(exchange, group, options, results.rates[exchange.name])
        by_peer = results.blocks.setdefault(exchange.name, {})
        for contender, block in zip(group, blocks, strict=True):
            by_peer.setdefault(contender.name, []).append(block)
        if exchange.name in ("create", "update"):
            database.forget_writes()


def in_order(contenders: list[Contender], seed: str) -> list[list[Contender]]:
    """Return them in a random order; two checkouts of the same peer are one group."""
    groups: dict[object, list[Contender]] = {}
    for contender in random.Random(seed).sample(contenders, len(contenders)):
        groups.setdefault(contender.server.peer.kind, []).append(contender)
    return list(groups.values())


async def run_group(
    exchange: Exchange, group: list[Contender], options: Options, fixed: float
) -> list[Block]:
    """Saturate those of `group` in turns, then ask each of them at the rate `fixed`."""
    blocks = []
    async with AsyncExitStack() as stack:
        targets: list[Target] = []
        for contender in group:
            client = await stack.enter_async_context(contender.connect(options))
            targets.append((contender, client, contender.loads[exchange.name]))
            await client.saturate(targets[-1][2], requests=1)
        saturated = await saturate(targets, options.saturation, options.turns)
        for (_, client, load), spent in zip(targets, saturated, strict=True):
            latencies = await client.at_rate(load, fixed, options.fixed_rate)
            percentiles = quantiles(latencies, n=100, method="inclusive")
            p50, p99 = percentiles[49] * 1e3, percentiles[98] * 1e3
            blocks.append(Block(spent.cpu / spent.made * 1e6, spent.rate, p50, p99))
    return blocks


async def saturate(targets: list[Target], seconds: float, turns: int = 1) -> list[Spent]:
    """Return what each has spent on so many seconds of load, in so many turns."""
    found = [Spent() for _ in targets]
    for turn in range(turns):
        pairs = list(zip(targets, found, strict=True))
        for (contender, client, load), spent in pairs if turn % 2 == 0 else reversed(pairs):
            cpu, wall = usage(contender.server.pid).cpu, time.perf_counter()
            spent.made += await client.saturate(load, seconds=seconds / turns)
            spent.wall += time.perf_counter() - wall
            spent.cpu += usage(contender.server.pid).cpu - cpu
    return found
