"""Is the cursor that stays as good as a new one each time?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest
from django.db import ProgrammingError, connection, connections
from django.db.utils import InterfaceError, OperationalError
from django.test.utils import CaptureQueriesContext

from django_mullet.execution import connections as worker_connections
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.worker_connection import WorkerConnection
from django_mullet.queries.fetching import MOST, fetch
from tests.worker_threads import Thread

pytestmark = pytest.mark.django_db(transaction=True)


def fetch_number(number: int = 1) -> Any:
    return fetch(connections["default"], "SELECT %s + 1", (number,))


def lasting() -> Any:
    found: Any = connections["default"]
    return found.lasting_cursor


@contextmanager
def own_cursor(calls: list[str]) -> Iterator[None]:
    """Give the connection a `cursor()` of its own, as Django Debug Toolbar does."""
    ordinary = connection.cursor

    def cursor() -> Any:
        calls.append("cursor")
        return ordinary()

    connection.cursor = cursor  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        del connection.cursor


def test_it_stays_for_the_next_query(thread: Callable[[], Thread]) -> None:
    worker = thread()

    assert worker.run(fetch_number) == [(2,)]
    first = worker.run(lasting)
    assert worker.run(lambda: fetch_number(2)) == [(3,)]

    assert first is not None
    assert worker.run(lasting) is first


def test_outside_of_a_worker_each_query_has_its_own() -> None:
    assert fetch_number() == [(2,)]
    assert not isinstance(connections["default"], WorkerConnection)


def test_it_keeps_no_more_than_a_few_rows(thread: Callable[[], Thread]) -> None:
    worker = thread()
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < %s) "

    def fetch_many(count: int) -> int:
        return len(fetch(connections["default"], f"{numbers} SELECT x FROM n", (count,)))

    assert worker.run(lambda: fetch_many(MOST)) == MOST
    assert worker.run(lasting) is not None
    assert worker.run(lambda: fetch_many(MOST + 1)) == MOST + 1
    kept = worker.run(lasting)
    if connection.vendor == "postgresql":  # the rows have not been in it
        assert kept.cursor.cursor.pgresult is None
    else:
        assert kept is None


def test_it_goes_with_an_error(thread: Callable[[], Thread]) -> None:
    worker = thread()
    worker.run(fetch_number)

    with pytest.raises((ProgrammingError, OperationalError)):
        worker.run(lambda: fetch(connections["default"], "SELECT nothing FROM nowhere", ()))

    assert worker.run(lasting) is None
    assert worker.run(fetch_number) == [(2,)]


def test_an_error_closes_it(thread: Callable[[], Thread]) -> None:
    worker = thread()
    worker.run(fetch_number)
    kept = worker.run(lasting)

    with pytest.raises((ProgrammingError, OperationalError)):
        worker.run(lambda: fetch(connections["default"], "SELECT nothing FROM nowhere", ()))

    with pytest.raises((ProgrammingError, InterfaceError), match="closed"):
        worker.run(lambda: kept.cursor.execute("SELECT 1"))


def test_it_goes_with_its_connection(thread: Callable[[], Thread]) -> None:
    worker = thread()
    worker.run(fetch_number)

    worker.run(lambda: connection.close())

    assert worker.run(lasting) is None
    assert worker.run(fetch_number) == [(2,)]


def test_it_does_not_follow_what_another_worker_takes_over(thread: Callable[[], Thread]) -> None:
    first, second = thread(), thread()
    first.run(fetch_number)
    first.run(worker_connections.checkin)

    assert second.run(fetch_number) == [(2,)]

    assert slots_of("default").open == 1
    assert first.run(lasting) is None
    assert second.run(lasting) is not None


def test_a_query_within_a_query_has_another(thread: Callable[[], Thread]) -> None:
    within: list[Any] = []

    def twice(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if not within:
            within.append(None)
            within[0] = fetch_number(2)
        return result

    def fetch_both() -> Any:
        fetch_number()
        with connection.execute_wrapper(twice):
            return fetch_number()

    assert thread().run(fetch_both) == [(2,)]
    assert within == [[(3,)]]


def test_queries_are_logged(thread: Callable[[], Thread]) -> None:
    def logged() -> list[str]:
        fetch_number()
        with CaptureQueriesContext(connection) as captured:
            fetch_number(2)
        return [query["sql"] for query in captured]

    assert thread().run(logged) == ["SELECT 2 + 1"]


def test_a_tool_sees_each_cursor(thread: Callable[[], Thread]) -> None:
    calls: list[str] = []

    def watched() -> Any:
        fetch_number()
        with own_cursor(calls):
            return fetch_number()

    assert thread().run(watched) == [(2,)]
    assert calls == ["cursor"]


@pytest.mark.parametrize("name", ["cursor", "_cursor", "create_cursor", "make_cursor"])
def test_who_replaces_what_opens_cursors_sees_each_from_then_on(
    name: str, thread: Callable[[], Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    kept = thread()
    backend: Any = kept.run(lambda: type(connections["default"]))
    kept.run(fetch_number)
    ordinary = getattr(backend, name)

    @wraps(ordinary)
    def noting(*args: Any, **kwargs: Any) -> Any:
        opened.append(name)
        return ordinary(*args, **kwargs)

    monkeypatch.setattr(backend, name, noting)

    assert [kept.run(fetch_number) for _ in range(3)] == [[(2,)]] * 3
    assert opened == [name] * 3
