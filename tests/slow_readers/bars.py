"""What must hold while 200 clients read slowly?"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.slow_readers.probes import Samples
from tests.slow_readers.readers import Outcome
from tests.slow_readers.scenarios import Scenario

__all__ = ["CONNECTIONS", "SHARE", "Figures", "allowed_memory", "violations"]

CONNECTIONS = 20
SHARE = 10
"""How many connections lasting bodies may hold: by default half of all."""

STREAM_BUFFER = 256 * 1024
"""Bytes that a body may be ahead of its client."""

TRANSPORT = 128 * 1024
"""Bytes that the server itself holds for a client: one piece, and asyncio's buffer."""

SLACK = 32 * 1024 * 1024
"""Bytes that threads, connections and the like take."""

AS_IDLE = 2
FACTOR = 5
NOISE = 0.002
"""Seconds: what takes less is compared as if it took that, as any other process delays it so."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen in one scenario."""

    scenario: Scenario
    readers: list[Outcome]
    settled: float
    """Seconds until every reader had begun, or was given up."""
    idle: dict[str, Samples]
    """The answers to everybody else, by route, before."""
    busy: dict[str, Samples]
    after: dict[str, Samples]
    """When the readers had gone."""
    connections: int
    memory: tuple[int, int]
    """Bytes, before and at most."""


def violations(figures: Figures) -> list[str]:
    """Return what must not be."""
    return [*_of_readers(figures), *_of_others(figures), *_of_resources(figures)]


def allowed_memory(figures: Figures) -> int:
    """Return by how many bytes the server may grow."""
    served = sum(reader.status == 200 for reader in figures.readers)
    return served * STREAM_BUFFER + len(figures.readers) * TRANSPORT + SLACK


def _of_readers(figures: Figures) -> Iterator[str]:
    statuses = [reader.status for reader in figures.readers]
    served, refused = statuses.count(200), statuses.count(503)
    unanswered = len(statuses) - served - refused
    if unanswered:
        yield f"{unanswered} readers were answered neither 200 nor 503"
    if figures.scenario.holds_connections:
        if served != SHARE:
            yield f"{served} readers were served, {SHARE} must be"
    elif refused:
        yield f"{refused} readers of files were refused"
    if cut := sum(reader.status == 200 and reader.cut for reader in figures.readers):
        yield f"{cut} readers got a part only"


def _of_others(figures: Figures) -> Iterator[str]:
    for phase, found in (("meanwhile", figures.busy), ("afterwards", figures.after)):
        for name, samples in found.items():
            if samples.failures:
                yield f"{name}, {phase}: {len(samples.failures)} times {samples.failures[0]}"
    percentiles = {95: FACTOR} if figures.scenario.holds_connections else {50: AS_IDLE, 95: FACTOR}
    for name, samples in figures.busy.items():
        for percent, factor in percentiles.items():
            idle = max(figures.idle[name].percentile(percent), NOISE)
            ratio = samples.percentile(percent) / idle
            if ratio > factor:
                yield f"{name}: p{percent} is {ratio:.1f} times that before, {factor} are allowed"


def _of_resources(figures: Figures) -> Iterator[str]:
    if figures.connections > CONNECTIONS:
        yield f"{figures.connections} connections were open, {CONNECTIONS} are configured"
    before, most = figures.memory
    if most - before > (allowed := allowed_memory(figures)):
        yield f"memory grew by {(most - before) / 1e6:.0f} MB, {allowed / 1e6:.0f} MB are allowed"
