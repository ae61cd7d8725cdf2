"""How is what was found told?"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.isolation.matrix import CONNECTIONS, ENDPOINTS, Tenancy, absent
from tests.isolation.tally import Tally

__all__ = ["Cells", "failures", "print_failed", "print_logs", "print_reasons", "print_table"]

Cells = dict[tuple[str, str], Tally]
"""By the names of an endpoint and of a way of keeping connections."""


def print_table(tenancy: Tenancy, cells: Cells) -> None:
    """Print the cells of `tenancy`; a dash is a cell that does not exist."""
    lines = [["", *CONNECTIONS]]
    for endpoint in ENDPOINTS:
        if absent(tenancy, endpoint) is None:
            texts = (cells[endpoint.name, kind].told(endpoint) for kind in CONNECTIONS)
        else:
            texts = ("-" for _ in CONNECTIONS)
        lines.append([endpoint.name, *texts])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(f"\n{tenancy.name}: {tenancy.how}")
    for line in lines:
        padded = (f"{text:{width}}" for text, width in zip(line, widths, strict=True))
        print(f"  {'  '.join(padded).rstrip()}", flush=True)


def failures(tenancy: Tenancy, cells: Cells) -> list[str]:
    """Return what is to be said of each cell that failed."""
    return [
        f"{tenancy.name} / {endpoint.name} / {kind}: {cell.told(endpoint)}"
        for endpoint in ENDPOINTS
        for kind in CONNECTIONS
        if (cell := cells.get((endpoint.name, kind))) is not None and not cell.passes(endpoint)
    ]


def print_failed(failed: Sequence[str]) -> None:
    print(f"\n{len(failed)} cells failed")
    for line in failed:
        print(f"  {line}")


def print_logs(directory: Path, tenancy: Tenancy) -> None:
    """Print the errors in what the servers of `tenancy` have logged."""
    for log in sorted(directory.glob(f"{tenancy.name}-*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith(("Busy: ", "Database away: ")) or "Error: " in line:
                print(f"  {log.stem}: {line}")


def print_reasons(tenancies: Iterable[Tenancy]) -> None:
    """Print why some cells do not exist."""
    reasons: dict[str, list[str]] = {}
    for tenancy in tenancies:
        for endpoint in ENDPOINTS:
            if reason := absent(tenancy, endpoint):
                reasons.setdefault(reason, []).append(f"{tenancy.name}/{endpoint.name}")
    print("\nWhat does not exist:")
    for reason, names in reasons.items():
        print(f"  {reason}:\n    {', '.join(names)}")
