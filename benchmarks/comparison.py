"""What does a request cost here, next to the same request in another checkout?

The peers are this library's, `def` and `async def`, each twice: from this checkout and from the
other one, whose name is `Checkout.title`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.checkouts import checkout, this_checkout
from benchmarks.markdown import conditions, table
from benchmarks.peers import PEERS, Peer
from benchmarks.rounds import Options

__all__ = ["OPTIONS", "Ratio", "compared", "ratio", "write"]

NAME = "against"
OTHER = "other_"
OPTIONS = Options(rounds=9, saturation=0.8, turns=8, fixed_rate=0.2)
"""Short turns: what disturbs the machine for a second disturbs both."""

OURS = [peer for peer in PEERS if peer.environment == "mullet"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """CPU time per request here to that of the other checkout, in the same round."""

    median: float
    low: float
    high: float
    """Half of the rounds are from `low` to `high`."""

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.2f} to {self.high:.2f})"


@contextmanager
def compared(name: str) -> Iterator[tuple[list[Peer], str]]:
    """Yield the peers of this checkout and of the one called `name`, and what is compared."""
    with checkout(name) as other:
        theirs = [
            replace(
                peer,
                name=f"{OTHER}{peer.name}",
                title=f"{peer.title}, {name}",
                checkout=other.root,
            )
            for peer in OURS
        ]
        yield OURS + theirs, f"{this_checkout().title} ÷ {other.title}"


def ratio(peers: dict[str, Any], name: str) -> Ratio:
    """Return the ratio of the peer `name` in the document's `peers` of one exchange."""
    pairs = zip(peers[name]["blocks"], peers[f"{OTHER}{name}"]["blocks"], strict=True)
    ratios = [here["cpu"] / there["cpu"] for here, there in pairs]
    low, middle, high = quantiles(
        ratios * 2 if len(ratios) == 1 else ratios, n=4, method="inclusive"
    )
    return Ratio(middle, low, high)


def write(document: dict[str, Any], what: str, directory: Path) -> str:
    """Write the document and the table of its ratios to `directory`; return the table."""
    directory.mkdir(parents=True, exist_ok=True)
    text = page(document, what)
    kept = {"compared": what, **document}
    (directory / f"{NAME}.json").write_text(json.dumps(kept, indent=1) + "\n")
    (directory / f"{NAME}.md").write_text(text)
    return text


def page(document: dict[str, Any], what: str) -> str:
    """Return one table for each kind of endpoint."""
    parts = [f"# CPU time per request: {what}", conditions(document)]
    for peer in OURS:
        parts += [f"## {peer.title}", ratios(document, peer)]
    return "\n\n".join(parts) + "\n"


def ratios(document: dict[str, Any], peer: Peer) -> str:
    rows = []
    for exchange in document["exchanges"].values():
        here, there = (exchange["peers"][prefix + peer.name] for prefix in ("", OTHER))
        costs = (median(block["cpu"] for block in each["blocks"]) for each in (here, there))
        rows.append(
            [
                exchange["title"],
                str(ratio(exchange["peers"], peer.name)),
                *(f"{cost:,.0f}" for cost in costs),
                *(f"{each['queries']:g} / {each['all']:g}" for each in (here, there)),
            ]
        )
    head = ["", "ratio (half of the rounds)", "CPU µs here", "there"]
    return table([*head, "queries / round trips here", "there"], rows)
