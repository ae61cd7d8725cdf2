"""The detection of transactions that end without an exception and store nothing.

They are transactions in which a database error was caught. Django rolls such a transaction back
silently, PostgreSQL answers `ROLLBACK` to its `COMMIT`, and the code around it goes on as if its
rows were there.
"""

from types import MethodType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from django_mullet.exceptions import RolledBack
from django_mullet.execution.outcomes import current_outcome, transaction_status

__all__ = ["ReportingAtomic"]

_WANTED_IN = "rollback_wanted_in"
"""Attribute of a connection: the block that `set_rollback(True)` has been called for."""

_INERROR = 3
"""`PQTRANS_INERROR` of libpq: an error has occurred in the transaction."""


class ReportingAtomic(transaction.Atomic):
    """Django's block, which does not keep it to itself if it rolls back for an error caught inside.

    It notes that in the `Outcome` of the request, or raises `RolledBack` if nobody looks there.
    """

    def __enter__(self) -> None:
        connection: Any = connections[self.using or DEFAULT_DB_ALIAS]
        super().__enter__()
        if not connection.needs_rollback:
            connection.rollback_exc = None
        if "set_rollback" not in vars(connection):
            connection.set_rollback = MethodType(_set_rollback, connection)

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        connection: Any = connections[self.using or DEFAULT_DB_ALIAS]
        is_wanted = vars(connection).get(_WANTED_IN) is self
        has_failed = exc_type is None and _undoing(connection) is self and _has_failed(connection)
        if has_failed:
            connection.needs_rollback = True  # where only the database knows
        cause = connection.rollback_exc
        super().__exit__(exc_type, exc_value, traceback)
        if is_wanted:
            setattr(connection, _WANTED_IN, None)
        elif has_failed:
            _report(_rolled_back(connection.alias), cause)


def _set_rollback(connection: Any, rollback: bool) -> None:
    """Do what a connection's `set_rollback()` does, and remember for which block."""
    type(connection).set_rollback(connection, rollback)
    setattr(connection, _WANTED_IN, _undoing(connection) if rollback else None)


def _undoing(connection: Any) -> Any:
    """Return the innermost block that rolls back by itself, to its savepoint or everything."""
    blocks, savepoints = connection.atomic_blocks, connection.savepoint_ids
    for block, savepoint in zip(reversed(blocks), reversed(savepoints), strict=False):
        if savepoint is not None:
            return block
    return blocks[0] if blocks else None


def _has_failed(connection: Any) -> bool:
    raw = connection.connection
    if connection.needs_rollback or connection.closed_in_transaction or raw is None:
        return True
    if connection.vendor == "sqlite":
        # It ends a transaction by itself, for `INSERT OR ROLLBACK` or when the disk is full.
        return connection.commit_on_exit and not raw.in_transaction
    return transaction_status(raw) == _INERROR


def _rolled_back(alias: str) -> RolledBack:
    return RolledBack(
        f"The transaction on '{alias}' was rolled back, and nothing in it is stored: a database "
        "error was caught inside it. Write 'with atomic():' (or 'async with atomic():') around "
        "what may fail, and catch the error outside that block; or call "
        "'transaction.set_rollback(True)' if nothing is to be stored."
    )


def _report(error: RolledBack, cause: BaseException | None) -> None:
    error.__cause__ = cause
    outcome = current_outcome()
    if outcome is None or not outcome.is_awaited:
        raise error
    outcome.rolled_back = outcome.rolled_back or error
