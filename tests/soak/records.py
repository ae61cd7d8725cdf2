"""What does the soak test write down about each request and each fault?"""

from dataclasses import dataclass, field

__all__ = ["GRACE", "Fault", "Record"]

GRACE = 0.5
"""Seconds after a fault in which a request may begin and still be hit by it.

A fault's end is seen by this process, in a thread; the clients, on a busy event loop, may be that
late to see that a connection they keep is dead, and to note when they began.
"""


@dataclass(slots=True)
class Record:
    """One request: what came of it, and when, by `time.monotonic()`."""

    operation: str
    started: float
    ended: float = 0.0
    token: str = ""
    """Which rows it was to write; empty if it only reads."""
    status: int = 0
    """As in the head of the answer; 0 if none came."""
    problem: str = ""
    """What is wrong: 'cut', 'cut short' (after the head), 'status 503', ...; empty if nothing."""
    detail: str = ""
    lasts: bool = False
    """Whether it is a stream or a WebSocket, for which there is a share of the connections."""
    is_refused: bool = False
    """Whether that share was used up."""
    foreign: int = 0
    """Rows of other tenants than the one who asked that came."""
    has_looked: bool = False
    """Whether the rows that came were looked at for that."""

    def __str__(self) -> str:
        return (
            f"{self.operation} {self.token} from {self.started:.3f} to {self.ended:.3f}: "
            f"status {self.status}, {self.problem or 'no problem'} {self.detail}".rstrip()
        )


@dataclass(slots=True)
class Fault:
    """One thing that was broken, from when until when."""

    kind: str
    started: float
    ended: float
    explains: frozenset[str]
    """The problems that a request may have because of it."""
    details: dict[str, float] = field(default_factory=dict)

    def covers(self, record: Record) -> bool:
        """Return whether `record`'s request was in flight at some time of this fault."""
        return record.started <= self.ended + GRACE and record.ended >= self.started

    def __str__(self) -> str:
        return f"{self.kind} from {self.started:.3f} to {self.ended:.3f}"
