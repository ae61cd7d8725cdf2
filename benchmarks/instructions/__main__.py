"""Fails when a hot function takes more instructions than it used to, in proportion.

Proportion to what is counted in the same run for plain Python, so that processor, compiler and
load do not matter. The versions of Python and Django do: each pair has a baseline of its own.
"""

import json
import platform
import sys
from argparse import ArgumentParser
from pathlib import Path

import django

from benchmarks.instructions.counting import UnavailableError, count
from benchmarks.instructions.workloads import REFERENCE

BASELINE = Path(__file__).parent / "baseline.json"
TOLERANCE = 0.15  # libraries that are newer by a patch differ by less

Ratios = dict[str, float]


def main(*, update: bool) -> int:
    """Print what is counted and return the exit code."""
    try:
        counts = count()
    except UnavailableError as error:
        print(f"Instructions were NOT counted, and nothing was compared: {error}.")
        return 0
    ratios = {
        name: float(f"{counted / counts[REFERENCE]:.4g}")
        for name, counted in counts.items()
        if name != REFERENCE
    }
    baselines: dict[str, Ratios] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    if update:
        BASELINE.write_text(json.dumps(baselines | {versions(): ratios}, indent=2) + "\n")
    return compare(ratios, ratios if update else baselines.get(versions()))


def versions() -> str:
    python = ".".join(platform.python_version_tuple()[:2])
    return f"Python {python}, Django {'.'.join(map(str, django.VERSION[:2]))}"


def compare(ratios: Ratios, baseline: Ratios | None) -> int:
    if baseline is None:
        print(f"There is no baseline for {versions()}: nothing is compared.")
        baseline = {}
    worse = 0
    for name, ratio in ratios.items():
        before = baseline.get(name)
        change = 0 if before is None else ratio / before - 1
        remark = "" if abs(change) <= TOLERANCE else "WORSE" if change > 0 else "better: --update?"
        worse += remark == "WORSE"
        print(f"{name:28}{ratio:10.4g}{before or 0:10.4g}{change:+8.1%}  {remark}".rstrip())
    if worse:
        print(f"{worse} of {len(ratios)} take over {TOLERANCE:.0%} more than 'baseline.json' says.")
    return min(worse, 1)


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("--update", action="store_true", help="make this run the baseline")
    sys.exit(main(update=parser.parse_args().update))
