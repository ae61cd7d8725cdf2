"""What is wrong with the answers of one cell of the matrix?"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.isolation.client import Answer
from tests.isolation.matrix import LOOKS, ROWS, Endpoint

__all__ = ["Tally", "tally"]


@dataclass(slots=True)
class Tally:
    """How many rows and statuses there are that should not be, and that should but are not."""

    requests: int = 0
    foreign: int = 0
    """Rows of a tenant who has not asked."""
    wrong: int = 0
    """Answers with such rows."""
    missing: int = 0
    """Rows that the tenant should have seen."""
    busy: int = 0
    """Streams and sockets that were refused, as too many hold a connection already."""
    statuses: Counter[int] = field(default_factory=Counter)
    """Those that should not be."""

    def passes(self, endpoint: Endpoint) -> bool:
        if endpoint.expected == "foreign":
            return self.foreign > 0
        is_right = not (self.foreign or self.missing or self.statuses)
        return is_right and self.busy * 2 <= self.requests

    def told(self, endpoint: Endpoint) -> str:
        """Return in a few words what was found."""
        if endpoint.expected == "foreign" and self.passes(endpoint):
            return f"seen: {self.foreign} foreign"
        found = []
        if self.foreign:
            found.append(f"{self.foreign} foreign in {self.wrong} answers")
        if self.missing:
            found.append(f"{self.missing} missing")
        found += [f"{count} x {status}" for status, count in sorted(self.statuses.items())]
        if self.busy:
            found.append(f"{self.busy} busy")
        return ", ".join(found) or ("ok" if self.passes(endpoint) else "nothing seen")


def tally(endpoint: Endpoint, answers: Iterable[Answer]) -> Tally:
    """Return what is wrong with `answers`, those of `endpoint`."""
    found = Tally()
    for answer in answers:
        found.requests += 1
        if answer.is_busy and endpoint.lasts:
            found.busy += 1
        elif answer.status != 200:
            found.statuses[answer.status] += 1
        else:
            _look_at(answer, found, rows=0 if endpoint.expected == "none" else ROWS)
    return found


def _look_at(answer: Answer, found: Tally, *, rows: int) -> None:
    expected = [answer.tenant] * rows
    looks = answer.looks + [[]] * (LOOKS - len(answer.looks))
    foreign = sum(len(_without(look, expected)) for look in looks)
    found.missing += sum(len(_without(expected, look)) for look in looks)
    found.foreign += foreign
    found.wrong += foreign > 0


def _without(rows: list[str], others: list[str]) -> list[str]:
    """Return `rows`, each of `others` taken away once."""
    return list((Counter(rows) - Counter(others)).elements())
