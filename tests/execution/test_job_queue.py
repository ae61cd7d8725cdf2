"""Which job is the next?"""

from collections.abc import Callable

import pytest

from django_mullet.execution.job_queue import Backlog


class Owner:
    """Is known to query, or not yet."""

    def __init__(self, *, queries: bool = False, changes: Callable[[], object] = bool) -> None:
        self._queries = queries
        self._changes = changes
        self.errors: list[Exception] = []

    @property
    def queries(self) -> bool:
        self._changes()
        return self._queries

    def refuse(self, error: Exception) -> None:
        self.errors.append(error)


def test_an_empty_backlog_has_no_next() -> None:
    backlog = Backlog()

    assert len(backlog) == 0
    assert not backlog.has_next(may_query=True)
    with pytest.raises(IndexError):
        backlog.take(may_query=True)


def test_what_may_not_query_waits_and_others_pass() -> None:
    backlog, querying, other = Backlog(), lambda: None, lambda: None
    backlog.put(querying, Owner(queries=True), 0.0)
    assert not backlog.has_next(may_query=False)
    backlog.put(other, None, 0.0)
    assert backlog.has_next(may_query=False)

    assert backlog.take(may_query=False) is other
    with pytest.raises(IndexError):
        backlog.take(may_query=False)
    assert len(backlog) == 1
    assert backlog.has_next(may_query=True)
    assert backlog.take(may_query=True) is querying


def test_both_kinds_take_turns() -> None:
    backlog = Backlog()
    jobs = {name: (lambda: None) for name in ("q0", "q1", "q2", "n0", "n1")}
    names = {id(each): name for name, each in jobs.items()}
    for name, each in jobs.items():
        backlog.put(each, Owner(queries=name.startswith("q")), 0.0)

    taken = [names[id(backlog.take(may_query=True))] for _ in jobs]

    assert taken == ["n0", "q0", "n1", "q1", "q2"]


def test_one_that_is_found_out_to_query_lets_others_pass() -> None:
    backlog, owner, first, other = Backlog(), Owner(), lambda: None, lambda: None
    backlog.put(first, owner, 0.0)
    backlog.put(other, Owner(), 0.0)
    owner._queries = True

    assert backlog.take(may_query=False) is other
    assert not backlog.has_next(may_query=False)
    assert backlog.take(may_query=True) is first


def test_only_those_are_overdue_that_query_and_have_waited_for_long() -> None:
    backlog = Backlog()
    owners = [Owner(queries=True) for _ in range(3)]
    for owner, deadline in zip(owners, (1.0, 2.0, 3.0), strict=True):
        backlog.put(lambda: None, owner, deadline)
    backlog.put(lambda: None, Owner(), 1.0)

    assert list(backlog.take_overdue(1.0)) == []
    assert list(backlog.take_overdue(2.5)) == owners[:2]
    assert len(backlog) == 2
    assert list(backlog.take_overdue(3.5)) == owners[2:]
    assert list(backlog.take_overdue(3.5)) == []


# What may happen between two steps


def test_who_is_too_late_for_the_last_job_gets_the_next_that_comes() -> None:
    def late() -> None: ...

    class Late(Backlog):
        def has_next(self, *, may_query: bool) -> bool:
            self.put(late, None, 0.0)
            return super().has_next(may_query=may_query)

    assert Late().take(may_query=True) is late


def test_what_another_thread_has_taken_is_not_put_aside() -> None:
    """The one at the head queries, and is taken by another thread before it is put aside."""
    backlog, other = Backlog(), lambda: None

    def take() -> None:
        owner._changes = bool
        backlog._others.popleft()

    backlog.put(lambda: None, owner := Owner(), 0.0)
    backlog.put(other, None, 0.0)
    owner._queries, owner._changes = True, take

    assert backlog.take(may_query=False) is other


def test_nor_is_it_where_it_was_the_last() -> None:
    backlog = Backlog()

    def take() -> None:
        owner._changes = bool
        backlog._others.popleft()

    backlog.put(lambda: None, owner := Owner(), 0.0)
    owner._queries, owner._changes = True, take

    assert not backlog.has_next(may_query=True)
