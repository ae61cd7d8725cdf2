"""With which cursor is a query run, all rows of which are fetched at once?

In a worker with one that stays open, since opening one takes as long as reading a row. Elsewhere,
and while queries are logged, with a cursor of its own, as everywhere in Django.
"""

from typing import Any

from django_mullet.databases import LimitedConnection

__all__ = ["fetch"]

MOST = 100
"""Rows after which a cursor is closed: until its next query it keeps what the last one gave."""


def fetch(connection: Any, sql: str, params: tuple[Any, ...]) -> list[Any]:
    """Run a query on `connection`; return its rows as the database driver has them."""
    if not isinstance(connection, LimitedConnection) or _is_watched(connection):
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows: list[Any] = cursor.fetchall()
        return rows
    lasting = _lasting_cursor(connection)
    connection.lasting_cursor = None  # while it is in use, and if this fails
    lasting.execute(sql, params)
    with connection.wrap_database_errors:
        rows = lasting.cursor.fetchall()
    if len(rows) <= MOST:
        connection.lasting_cursor = lasting
    return rows


def _is_watched(connection: LimitedConnection) -> bool:
    """Return whether each cursor counts: for Django's log, or a tool with a `cursor()` of its own.

    Django Debug Toolbar is one.
    """
    return connection.queries_logged or "cursor" in vars(connection)


def _lasting_cursor(connection: LimitedConnection) -> Any:
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return connection.lasting_cursor or connection.cursor()
