"""Which figures stand for all rounds? Medians, their spread, and ratios of the same round."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.peers import OURS

__all__ = ["Summary", "summaries"]


@dataclass(frozen=True, slots=True)
class Summary:
    """One peer in one exchange."""

    cpu: float
    """Microseconds for each request; the median of all rounds, as the others."""
    spread: float
    """How far the rounds are from that at most, as a part of it."""
    ratio: float | None
    """This CPU time to that of `OURS`; the median of the ratios of each round."""
    rate: float
    p50: float
    p99: float
    queries: float
    statements: float


def summaries(exchange: dict[str, Any]) -> dict[str, Summary]:
    """Return the summary of each peer of an exchange of a document."""
    ours = [block["cpu"] for block in exchange["peers"].get(OURS, {"blocks": []})["blocks"]]
    return {name: summary(measured, ours) for name, measured in exchange["peers"].items()}


def summary(measured: dict[str, Any], ours: list[float]) -> Summary:
    columns = {
        key: [block[key] for block in measured["blocks"]] for key in ("cpu", "rate", "p50", "p99")
    }
    cpu = median(columns["cpu"])
    ratios = [theirs / own for theirs, own in zip(columns["cpu"], ours, strict=False)]
    return Summary(
        cpu=cpu,
        spread=max(abs(each - cpu) for each in columns["cpu"]) / cpu,
        ratio=median(ratios) if ratios else None,
        rate=median(columns["rate"]),
        p50=median(columns["p50"]),
        p99=median(columns["p99"]),
        queries=measured["queries"],
        statements=measured["all"],
    )
