"""How are two sides compared, and what is kept of it?"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from benchmarks.routes.cases import CASES, Case

__all__ = ["SIDES", "Block", "Measurement", "Options", "compare"]

SIDES = ("plain", "mullet")


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured."""

    case: str = ""
    """Part of the names of the cases."""
    repetitions: int = 20
    in_process_requests: int = 80
    in_process_concurrency: tuple[int, ...] = (1, 16)
    http_requests: int = 160
    http_concurrency: int = 16

    def cases(self) -> list[Case]:
        return [case for case in CASES if self.case in case.name]


@dataclass(frozen=True, slots=True)
class Block:
    """What one request of a block cost on average, in microseconds."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """The blocks of both sides of one case, in the order in which they ran."""

    mode: str
    case: str
    concurrency: int
    blocks: dict[str, list[Block]]
    database: str

    @classmethod
    def start(cls, mode: str, case: Case, concurrency: int, *, database: str = "") -> "Measurement":
        return cls(mode, case.name, concurrency, {side: [] for side in SIDES}, database)

    @classmethod
    def from_json(cls, text: str, database: str) -> "Measurement":
        values = json.loads(text) | {"database": database}
        values["blocks"] = {
            side: [Block(**block) for block in blocks] for side, blocks in values["blocks"].items()
        }
        return cls(**values)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def ratio(self, what: str) -> float:
        """Return `what`, "cpu" or "wall", of plain FastAPI to that of django-mullet.

        It is the median over the pairs of neighbouring blocks, so that a machine which is
        now fast and now slow does not matter.
        """
        return median(self.ratios(what))

    def ratios(self, what: str) -> list[float]:
        plain, mullet = (self.times(side, what) for side in SIDES)
        return [a / b for a, b in zip(plain, mullet, strict=True)]

    def times(self, side: str, what: str) -> list[float]:
        return [getattr(block, what) for block in self.blocks[side]]

    def summary(self) -> dict[str, Any]:
        """Return what the file of results says."""
        microseconds = {
            side: {
                f"{what}_{of.__name__}": round(of(self.times(side, what)), 1)
                for what in ("cpu", "wall")
                for of in (median, min)
            }
            for side in SIDES
        }
        return {
            "database": self.database,
            "mode": self.mode,
            "case": self.case,
            "concurrency": self.concurrency,
            "cpu_ratio": round(self.ratio("cpu"), 3),
            "cpu_ratio_quartiles": [round(ratio, 3) for ratio in quantiles(self.ratios("cpu"))],
            "rate_ratio": round(self.ratio("wall"), 3),
            "microseconds_per_request": microseconds,
        }


async def compare(
    block: Callable[[str], Awaitable[Block]], measurement: Measurement, repetitions: int
) -> None:
    """Add `repetitions` blocks of each side to `measurement`, by turns, after a warm-up."""
    for repetition in range(repetitions + 1):
        for side in SIDES if repetition % 2 else reversed(SIDES):
            result = await block(side)
            if repetition:
                measurement.blocks[side].append(result)
