"""What does the soak test find, when there is something to find?"""

import pytest

from tests.soak import checks
from tests.soak.records import GRACE, Fault, Record


def record(status: int = 200, problem: str = "", *, at: float = 10.0) -> Record:
    return Record("POST /", at, at + 1, "token", status, problem)


def fault(*explains: str) -> Fault:
    return Fault("fault", 20.0, 23.0, frozenset(explains))


def violations(found: dict[str, list[str]]) -> set[str]:
    return {name for name, evidence in found.items() if evidence}


@pytest.mark.parametrize(
    ("status", "rows", "committed", "found"),
    [
        (200, [0, 1], True, set()),
        (403, [], False, set()),
        (200, [], True, {"lost writes", "on_commit without commit, or the reverse"}),
        (200, [0], True, {"half writes"}),
        (0, [1], False, {"half writes"}),
        (0, [0, 1, 1], True, {"half writes"}),
        (0, [0, 1], False, set()),
        (0, [], False, set()),
        (403, [0, 1], True, {"phantom writes"}),
        (500, [0, 1], False, {"phantom writes"}),
        (403, [], True, {"on_commit without commit, or the reverse"}),
        (200, [0, 1], False, {"on_commit without commit, or the reverse"}),
    ],
)
def test_a_write_must_be_what_its_answer_says(
    status: int, rows: list[int], committed: bool, found: set[str]
) -> None:
    hooks = {"token"} if committed else set()

    assert violations(checks.writes([record(status)], {"token": rows}, hooks, [])) == found


def test_rows_that_nobody_sent_are_found() -> None:
    assert violations(checks.writes([], {"other": [0, 1]}, set(), [])) == {"phantom writes"}


@pytest.mark.parametrize(
    ("at", "committed", "unsure"), [(20.0, False, 1), (20.0, True, 0), (10.0, False, 0)]
)
def test_a_commit_is_unsure_only_where_the_database_went_away(
    at: float, committed: bool, unsure: int
) -> None:
    records = [record(503, "status 503", at=at)]
    hooks = {"token"} if committed else set()
    rows = {"token": [0, 1]}
    faults = [fault("status 503")]

    assert checks.unsure(records, rows, hooks, faults) == unsure
    assert violations(checks.writes(records, rows, hooks, faults)) == (
        set() if unsure else {"phantom writes"}
    )


@pytest.mark.parametrize(
    ("problem", "at", "is_explained"),
    [
        ("status 503", 19.5, True),
        ("status 503", 23.0 + GRACE, True),
        ("status 503", 18.5, False),
        ("status 503", 23.1 + GRACE, False),
        ("status 500", 21.0, False),
        ("", 10.0, True),
    ],
)
def test_an_error_needs_a_fault_that_explains_it(
    problem: str, at: float, is_explained: bool
) -> None:
    found = checks.errors([record(503, problem, at=at)], [fault("status 503")])

    assert (found == []) is is_explained


def test_more_connections_than_configured_are_found_unless_they_are_being_closed() -> None:
    brief = {"soak-1": [(1.0, 9), (1.1, 9), (5.0, 9)]}
    lasting = {"soak-1": [(1.0 + tenth / 10, 9) for tenth in range(15)]}

    assert checks.connections(brief) == []
    assert checks.connections(lasting) != []


def test_memory_that_grows_is_found_in_processes_that_lived_long_enough() -> None:
    flat = [(float(second), 100_000_000) for second in range(120)]
    growing = [(float(second), 100_000_000 + second * 200_000) for second in range(120)]

    figures, violated = checks.memory({1: flat, 2: growing, 3: growing[:60]})

    assert len(figures) == 2
    assert violated == [figures[1]]


@pytest.mark.parametrize("name", [*checks.AT_REST, "connections counted"])
def test_what_is_left_after_the_load_is_found(name: str) -> None:
    at_rest = dict.fromkeys(checks.AT_REST, 0) | {"connections counted": 8}

    assert checks.leftovers({1: at_rest}, {1: 8}) == []
    assert len(checks.leftovers({1: at_rest | {name: 9}}, {1: 8})) == 1
