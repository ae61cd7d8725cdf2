"""How does an endpoint take the steps of `session_steps`, and what does it do in between?"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async

from tests.servers.session_steps import STATES

__all__ = ["aline_by_line", "apieces", "asteps", "line_by_line", "pieces", "steps"]

PAUSE = 0.005  # seconds
FILLER = "x" * 4_000
FILLERS = 150  # more than all buffers on the way to the client


def steps(state: str, token: str) -> list[Any]:
    """Return what each step of `state` returns."""
    found = []
    for step in STATES[state].steps:
        found.append(step(token))
        time.sleep(PAUSE)
    return found


async def asteps(state: str, token: str) -> list[Any]:
    """Return the same; other requests run in between."""
    found = []
    for step in STATES[state].steps:
        found.append(await sync_to_async(step)(token))
        await asyncio.sleep(PAUSE)
    return found


def pieces(state: str, token: str) -> Iterator[Any]:
    """Yield the same, each in a list of its own; a slow client makes the server wait in between."""
    for step in STATES[state].steps:
        yield [step(token)]
        for _ in range(FILLERS):
            yield FILLER


async def apieces(state: str, token: str) -> AsyncIterator[Any]:
    for step in STATES[state].steps:
        yield [await sync_to_async(step)(token)]
        for _ in range(FILLERS):
            yield FILLER


def line_by_line(state: str, token: str) -> Iterator[str]:
    """Yield `pieces` as lines of JSON."""
    for piece in pieces(state, token):
        yield json.dumps(piece) + "\n"


async def aline_by_line(state: str, token: str) -> AsyncIterator[str]:
    async for piece in apieces(state, token):
        yield json.dumps(piece) + "\n"
