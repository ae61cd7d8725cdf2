"""What do the slow clients read, and what is asked meanwhile?"""

from dataclasses import dataclass
from importlib.util import find_spec

__all__ = ["ITEM", "PIECE", "PROBES", "READERS", "SCENARIOS", "SIZE", "WITH_WHITENOISE", "Scenario"]

READERS = 200
SIZE = 30_000_000
"""Bytes of an answer: more than the kernel buffers for one connection."""

PIECE = 15_000
"""Bytes that a stream yields at a time, one row for each."""

ITEM = 1
"""The key of the row that is shown meanwhile."""

WITH_WHITENOISE = find_spec("whitenoise") is not None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Paths that the readers take turns in."""

    name: str
    paths: tuple[str, ...]
    holds_connections: bool
    """Whether a body has queried: only as many as may hold a connection are served."""


SCENARIOS = [
    Scenario(
        "files",
        ("/django/file", "/api/file") + ("/static/large.bin",) * WITH_WHITENOISE,
        holds_connections=False,
    ),
    Scenario(
        "streams",
        ("/api/stream", "/api/lines", "/django/stream"),
        holds_connections=True,
    ),
    Scenario(
        "exports",
        ("/api/export", "/api/export/lines", "/django/export"),
        holds_connections=True,
    ),
]

PROBES = {
    "health": "/api/health",
    "detail, def": f"/api/items/{ITEM}",
    "detail, async def": f"/api/async/items/{ITEM}",
    "admin": "/admin/testapp/author/",
}
