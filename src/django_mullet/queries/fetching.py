"""Queries run and all of their rows fetched, with the cheapest cursor.

In a worker with one that stays open, since opening one takes as long as reading a row; on
PostgreSQL in the way of `psycopg_fetch`. Elsewhere, and while queries are logged, with a cursor of
its own, as everywhere in Django.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from types import ModuleType
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.utils import CursorWrapper

from django_mullet.execution.outcomes import WatchedConnection, watch
from django_mullet.execution.worker_connection import WorkerConnection
from django_mullet.queries.stock_django import is_written_in_django

psycopg_fetch: ModuleType | None = None
with suppress(ImportError, ImproperlyConfigured):  # by Django, where psycopg 3 is not installed
    from django_mullet.queries import psycopg_fetch

__all__ = ["fetch"]

MOST = 100
"""Rows after which a cursor is closed: until its next query it keeps what the last one gave."""

Row = tuple[Any, ...]

_OPENING = ("cursor", "_cursor", "create_cursor", "make_cursor", "_prepare_cursor")
"""Methods of a connection by which each query gets its cursor."""

_opening = attrgetter(*_OPENING)

_executing = attrgetter("execute", "_execute_with_wrappers", "_execute")
_EXECUTE = _executing(CursorWrapper)
_IS_DJANGO_S = is_written_in_django(*_EXECUTE)


def fetch(connection: Any, sql: str, params: Row) -> list[Row]:
    """Run a query on `connection`; return its rows as the database driver has them.

    Who has something written by it says so: `with writing(connection)`.
    """
    if not _lets_cursors_last(connection):
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: list[Row] = cursor.fetchall()
        return rows
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    lasting = connection.lasting_cursor or _opened(connection)
    connection.lasting_cursor = None  # while it is in use, and if this fails
    direct = lasting.direct
    if direct is not None and not (direct.may_fetch() and _is_unwrapped(connection)):
        direct = None
    try:
        rows = (
            _by_cursor(connection, lasting.cursor, sql, params)
            if direct is None
            else _directly(connection, direct, sql, params)
        )
    except BaseException:
        with lasting.cursor:  # closes it now, and not when the frames of the error are let go
            raise
    if direct is not None or len(rows) <= MOST:
        connection.lasting_cursor = lasting
    return rows


def _by_cursor(connection: Any, cursor: CursorWrapper, sql: str, params: Row) -> list[Row]:
    cursor.execute(sql, params)
    with connection.wrap_database_errors:
        rows: list[Row] = cursor.cursor.fetchall()
    return rows


def _directly(connection: Any, direct: Any, sql: str, params: Row) -> list[Row]:
    connection.validate_no_broken_transaction()
    try:
        rows: list[Row] = direct.fetch(sql, params)
    except Exception:
        with connection.wrap_database_errors:
            raise
    return rows


@dataclass(frozen=True, slots=True)
class _Lasting:
    """A cursor that stays open."""

    cursor: CursorWrapper
    direct: Any
    """What fetches without it, if there is something for the database, or `None`."""


def _opened(connection: WorkerConnection) -> _Lasting:
    cursor, direct = connection.cursor(), None
    if psycopg_fetch is not None and psycopg_fetch.fits(cursor.cursor):
        direct = psycopg_fetch.Fetcher(cursor.cursor)
    return _Lasting(cursor, direct)


def _lets_cursors_last(connection: Any) -> bool:
    """Return whether no cursor counts: for Django's log, or a tool with a `cursor()` of its own.

    Django Debug Toolbar is one.
    """
    backend: Any = type(connection)
    return (
        isinstance(connection, WorkerConnection)
        and _opening(backend) == _opening_as_usual(backend)
        and not connection.queries_logged
        and "cursor" not in vars(connection)
    )


@cache
def _opening_as_usual(backend: Any) -> tuple[Any, ...] | None:
    """Return the methods that open a cursor, if they do what Django does; or `None`.

    The backend of django-tenants sets a schema. Instruments replace methods, of Django's own too.
    """
    methods: tuple[Any, ...] = _opening(backend)
    others = [method for method in methods if method is not WatchedConnection.make_cursor]
    return methods if is_written_in_django(*others) else None


def _is_unwrapped(connection: WorkerConnection) -> bool:
    """Return whether nothing observes queries: no wrapper of Django's, no patch as Sentry's."""
    is_usual = _IS_DJANGO_S and _executing(CursorWrapper) == _EXECUTE
    return is_usual and connection.execute_wrappers == [watch]
