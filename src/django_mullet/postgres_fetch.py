"""How do a query's rows come from PostgreSQL without what a cursor does besides?

A cursor of psycopg's calls some forty functions for each query, most of them for what a query that
is run to its end never needs: named cursors, statements it prepares, several results. What is left
is psycopg's conversion of values and its way of waiting for the server. What is sent is, byte by
byte, what Django's cursor would send.
"""

from typing import Any

from django.db.backends.postgresql.base import Cursor
from psycopg import Connection
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus
from psycopg.rows import tuple_row

__all__ = ["fetch", "fits", "may_fetch"]

Row = tuple[Any, ...]


def fits(cursor: Any) -> bool:
    """Return whether nobody would miss a query that does not go by `cursor`.

    With server-side binding another statement is sent. Instrumentation, such as OpenTelemetry's,
    has classes of its own.
    """
    classes = type(cursor), type(cursor.connection)
    return classes == (Cursor, Connection) and cursor.row_factory is tuple_row


def may_fetch(connection: Connection[Any]) -> bool:
    """Return whether a query neither is to begin a transaction nor goes into a pipeline."""
    libpq = connection.pgconn
    return libpq.pipeline_status == PipelineStatus.OFF and (
        connection.autocommit or libpq.transaction_status != TransactionStatus.IDLE
    )


def fetch(connection: Connection[Any], cursor: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
    """Return the rows of a query as `cursor` would convert them; raise psycopg's errors."""
    convert = Transformer(cursor)
    query = sql.encode(convert.encoding) % tuple(map(convert.as_literal, params))
    with connection.lock:
        connection.pgconn.send_query(query)
        [result] = connection.wait(execute(connection.pgconn))
    if result.status != ExecStatus.TUPLES_OK:
        raise error_from_result(result, encoding=convert.encoding)
    convert.set_pgresult(result)
    return convert.load_rows(0, result.ntuples, tuple)
