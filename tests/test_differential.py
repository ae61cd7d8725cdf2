"""Do random schemas show of random querysets what plain Django reads?

`python -m tests.differential` compares more of them.
"""

from random import Random

import pytest

from tests.differential.comparing import Report, compare
from tests.differential.rows import make_rows

SEEDS = [*range(250), 1556, 2762, 2902, 3049, 3657, 4699, 5840, 5877]


@pytest.mark.django_db
def test_what_is_shown_is_what_plain_django_reads_with_as_few_queries() -> None:
    make_rows(Random(0))
    report = Report()

    for seed in SEEDS:
        compare(seed, report)

    assert report.faults == []
    assert report.equal > 2 * sum(report.refused.values())
