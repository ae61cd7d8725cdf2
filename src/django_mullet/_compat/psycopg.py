"""Names of psycopg beyond public API, by which rows are fetched without its cursor.

Without one of them, they are fetched with it.
"""

from django_mullet._compat.names import Name, found, require

__all__ = ["RELIED_ON", "error_from_result", "execute"]

RELIED_ON = tuple(
    Name(
        f"psycopg.{path}",
        "Rows are fetched, and converted as psycopg does it, without a cursor; who replaces "
        "`Cursor.execute()` is told of each query.",
        "a cursor that does less",
        used_in="psycopg.Connection.__init__" if path == "Connection.lock" else None,
    )
    for path in (
        "Connection.lock",
        "Connection.wait",
        "adapt.Transformer.as_literal",
        "adapt.Transformer.encoding",
        "adapt.Transformer.load_rows",
        "adapt.Transformer.set_pgresult",
        "cursor.Cursor.execute",
        "errors.error_from_result",
        "generators.execute",
    )
)

require(RELIED_ON)

error_from_result = found("psycopg.errors.error_from_result")
execute = found("psycopg.generators.execute")
