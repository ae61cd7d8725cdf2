"""What does the soak test find, when there is something to find?"""

import pytest

from tests.isolation.matrix import LOOKS, ROWS, Endpoint
from tests.soak import checks
from tests.soak.answers import BUSY, Refused, Unexpected, expect
from tests.soak.client import Reply
from tests.soak.records import GRACE, Fault, Record
from tests.soak.tenants import expect_own


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
        (0, [0, 1, 1], True, {"double writes"}),
        (0, [0, 0, 1, 1], True, {"double writes"}),
        (409, [0, 1], True, {"phantom writes"}),
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
    records = [record(500, "OutcomeUnknown", at=at)]
    hooks = {"token"} if committed else set()
    rows = {"token": [0, 1]}
    faults = [fault("OutcomeUnknown")]

    assert checks.unsure(records, rows, hooks, faults) == unsure
    assert violations(checks.writes(records, rows, hooks, faults)) == (
        set() if unsure else {"phantom writes"}
    )


def test_a_503_says_that_nothing_is_stored() -> None:
    records = [record(503, "status 503", at=20.0)]

    found = checks.writes(records, {"token": [0, 1]}, set(), [fault("status 503")])

    assert violations(found) == {"phantom writes"}


@pytest.mark.parametrize(
    ("rows", "committed", "found"),
    [
        ([0, 1], {"token"}, set()),
        ([], set(), {"lost writes", "on_commit without commit, or the reverse"}),
    ],
)
def test_what_failed_after_a_commit_is_there(
    rows: list[int], committed: set[str], found: set[str]
) -> None:
    records = [record(500, "AlreadyCommitted")]

    assert violations(checks.writes(records, {"token": rows}, committed, [])) == found


def test_what_is_counted_more_or_less_often_than_written_is_found() -> None:
    records = [record(), Record("POST /", 1.0, token="other"), Record("POST /else", 1.0)]
    rows = {"token": [0, 1]}

    assert checks.counts(records, rows, 1, ["/"]) == []
    assert checks.counts(records, rows, 2, ["/"]) != []
    assert checks.counts(records, rows, 1, ["/else"]) != []


@pytest.mark.parametrize(
    ("looks", "foreign", "are_missing"),
    [
        ([["elm"] * ROWS] * LOOKS, 0, False),
        ([["elm"] * ROWS + ["fir"]] * LOOKS, LOOKS, False),
        ([["elm"] * ROWS], 0, True),
        ([["fir"] * ROWS] * LOOKS, ROWS * LOOKS, True),
    ],
)
def test_rows_of_another_tenant_are_found(
    looks: list[list[str]], foreign: int, *, are_missing: bool
) -> None:
    asked = record()

    try:
        expect_own(asked, Endpoint("any", "/"), "elm", looks)
    except Unexpected:
        assert are_missing
    else:
        assert not are_missing

    assert asked.foreign == foreign
    assert bool(checks.foreign([asked])) is (foreign > 0)


@pytest.mark.parametrize(("lasts", "raised"), [(True, Refused), (False, Unexpected)])
def test_only_what_lasts_may_be_refused(raised: type[Exception], *, lasts: bool) -> None:
    asked = record()
    asked.lasts = lasts

    with pytest.raises(raised):
        expect(asked, Reply(503, BUSY), 200)


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
