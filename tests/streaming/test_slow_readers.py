"""What does the test of slow readers find, when there is something to find?"""

from dataclasses import replace

import pytest

from tests.slow_readers.bars import CONNECTIONS, SHARE, Figures, allowed_memory, violations
from tests.slow_readers.probes import Samples
from tests.slow_readers.readers import Outcome
from tests.slow_readers.scenarios import READERS, Scenario

FILES = Scenario("files", ("/file",), holds_connections=False)
STREAMS = Scenario("streams", ("/stream",), holds_connections=True)


def outcomes(**numbers: int) -> list[Outcome]:
    """Return so many outcomes of each status, as `served=10, refused=190`."""
    statuses = {"served": 200, "refused": 503, "broken": 500, "unanswered": 0}
    return [
        Outcome("/path", statuses[name], received=1000, cut=False)
        for name, number in numbers.items()
        for _ in range(number)
    ]


def samples(seconds: float, *, slowest: float = 0.0) -> dict[str, Samples]:
    """Return a hundred answers, of which ten were as slow as `slowest`."""
    return {"detail": Samples([seconds] * 90 + [slowest or seconds] * 10)}


def good(scenario: Scenario) -> Figures:
    """Return figures in which there is nothing to find."""
    readers = outcomes(served=READERS)
    if scenario.holds_connections:
        readers = outcomes(served=SHARE, refused=READERS - SHARE)
    idle = samples(0.01)
    memory = (90_000_000, 100_000_000)
    return Figures(scenario, readers, 1.0, idle, idle, idle, CONNECTIONS, memory)


@pytest.mark.parametrize("scenario", [FILES, STREAMS])
def test_what_holds_is_no_violation(scenario: Scenario) -> None:
    assert violations(good(scenario)) == []


@pytest.mark.parametrize(
    ("scenario", "readers", "found"),
    [
        (FILES, outcomes(served=199, refused=1), "1 readers of files were refused"),
        (FILES, outcomes(served=199, unanswered=1), "1 readers were answered neither 200 nor 503"),
        (FILES, outcomes(served=199, broken=1), "1 readers were answered neither 200 nor 503"),
        (STREAMS, outcomes(served=11, refused=189), "11 readers were served, 10 must be"),
        (STREAMS, outcomes(served=9, refused=191), "9 readers were served, 10 must be"),
        (STREAMS, outcomes(refused=200), "0 readers were served, 10 must be"),
    ],
)
def test_who_is_served_and_who_is_refused_is_looked_at(
    scenario: Scenario, readers: list[Outcome], found: str
) -> None:
    assert violations(replace(good(scenario), readers=readers)) == [found]


def test_an_answer_that_is_cut_is_found() -> None:
    figures = good(FILES)
    readers = [replace(figures.readers[0], cut=True), *figures.readers[1:]]

    assert violations(replace(figures, readers=readers)) == ["1 readers got a part only"]


@pytest.mark.parametrize(
    ("scenario", "busy", "found"),
    [
        (FILES, samples(0.019), []),
        (FILES, samples(0.021), ["detail: p50 is 2.1 times that before, 2 are allowed"]),
        (STREAMS, samples(0.021), []),
        (STREAMS, samples(0.01, slowest=0.049), []),
        (
            STREAMS,
            samples(0.01, slowest=0.051),
            ["detail: p95 is 5.1 times that before, 5 are allowed"],
        ),
    ],
)
def test_others_that_wait_are_found(
    scenario: Scenario, busy: dict[str, Samples], found: list[str]
) -> None:
    assert violations(replace(good(scenario), busy=busy)) == found


FAILED = {"detail": Samples([0.01], ["status 503"])}


@pytest.mark.parametrize(
    "figures", [replace(good(STREAMS), busy=FAILED), replace(good(STREAMS), after=FAILED)]
)
def test_others_that_are_not_answered_are_found(figures: Figures) -> None:
    [found] = violations(figures)

    assert found.endswith("1 times status 503")


def test_too_many_connections_are_found() -> None:
    [found] = violations(replace(good(STREAMS), connections=CONNECTIONS + 1))

    assert found == "21 connections were open, 20 are configured"


def test_memory_that_grows_with_what_nobody_reads_is_found() -> None:
    figures = good(STREAMS)
    before, _ = figures.memory
    allowed = allowed_memory(figures)

    assert violations(replace(figures, memory=(before, before + allowed))) == []
    [found] = violations(replace(figures, memory=(before, before + allowed + 1)))
    assert found.startswith("memory grew by")
