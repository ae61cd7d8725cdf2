"""What does an endpoint see, each time that it looks?

A look is the list of the tenants of all rows that are visible at that moment.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

from tests.isolation.matrix import LOOKS
from tests.isolation.models import Row

__all__ = ["PAUSE", "Look", "alook", "alooks", "apieces", "line", "look", "looks", "pieces"]

Look = list[str]

PAUSE = 0.002
"""Seconds between two looks."""

_FILLER = "x" * 4_000
_FILLERS = 150  # between two looks of a stream: more than all buffers on the way to the client


def look() -> Look:
    return list(Row.objects.order_by("pk").values_list("tenant", flat=True))


async def alook() -> Look:
    return [tenant async for tenant in Row.objects.order_by("pk").values_list("tenant", flat=True)]


def looks() -> list[Look]:
    found = [look()]
    for _ in range(LOOKS - 1):
        time.sleep(PAUSE)
        found.append(look())
    return found


async def alooks() -> list[Look]:
    found = [await alook()]
    for _ in range(LOOKS - 1):
        await asyncio.sleep(PAUSE)
        found.append(await alook())
    return found


def pieces() -> Iterator[Look | str]:
    """Yield looks, and between them so much else that a slow client makes the server wait."""
    for _ in range(LOOKS - 1):
        yield look()
        for _ in range(_FILLERS):
            yield _FILLER
    yield look()


async def apieces() -> AsyncIterator[Look | str]:
    for _ in range(LOOKS - 1):
        yield await alook()
        for _ in range(_FILLERS):
            yield _FILLER
    yield await alook()


def line(piece: Look | str) -> str:
    """Return `piece` as a line of JSON."""
    return json.dumps(piece) + "\n"
