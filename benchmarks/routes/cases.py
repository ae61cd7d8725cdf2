"""Which requests are made, and what is asked of the ratio?"""

from dataclasses import dataclass

__all__ = ["CASES", "Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """One request to `benchmarks.routes.application`.

    `bar` is the least ratio, CPU time of plain FastAPI to that of django-mullet, that is
    asked for; `None` where the ratio is for information. Where Django's middleware runs, the
    other side is django-mullet without it.
    """

    name: str
    path: str
    bar: float | None = None
    method: str = "GET"
    body: bytes = b""


CASES = [
    Case("two dependencies", "/dependencies?limit=5", bar=1.5),
    Case("two dependencies, one query", "/items/7?limit=5", bar=1.2),
    Case("async def without Django", "/async", bar=0.8),
    Case("six Django middlewares", "/middleware", bar=0.53),
    Case("no dependencies", "/sync"),
    Case("list of 20 rows", "/items"),
    Case(
        "POST with a body",
        "/body",
        method="POST",
        body=b'{"name": "mullet", "amount": 3, "active": true, "tags": ["a", "b", "c"]}',
    ),
]
