"""What does the isolation test count, when there is something to count?"""

import pytest

from tests.isolation.client import Answer
from tests.isolation.matrix import ENDPOINTS, LOOKS, ROWS, TENANCIES, Endpoint, absent
from tests.isolation.tally import tally

ANSWER = Endpoint("answer", "/answer")
STREAM = Endpoint("stream", "/stream", kind="stream")
NONE = Endpoint("none", "/none", expected="none")
LEAK = Endpoint("leak", "/leak", expected="foreign")
OWN = ["elm"] * ROWS


def answer(*looks: list[str], status: int = 200) -> Answer:
    return Answer("/", "elm", status, list(looks))


def told(endpoint: Endpoint, *answers: Answer) -> tuple[str, bool]:
    found = tally(endpoint, answers)
    return found.told(endpoint), found.passes(endpoint)


def test_a_cell_passes_if_each_tenant_sees_all_of_its_rows_and_no_others() -> None:
    assert told(ANSWER, answer(*[OWN] * LOOKS)) == ("ok", True)


@pytest.mark.parametrize(
    ("last", "found"),
    [
        ([*OWN, "fir"], "1 foreign in 1 answers"),
        ([*OWN[1:], "fir"], "1 foreign in 1 answers, 1 missing"),
        (["fir"] * ROWS, f"{ROWS} foreign in 1 answers, {ROWS} missing"),
        ([], f"{ROWS} missing"),
        ([*OWN, "elm"], "1 foreign in 1 answers"),
    ],
)
def test_each_look_is_compared(last: list[str], found: str) -> None:
    looks = [OWN] * (LOOKS - 1)

    assert told(ANSWER, answer(*looks, last)) == (found, False)


def test_looks_that_are_missing_are_missing_rows() -> None:
    assert told(ANSWER, answer(OWN)) == (f"{ROWS * (LOOKS - 1)} missing", False)


@pytest.mark.parametrize("status", [0, 500, 503])
def test_every_other_status_of_a_short_answer_is_a_failure(status: int) -> None:
    answers = [answer(*[OWN] * LOOKS), answer(status=status)]

    assert told(ANSWER, *answers) == (f"1 x {status}", False)


@pytest.mark.parametrize("status", [503, 1013])
def test_what_lasts_may_be_refused_for_a_part(status: int) -> None:
    served, refused = answer(*[OWN] * LOOKS), answer(status=status)

    assert told(STREAM, served, refused) == ("1 busy", True)
    assert told(STREAM, served, refused, refused) == ("2 busy", False)
    assert told(STREAM, served, answer(status=500)) == ("1 x 500", False)


def test_where_nobody_sets_a_tenant_no_row_may_be_seen() -> None:
    assert told(NONE, answer(*[[]] * LOOKS)) == ("ok", True)
    assert told(NONE, answer(["elm"], [], [])) == ("1 foreign in 1 answers", False)


def test_a_leak_on_purpose_must_be_seen() -> None:
    assert told(LEAK, answer(*[["fir"] * ROWS] * LOOKS)) == (f"seen: {ROWS * LOOKS} foreign", True)
    assert told(LEAK, answer(*[OWN] * LOOKS)) == ("nothing seen", False)


def test_each_kind_of_endpoint_exists_somewhere() -> None:
    for endpoint in ENDPOINTS:
        assert any(absent(tenancy, endpoint) is None for tenancy in TENANCIES.values())
