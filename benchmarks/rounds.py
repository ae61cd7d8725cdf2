"""What is measured, how often and in which order?"""

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
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
            rates.append((await saturate(contender, client, load, options.saturation / 2))[1])
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
    for contender in in_order(asked(exchange, contenders), f"{exchange.name} {number}"):
        load = contender.loads[exchange.name]
        async with contender.connect(options) as client:
            await client.saturate(load, requests=1)
            cpu, rate = await saturate(contender, client, load, options.saturation)
            fixed = results.rates[exchange.name]
            latencies = await client.at_rate(load, fixed, options.fixed_rate)
        percentiles = quantiles(latencies, n=100, method="inclusive")
        block = Block(cpu * 1e6, rate, percentiles[49] * 1e3, percentiles[98] * 1e3)
        by_peer = results.blocks.setdefault(exchange.name, {})
        by_peer.setdefault(contender.name, []).append(block)
        if exchange.name in ("create", "update"):
            database.forget_writes()


def in_order(contenders: list[Contender], seed: str) -> list[Contender]:
    """Return them in a random order, in which two checkouts of the same peer are neighbours."""
    shuffled = random.Random(seed).sample(contenders, len(contenders))
    places = {each.server.peer.kind: place for place, each in enumerate(shuffled)}
    return sorted(shuffled, key=lambda each: places[each.server.peer.kind])


async def saturate(
    contender: Contender, client: Client, load: Load, seconds: float
) -> tuple[float, float]:
    """Return the CPU time for each request, in seconds, and the requests a second."""
    cpu, wall = usage(contender.server.pid).cpu, time.perf_counter()
    made = await client.saturate(load, seconds=seconds)
    wall = time.perf_counter() - wall
    return (usage(contender.server.pid).cpu - cpu) / made, made / wall
