"""Which requests are made, and what makes an answer right?"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from benchmarks import rows

__all__ = ["EXCHANGES", "REFUSALS", "Exchange", "Request"]

MULLET = frozenset({"mullet"})
KEY = {"X-API-Key": rows.API_KEY}


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def encode(self) -> bytes:
        """Return what is sent over a connection that is kept alive."""
        headers = {"Host": "localhost", "Accept": "application/json", **self.headers}
        if self.body:
            headers["Content-Type"] = "application/json"
            headers["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Exchange:
    """A row of the benchmark: requests of one kind.

    The answer to one of `requests` is the same each time. `create` makes a new one each time.
    """

    name: str
    title: str
    requests: tuple[Request, ...]
    status: int = 200
    create: Callable[[], Request] | None = None
    peers: frozenset[str] | None = None
    """Whose folders are asked; everybody's, if there is nothing."""


def new_tag() -> Request:
    """Return a request for a tag whose slug is free."""
    slug = f"new-{next(serial)}"
    body = json.dumps({"name": f"Tag {slug}", "slug": slug}).encode()
    return Request("POST", "/api/tags/", body=body)


serial = count()


def simulation(number: int) -> str:
    return f"/api/simulations/{rows.simulation_id(rows.USER, number)}/"


SIMULATIONS = range(rows.SIMULATIONS)
PAGE = "/api/search/?author=7&published=true&limit=20&offset=20"

EXCHANGES = [
    Exchange(
        "detail",
        "detail, API key",
        tuple(Request("GET", simulation(n), KEY) for n in SIMULATIONS),
    ),
    Exchange("list", "list of 100, API key", (Request("GET", "/api/simulations/", KEY),)),
    Exchange("nested", "20 with author and tags", (Request("GET", "/api/articles/"),)),
    Exchange(
        "nested_detail",
        "one with author and tags",
        tuple(Request("GET", f"/api/articles/{pk}/") for pk in range(1, 101)),
    ),
    Exchange("create", "create, unique", (), status=201, create=new_tag),
    Exchange(
        "update",
        "partial update, API key",
        tuple(Request("PATCH", simulation(n), KEY, b'{"name": "A new name"}') for n in SIMULATIONS),
    ),
    Exchange("page", "filtered page of 20", (Request("GET", PAGE),)),
    Exchange(
        "wide",
        "1,000 rows, 3 of 30 columns",
        (Request("GET", "/api/wide/"),),
        peers=MULLET | {"article"},
    ),
    Exchange(
        "wide_unplanned",
        "the same, Pydantic only",
        (Request("GET", "/api/wide/unplanned/"),),
        peers=MULLET,
    ),
]

TAKEN = json.dumps({"name": "Tag", "slug": rows.TAKEN_SLUG}).encode()

REFUSALS = [
    Request("GET", simulation(0), {"X-API-Key": "nobody's"}),
    Request("GET", "/api/simulations/", {"X-API-Key": "nobody's"}),
    Request("GET", "/api/simulations/not-there/", KEY),
    Request("PATCH", simulation(0), {"X-API-Key": "nobody's"}, b'{"name": "Stolen"}'),
    Request("GET", "/api/articles/999999/"),
    Request("POST", "/api/tags/", body=TAKEN),
]
"""What every peer must refuse, with any 4xx."""
