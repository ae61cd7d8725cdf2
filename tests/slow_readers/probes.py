"""How long does everybody else wait?"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.soak.client import Connection, Cut

__all__ = ["Samples", "probe"]

EVERY = 0.03  # seconds from an answer to the next request
TIMEOUT = 10.0  # seconds


@dataclass(slots=True)
class Samples:
    """The answers of one route."""

    seconds: list[float] = field(default_factory=list)
    """How long each took; `TIMEOUT` where there was none."""
    failures: list[str] = field(default_factory=list)

    def percentile(self, percent: int) -> float:
        """Return the seconds within which so many of a hundred were answered."""
        ordered = sorted(self.seconds)
        return ordered[(len(ordered) - 1) * percent // 100]


async def probe(
    port: int, paths: Mapping[str, str], cookie: str, seconds: float
) -> dict[str, Samples]:
    """Return what comes of asking for each of `paths` all the time, for so many seconds."""
    found = {name: Samples() for name in paths}
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as clients:
        for name, path in paths.items():
            clients.create_task(_ask_steadily(Connection(port, cookie), path, until, found[name]))
    return found


async def _ask_steadily(connection: Connection, path: str, until: float, samples: Samples) -> None:
    while not samples.seconds or time.monotonic() < until:
        started = time.monotonic()
        failure = await _ask(connection, path)
        samples.seconds.append(time.monotonic() - started)
        if failure:
            samples.failures.append(failure)
        await asyncio.sleep(EVERY)
    connection.drop()


async def _ask(connection: Connection, path: str) -> str | None:
    """Return what is wrong with the answer, if anything is."""
    try:
        async with asyncio.timeout(TIMEOUT):
            reply = await connection.ask("GET", path)
    except TimeoutError:
        connection.drop()
        return f"no answer in {TIMEOUT:g} s"
    except Cut as cut:
        return f"{cut}"
    return None if reply.status == 200 else f"status {reply.status}"
