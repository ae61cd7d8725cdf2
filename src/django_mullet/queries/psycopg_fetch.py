"""Rows fetched from PostgreSQL without psycopg's cursor.

A cursor of psycopg's calls some forty functions for each query, most of them for what a query that
is run to its end never needs: named cursors, statements it prepares, several results. What is left
is psycopg's conversion of values and its way of waiting for the server. What is sent is, byte by
byte, what Django's cursor would send.
"""

from operator import attrgetter
from typing import Any

from django.db.backends.postgresql.base import Cursor
from psycopg import Connection
from psycopg import cursor as psycopg_cursor
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus
from psycopg.rows import tuple_row

from django_mullet._compat.psycopg import error_from_result, execute
from django_mullet.callables import is_written_in

__all__ = ["Fetcher", "fits"]

Row = tuple[Any, ...]

_SETTINGS = (b"client_encoding", b"DateStyle", b"IntervalStyle", b"TimeZone")
"""Parameters of a session by which psycopg converts values."""


_execute: Any = attrgetter("execute")
_EXECUTE = _execute(Cursor)
_IS_PSYCOPG_S = is_written_in(psycopg_cursor.__file__, _EXECUTE)


def fits(cursor: Any) -> bool:
    """Return whether nobody would miss a query that does not go by `cursor`.

    With server-side binding another statement is sent. Instrumentation, such as OpenTelemetry's,
    has classes of its own.
    """
    classes = type(cursor), type(cursor.connection)
    return classes == (Cursor, Connection) and cursor.row_factory is tuple_row


class Fetcher:
    """Fetches what `cursor` would fetch, and converts it in the same way.

    Once it has found out how a type is converted, it knows that for the next query.
    """

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._connection: Connection[Any] = cursor.connection
        self._settings: list[bytes | None] = []
        self._transformer: Any = Transformer(cursor)

    def may_fetch(self) -> bool:
        """Return whether a query neither is to begin a transaction nor goes into a pipeline."""
        if not _IS_PSYCOPG_S or _execute(Cursor) is not _EXECUTE:
            return False  # somebody is to be told
        libpq = self._connection.pgconn
        return libpq.pipeline_status == PipelineStatus.OFF and (
            self._connection.autocommit or libpq.transaction_status != TransactionStatus.IDLE
        )

    def fetch(self, sql: str, params: Row) -> list[Row]:
        """Return the rows of a query as the cursor would convert them; raise psycopg's errors."""
        convert, connection = self._converting(), self._connection
        query = sql.encode(convert.encoding) % tuple(map(convert.as_literal, params))
        with connection.lock:
            connection.pgconn.send_query(query)
            results = connection.wait(execute(connection.pgconn))
        for (
            result
        ) in results:  # two, where pgbouncer tells that it has lost the server, as that did
            if result.status != ExecStatus.TUPLES_OK:
                raise error_from_result(result, encoding=convert.encoding)
        [result] = results
        convert.set_pgresult(result)
        rows: list[Row] = convert.load_rows(0, result.ntuples, tuple)
        convert.set_pgresult(None)  # which would be kept until the next query
        return rows

    def _converting(self) -> Any:
        settings = list(map(self._connection.pgconn.parameter_status, _SETTINGS))
        if settings != self._settings:
            self._settings = settings
            self._transformer = Transformer(self._cursor)
        return self._transformer
