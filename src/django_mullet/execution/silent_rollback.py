"""The detection of transactions that end without an exception and store nothing.

One in which an error of the database was caught. Django rolls such a transaction back without a
word, PostgreSQL answers `ROLLBACK` to its `COMMIT`, and the code around it goes on as if its rows
were there.
"""

from types import MethodType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from django_mullet.exceptions import RolledBack
from django_mullet.execution.outcomes import current_outcome, transaction_status

__all__ = ["TellingBlock"]

_WANTED_IN = "rollback_wanted_in"
"""Where a connection keeps the block that somebody wants rolled back, by `set_rollback(True)`."""

_INERROR = 3
"""`PQTRANS_INERROR` of libpq: an error has occurred in the transaction."""


class TellingBlock(transaction.Atomic):
    """Django's block, but for one that rolls back for an error which was caught inside of it.

    Whoever answers the request is told (see `outcomes`), or where nobody does, `RolledBack` raised.
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
            _tell(_rolled_back(connection.alias), cause)


def _set_rollback(connection: Any, rollback: bool) -> None:
    """Do what a connection's `set_rollback()` does, and remember that somebody wants it."""
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
        f"The transaction on '{alias}' is rolled back, and nothing of it is stored: an error of "
        "the database was caught inside of it. Write 'with atomic():' (or 'async with atomic():') "
        "around what may fail, and 'except' around that block; or 'transaction.set_rollback(True)' "
        "if nothing is to be stored."
    )


def _tell(error: RolledBack, cause: BaseException | None) -> None:
    error.__cause__ = cause
    outcome = current_outcome()
    if outcome is None or not outcome.is_awaited:
        raise error
    outcome.rolled_back = outcome.rolled_back or error
