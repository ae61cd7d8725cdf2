"""How does a test wait for another thread, or for the event loop?"""

import asyncio
import time
from collections.abc import Callable

__all__ = ["turns", "until"]


def until(condition: Callable[[], object], timeout: float = 20.0) -> None:
    """Return as soon as `condition` holds; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


async def turns(count: int = 5) -> None:
    """Let the event loop do so many times what it has to do."""
    for _ in range(count):
        await asyncio.sleep(0)
