"""How does a test wait for another thread?"""

import time
from collections.abc import Callable

__all__ = ["until"]


def until(condition: Callable[[], object], timeout: float = 20.0) -> None:
    """Return as soon as `condition` holds; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)
