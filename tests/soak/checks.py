"""What of all that the soak test has written down must not be?

Each check returns its violations, as lines of evidence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from tests.soak.records import Fault, Record

__all__ = ["connections", "counts", "errors", "foreign", "leftovers", "memory", "unsure", "writes"]

Samples = Sequence[tuple[float, int]]

CLOSING = 1.0
"""Seconds for which PostgreSQL may still list a connection that its client has closed.

A worker that ends closes its own, another opens one at once, and the backend takes its time.
"""

GROWTH = 8_000_000
"""Bytes that a process may grow between the second sixth of its life and the last."""

LIFE = 90.0
"""Seconds that a process must have lived for its memory to be judged."""

BOTH = [0, 1]

AT_REST = (
    "busy",
    "jobs waiting",
    "jobs waiting for a connection",
    "share of what lasts",
    "connections out of reach",
)
"""What a process counts, and must be 0 when it has nothing to do."""


def writes(
    records: Iterable[Record],
    rows: Mapping[str, Sequence[int]],
    committed: set[str],
    faults: Sequence[Fault],
) -> dict[str, list[str]]:
    """Return the writes that are not what their answers say, by what is wrong with them.

    `rows` are those in the database, by token; `committed` are the tokens whose `on_commit`
    callbacks have run.
    """
    found: dict[str, list[str]] = {
        "lost writes": [],
        "phantom writes": [],
        "half writes": [],
        "double writes": [],
        "on_commit without commit, or the reverse": [],
    }
    known: set[str] = set()
    for record in records:
        if not record.token:
            continue
        known.add(record.token)
        there = list(rows.get(record.token, []))
        evidence = f"{record}: rows {there}, on_commit ran: {record.token in committed}"
        for kind in _violated(record, there, committed, faults):
            found[kind].append(evidence)
    found["phantom writes"] += [
        f"rows of {token}, which nobody sent" for token in rows if token not in known
    ]
    return found


def _violated(
    record: Record, there: list[int], committed: set[str], faults: Iterable[Fault]
) -> Iterator[str]:
    """Yield what is wrong with the rows that are `there`, of one request."""
    is_stored = 200 <= record.status < 300 or record.problem == "AlreadyCommitted"
    is_refused = record.status >= 400 and not is_stored
    if len(set(there)) < len(there):
        yield "double writes"
    elif there not in ([], BOTH):
        yield "half writes"
    elif is_stored and not there:
        yield "lost writes"
    elif is_refused and there and not _is_unsure(record, committed, faults):
        yield "phantom writes"
    has_run = record.token in committed
    if (has_run and not there) or (is_stored and not has_run):
        yield "on_commit without commit, or the reverse"


def counts(
    records: Iterable[Record],
    rows: Mapping[str, Sequence[int]],
    counted: int,
    paths: Sequence[str],
) -> list[str]:
    """Return whether `counted` is not how often those that count, at `paths`, have written."""
    operations = {f"POST {path}" for path in paths}
    written = sum(
        record.operation in operations and record.token in rows
        for record in records
        if record.token
    )
    return [] if counted == written else [f"{written} have written, {counted} are counted"]


def foreign(records: Iterable[Record]) -> list[str]:
    """Return the requests that were shown rows of another tenant."""
    return [f"{record}: {record.foreign} foreign rows" for record in records if record.foreign]


def unsure(
    records: Iterable[Record],
    rows: Mapping[str, Sequence[int]],
    committed: set[str],
    faults: Sequence[Fault],
) -> int:
    """Return how many writes were committed by a database that went away before it said so."""
    return sum(record.token in rows and _is_unsure(record, committed, faults) for record in records)


def _is_unsure(record: Record, committed: set[str], faults: Iterable[Fault]) -> bool:
    """Return whether `record`'s COMMIT may have failed for lack of an acknowledgement only.

    Then nobody can know, and the answer says so; Django's does not tell it from other errors.
    If the callback of `on_commit` ran, the server did know.
    """
    return record.token not in committed and any(
        record.problem in ("OutcomeUnknown", "Django's status 500")
        and record.problem in fault.explains
        and fault.covers(record)
        for fault in faults
    )


def errors(records: Iterable[Record], faults: Sequence[Fault]) -> list[str]:
    """Return the requests with a problem that no fault explains."""
    return [
        f"{record}; the fault before: {_last_before(record, faults)}"
        for record in records
        if record.problem
        and not any(record.problem in fault.explains and fault.covers(record) for fault in faults)
    ]


def _last_before(record: Record, faults: Iterable[Fault]) -> Fault | None:
    before = [fault for fault in faults if fault.started <= record.ended]
    return before[-1] if before else None


def connections(too_many: Mapping[str, Samples]) -> list[str]:
    """Return when a process had more connections than configured for longer than `CLOSING`."""
    found = []
    for name, samples in too_many.items():
        started = before = samples[0][0]
        for time, count in samples:
            if time - before > CLOSING:
                started = time
            before = time
            if time - started > CLOSING:
                found.append(f"{name} had {count} connections from {started:.3f} to {time:.3f}")
    return found


def memory(samples: Mapping[int, Samples]) -> tuple[list[str], list[str]]:
    """Return how each process that lived long enough has grown, and which of these did too much."""
    figures, violations = [], []
    for pid, seen in samples.items():
        life = seen[-1][0] - seen[0][0]
        if life < LIFE:
            continue
        sixth = len(seen) // 6
        early = median(size for _, size in seen[sixth : 2 * sixth])
        late = median(size for _, size in seen[-sixth:])
        figure = (
            f"process {pid}, {life:.0f} s: {early / 1e6:.1f} MB in the second sixth, "
            f"{(late - early) / 1e6:+.1f} MB in the last"
        )
        figures.append(figure)
        if late - early > GROWTH:
            violations.append(figure)
    return figures, violations


def leftovers(states: Mapping[int, Mapping[str, Any]], listed: Mapping[int, int]) -> list[str]:
    """Return what processes without work still do.

    `listed` is how many connections PostgreSQL has with each.
    """
    found = []
    for pid, state in states.items():
        for name in AT_REST:
            if state[name]:
                found.append(f"process {pid}: {name}: {state[name]}")
        if state["connections counted"] != listed.get(pid, 0):
            found.append(f"process {pid} counts other connections than {listed.get(pid, 0)}")
    return found
