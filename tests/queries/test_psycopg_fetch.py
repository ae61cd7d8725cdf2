"""Does what comes without a cursor's help equal what Django's cursor gives, and fail like it?"""

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import wraps
from typing import Any
from uuid import UUID

import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.db.transaction import TransactionManagementError
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from django_mullet.execution.workers import pool
from django_mullet.queries import fetching
from tests.testapp.models import Item
from tests.worker_threads import Thread, submitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

Rows = list[tuple[Any, ...]]

QUERIES: list[tuple[str, tuple[Any, ...]]] = [
    ("SELECT 1, NULL, true, 'text', 1.50, 2::bigint, 'NaN'::float8, 0.1::float4", ()),
    ("SELECT 'a%%b', '%%s', %s", ("100% %s 'it''s' \\ \u20ac",)),
    ("SELECT %s::text, %s::int, %s::bool", (None, None, True)),
    ("SELECT %s, %s, %s", (1, 2**40, -(2**70))),
    ("SELECT %s, %s", (Decimal("-1.50"), 1.5)),
    ("SELECT %s, %s", (date(2026, 1, 1), time(12, 30))),
    ("SELECT %s, %s", (datetime(2026, 1, 1, 12), datetime(2026, 7, 1, tzinfo=UTC))),  # noqa: DTZ001
    ("SELECT %s::interval", (timedelta(days=1, seconds=2),)),
    ("SELECT %s, %s", (UUID(int=7), b"\x00\xff'\\")),
    ("SELECT %s::int[], %s::text[]", ([1, None, 3], ["a", 'b"', "%s"])),
    ("SELECT '{\"a\": [1]}'::jsonb, '[1]'::json, '10.0.0.1'::inet, '10.0.0.0/8'::cidr", ()),
    ("SELECT %s::inet", (ipaddress.ip_address("10.0.0.1"),)),
    (
        "SELECT int4range(1, 5), tstzrange('2026-01-01 00:00+00', NULL), '{[1,3)}'::int4multirange",
        (),
    ),
    ("SELECT n, n::text FROM generate_series(1, %s) AS n", (300,)),
    ("SELECT '100%%'", ()),
    ("SELECT 1 WHERE false", ()),
    ("SELECT", ()),
]


def default() -> Any:
    """Return the calling thread's connection, and not Django's proxy of it."""
    return connections["default"]


def fetch(sql: str, params: tuple[Any, ...] = ()) -> Rows:
    return fetching.fetch(default(), sql, params)


def by_cursor(sql: str, params: tuple[Any, ...] = ()) -> Rows:
    with default().cursor() as cursor:
        cursor.execute(sql, params)
        rows: Rows = cursor.fetchall()
    return rows


def both(sql: str, params: tuple[Any, ...] = ()) -> tuple[Rows, Rows]:
    return fetch(sql, params), by_cursor(sql, params)


@contextmanager
def queries_by_cursor(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note the SQL that goes by a cursor of psycopg's."""
    seen: list[str] = []
    psycopg_cursor: Any = pytest.importorskip("psycopg").ClientCursor
    run = psycopg_cursor._execute_gen  # deeper than `execute()`, of which it is noticed

    def noted(self: Any, sql: str, *args: Any, **kwargs: Any) -> Any:
        seen.append(sql)
        return run(self, sql, *args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg_cursor, "_execute_gen", noted)
        yield seen


@pytest.mark.parametrize(("sql", "params"), QUERIES)
def test_rows_are_those_of_a_cursor(
    thread: Callable[[], Thread], sql: str, params: tuple[Any, ...]
) -> None:
    found, expected = thread().run(lambda: both(sql, params))

    assert list(map(repr, found)) == list(map(repr, expected))


def test_one_query_has_no_influence_on_the_next(thread: Callable[[], Thread]) -> None:
    for found, expected in thread().run(lambda: [both(*query) for query in QUERIES * 2]):
        assert list(map(repr, found)) == list(map(repr, expected))


@pytest.mark.parametrize(
    ("setting", "sql"),
    [
        ("client_encoding TO 'LATIN1'", "SELECT 'caf\u00e9', convert_to(%s, 'UTF8')"),
        ("DateStyle TO 'German'", "SELECT '2026-02-01'::date, '2026-02-01'::timestamp, %s"),
        ("IntervalStyle TO 'iso_8601'", "SELECT '3 days 4 hours'::interval, %s"),
        ("TimeZone TO 'Asia/Tokyo'", "SELECT '2026-01-01 00:00+00'::timestamptz, %s"),
    ],
)
def test_values_are_converted_as_the_session_says_now(
    thread: Callable[[], Thread], setting: str, sql: str
) -> None:
    def results() -> list[tuple[Any, Any]]:
        results = []
        for change in ("", f"SET {setting}", "RESET ALL"):
            if change:
                default().cursor().execute(change)
            results.append(tuple(outcome(run, sql, ("\u00fc",)) for run in (fetch, by_cursor)))
        return results

    for found, expected in thread().run(results):
        assert found == expected


def outcome(run: Callable[..., Rows], sql: str, params: tuple[Any, ...]) -> str:
    """Return what comes of a query: psycopg does not understand each style of an interval."""
    try:
        return repr(run(sql, params))
    except Exception as error:
        return repr(error)


def test_what_was_fetched_is_not_kept(thread: Callable[[], Thread]) -> None:
    def kept() -> Any:
        fetch("SELECT 1")
        return default().lasting_cursor.direct._transformer.pgresult

    assert thread().run(kept) is None


@pytest.mark.parametrize("use_tz", [True, False])
def test_times_are_of_the_connection_s_time_zone(
    thread: Callable[[], Thread], use_tz: bool
) -> None:
    with override_settings(USE_TZ=use_tz, TIME_ZONE="Asia/Tokyo"):
        found, expected = thread().run(lambda: both("SELECT '2026-01-01 00:00+00'::timestamptz"))

    assert found == expected
    assert found[0][0].tzinfo == expected[0][0].tzinfo


@given(text=st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_text_arrives(text: str) -> None:
    found = submitted(pool.submit, lambda: fetch("SELECT %s::text", (text,)))

    assert found.result(timeout=10) == [(text,)]


def test_no_cursor_has_a_part_in_it(
    thread: Callable[[], Thread], monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = thread()
    worker.run(lambda: fetch("SELECT 1"))  # connects

    with queries_by_cursor(monkeypatch) as seen:
        rows = worker.run(lambda: fetch("SELECT %s", (2,)))

    assert rows == [(2,)]
    assert seen == []


def in_place_of_execute(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    """As Sentry does."""
    execute = CursorWrapper.execute
    patched.setattr(
        CursorWrapper, "execute", lambda self, sql, params=None: execute(self, sql, params)
    )


def in_place_of_a_step_of_execute(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    name = "_execute_with_wrappers"
    execute = getattr(CursorWrapper, name)
    patched.setattr(CursorWrapper, name, wraps(execute)(lambda *args, **kw: execute(*args, **kw)))


def in_place_of_the_driver_s_execute(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    psycopg: Any = pytest.importorskip("psycopg")
    execute = psycopg.Cursor.execute
    patched.setattr(
        psycopg.Cursor, "execute", wraps(execute)(lambda *args, **kw: execute(*args, **kw))
    )


def by_a_wrapper(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    def wrapper(execute: Any, *args: Any) -> Any:
        return execute(*args)

    worker.run(lambda: default().execute_wrappers.append(wrapper))


def by_a_cursor_factory(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    """As OpenTelemetry does."""

    def change() -> None:
        raw: Any = default().connection
        raw.cursor_factory = type("Traced", (raw.cursor_factory,), {})

    worker.run(change)


def by_a_row_factory(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    psycopg: Any = pytest.importorskip("psycopg")

    def change() -> None:
        raw: Any = default().connection
        raw.row_factory = psycopg.rows.args_row(lambda *values: values)

    worker.run(change)


def by_a_connection_class(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    def change() -> None:
        raw: Any = default().connection
        raw.__class__ = type("Traced", (type(raw),), {})

    worker.run(change)


def in_a_pipeline(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    def change() -> None:
        pipeline = default().connection.pipeline()
        pipeline.__enter__()
        patched.setattr(worker, "pipeline", pipeline, raising=False)  # it ends when it is forgotten

    worker.run(change)


def before_a_transaction_has_begun(worker: Thread, patched: pytest.MonkeyPatch) -> None:
    worker.run(lambda: transaction.set_autocommit(False))


@pytest.mark.parametrize(
    "watch",
    [
        in_place_of_execute,
        in_place_of_a_step_of_execute,
        in_place_of_the_driver_s_execute,
        by_a_wrapper,
        by_a_cursor_factory,
        by_a_row_factory,
        by_a_connection_class,
        in_a_pipeline,
        before_a_transaction_has_begun,
    ],
)
def test_a_cursor_is_used_where_it_matters(
    thread: Callable[[], Thread], watch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = thread()
    worker.run(lambda: default().ensure_connection())
    watch(worker, monkeypatch)

    with queries_by_cursor(monkeypatch) as seen:
        rows = worker.run(lambda: fetch("SELECT %s", (2,)))

    assert rows == [(2,)]
    assert seen == ["SELECT %s"]


def test_a_backend_that_opens_cursors_its_own_way_is_asked_for_each(
    thread: Callable[[], Thread],
) -> None:
    """As that of django-tenants, which sets the schema then."""
    opened: list[str] = []
    worker = thread()

    def run() -> list[Rows]:
        wrapper = default()
        ordinary: Any = type(wrapper)

        class Tenant(ordinary):  # type: ignore[misc]
            def _cursor(self, *args: Any, **kwargs: Any) -> Any:
                opened.append("cursor")
                return super()._cursor(*args, **kwargs)

        wrapper.__class__ = Tenant
        try:
            return [fetch("SELECT 1") for _ in range(3)]
        finally:
            wrapper.__class__ = ordinary

    assert worker.run(run) == [[(1,)]] * 3
    assert opened == ["cursor"] * 3


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT nothing", ProgrammingError),
        ("SELECT 1 / (n - n) FROM generate_series(1, 2) AS n", DataError),
    ],
)
def test_an_error_is_django_s(thread: Callable[[], Thread], sql: str, error: Any) -> None:
    worker = thread()

    def message(run: Callable[..., Any]) -> str:
        with pytest.raises(error) as caught:
            run(sql)
        assert type(caught.value) is error
        return f"{caught.value} {type(caught.value.__cause__)}"

    ours = worker.run(lambda: message(fetch))

    assert ours == worker.run(lambda: message(by_cursor))
    assert worker.run(lambda: fetch("SELECT 1")) == [(1,)]


def test_a_query_is_part_of_a_transaction(thread: Callable[[], Thread]) -> None:
    def run() -> tuple[Rows, Rows, Rows]:
        counting = 'SELECT count(*) FROM "testapp_item"'
        try:
            with transaction.atomic():
                first = fetch(counting)
                Item.objects.create(name="x")
                second = fetch(counting)
                raise IntegrityError
        except IntegrityError:
            return first, second, fetch(counting)

    assert thread().run(run) == ([(0,)], [(1,)], [(0,)])


def test_a_transaction_that_failed_refuses_it(thread: Callable[[], Thread]) -> None:
    def run() -> None:
        with transaction.atomic():
            fetch("SELECT 1")
            transaction.set_rollback(True)
            with pytest.raises(TransactionManagementError):
                fetch("SELECT 1")

    thread().run(run)
