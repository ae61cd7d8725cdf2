"""Compare many more than the suite does, reading and writing, on the database of the tests."""

import argparse
import os
import sys
from random import Random
from time import monotonic

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.differential")
    parser.add_argument("--number", type=int, default=10_000, help="comparisons")
    parser.add_argument("--writes", type=int, default=0, help="bodies that are written")
    parser.add_argument("--seed", type=int, default=0, help="the first of them")
    parser.add_argument("--show", type=int, default=10, help="faults to print")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.test.runner import DiscoverRunner

    runner = DiscoverRunner(verbosity=0)
    runner.setup_test_environment()
    databases = runner.setup_databases()
    try:
        faults = run(options.number, options.writes, options.seed, options.show)
    finally:
        runner.teardown_databases(databases)
    sys.exit(1 if faults else 0)


def run(number: int, writes: int, seed: int, show: int) -> int:
    from tests.differential.comparing import Report, compare
    from tests.differential.comparing_writes import compare_writes
    from tests.differential.rows import make_rows

    make_rows(Random(seed))
    faults = 0
    for what, most, comparison in (("read", number, compare), ("written", writes, compare_writes)):
        report, started, each = Report(), monotonic(), seed
        while report.number() < most:
            comparison(each, report)
            each += 1
        took = monotonic() - started
        print(f"{what}: {report.equal} equal, {len(report.faults)} not, in {took:.0f} s")
        for refusal, count in report.refused.most_common():
            print(f"{count} refused: {refusal}")
        for fault in report.faults[:show]:
            print(fault)
        faults += len(report.faults)
    return faults


if __name__ == "__main__":
    main()
