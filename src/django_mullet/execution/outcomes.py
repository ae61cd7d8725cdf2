"""What became of a request's writes: committed, rolled back or unknown.

Workers' connections record it in the `Outcome` of the running execution. Whoever answers the
request looks there before saying that something is stored, or that it may be sent again.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from typing import Any, Protocol

from django.db import Error, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property

from django_mullet.exceptions import OutcomeUnknown, RolledBack

__all__ = [
    "Outcome",
    "WatchedConnection",
    "current_execution",
    "current_outcome",
    "is_read",
    "transaction_status",
    "watch",
    "writing",
]


class Outcome:
    """What became of the writes of the latest attempt to answer."""

    __slots__ = ("has_committed", "is_awaited", "late_error", "rolled_back")

    def __init__(self) -> None:
        self.has_committed = False
        """Something is stored, whatever happens from now on."""
        self.is_awaited = False
        """Somebody will look here before the request is answered."""
        self.late_error: Exception | None = None
        """What a function passed to `on_commit()` has raised."""
        self.rolled_back: RolledBack | None = None
        """Why a block that ended without an exception has stored nothing."""

    def await_(self) -> None:
        """Forget earlier attempts: one to answer begins."""
        self.is_awaited, self.has_committed = True, False
        self.late_error = self.rolled_back = None


class Owner(Protocol):
    """What an `Outcome` belongs to."""

    outcome: Outcome


current_execution: ContextVar[Owner] = ContextVar("mullet_execution")
"""The execution that the running code belongs to; unset outside a request."""


def current_outcome() -> Outcome | None:
    """Return that of the current execution, if there is one."""
    execution = current_execution.get(None)
    return None if execution is None else execution.outcome


_READS = re.compile(
    r"(?:\s|\(|--.*|/\*(?:[^*]|\*(?!/))*\*/)*"
    r"(?:SELECT|VALUES|TABLE|SHOW|EXPLAIN|DESCRIBE|PRAGMA|SET|RESET|LOCK|DECLARE|FETCH|MOVE|CLOSE"
    r"|BEGIN|START|SAVEPOINT|RELEASE|ROLLBACK|LISTEN|UNLISTEN)\b",
    re.IGNORECASE,
)
_MORE = re.compile(r";\s*[^\s;]|\bINTO\b|\bANALY[SZ]E\b", re.IGNORECASE)
"""What such a statement has if it may store something: a second statement, for instance."""
_WITH = re.compile(r"\s*WITH\b(?!.*\b(?:INSERT|UPDATE|DELETE|MERGE|REPLACE)\b)", re.I | re.S)

_LONGEST_CACHED = 2_000
"""Characters of the longest SQL for which it is cached whether it reads."""

_IDLE = 0
"""`PQTRANS_IDLE` of libpq."""

_SHUTDOWN = "57P01"
"""`admin_shutdown` of PostgreSQL, which says it before it stores anything, or not at all."""


def is_read(sql: Any) -> bool:
    """Return whether `sql`, as `cursor.execute()` takes it, stores nothing; if in doubt, `False`.

    A `SELECT` may call a function that stores something: that is not seen.
    """
    if type(sql) is not str:
        to_text = getattr(sql, "as_string", None)  # what psycopg composes
        sql = to_text(None) if to_text is not None else str(sql)
    return _is_read(sql) if len(sql) <= _LONGEST_CACHED else _is_read.__wrapped__(sql)


@lru_cache(maxsize=1000)
def _is_read(sql: str) -> bool:
    is_read = sql.startswith("SELECT ") or _READS.match(sql) or _WITH.match(sql)
    return bool(is_read) and _MORE.search(sql) is None


def watch(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Run a statement as Django's execution wrappers do, and note what it stores."""
    if is_read(sql):
        return execute(sql, params, many, context)
    with writing(context["connection"], many=many):
        return execute(sql, params, many, context)


@contextmanager
def writing(connection: Any, *, many: bool = False) -> Iterator[None]:
    """Note what the block, one statement, stores; raise `OutcomeUnknown` if that is lost.

    Outside a transaction, some of `many` rows may be stored although the statement fails.
    """
    if not isinstance(connection, WatchedConnection):
        yield
        return
    try:
        yield
    except OutcomeUnknown:
        raise
    except Error as error:
        if not connection.is_in_transaction:
            if many:
                _note_commit()
            if _was_lost(connection, error) and not _is_shut_down(error):
                raise OutcomeUnknown(_unknown("a statement outside a transaction")) from error
        raise
    if connection.is_in_transaction:
        connection.has_written = True
    else:
        _note_commit()


class _WatchedCursor(CursorWrapper):
    """Notes what is stored by calls that bypass Django's execution wrappers."""

    # Properties, as `CursorWrapper` asks the driver's cursor for what is no attribute of its own: a
    # driver that has no such method is asked, too.

    @property
    def copy(self) -> Callable[..., Any]:
        return partial(_copying, self.db, self.cursor.copy)

    @property
    def executescript(self) -> Callable[..., Any]:
        return partial(_calling, self.db, self.cursor.executescript)

    def callproc(self, *args: Any, **kwargs: Any) -> Any:
        return _calling(self.db, super().callproc, *args, **kwargs)


@contextmanager
def _copying(connection: Any, copy: Callable[..., Any], *args: Any, **kwargs: Any) -> Iterator[Any]:
    with writing(connection), copy(*args, **kwargs) as copied:
        yield copied


def _calling(connection: Any, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with writing(connection):
        return function(*args, **kwargs)


class WatchedConnection(BaseDatabaseWrapper):
    """A mixin for a backend's `DatabaseWrapper`: notes what is stored, and if that is known."""

    has_written = False
    """Something was written in the transaction that is open."""
    _lost_in_commit = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(watch)

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        made = super().make_cursor(cursor)
        return _WatchedCursor(cursor, self) if type(made) is CursorWrapper else made

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _NamingLosses(self)

    @property
    def is_in_transaction(self) -> bool:
        """Whether what is written is stored by a later commit only."""
        return self.in_atomic_block or not self.autocommit

    @property
    def is_begun(self) -> bool:
        """Whether code has begun a transaction itself, by a block or by `set_autocommit(False)`."""
        if self.in_atomic_block or self.autocommit:
            return self.in_atomic_block
        return self.settings_dict["AUTOCOMMIT"] and self.connection is not None

    @property
    def has_begun_work(self) -> bool:
        """Whether a statement has been sent in the transaction, where that is known."""
        if self.vendor == "sqlite" and not self.in_atomic_block:
            return bool(self.connection.in_transaction)
        return transaction_status(self.connection) != _IDLE

    def commit(self) -> None:
        had_written, self.has_written = self.has_written, False
        was_there = self.connection is not None and not _is_closed(self.connection)
        try:
            super().commit()
        except Error as error:
            if had_written and was_there and _was_lost(self, error):
                self._lost_in_commit = True
                raise OutcomeUnknown(_unknown(f"COMMIT on '{self.alias}'")) from error
            raise
        if had_written:
            _note_commit()

    def run_and_clear_commit_hooks(self) -> None:
        try:
            super().run_and_clear_commit_hooks()
        except Exception as error:
            outcome = current_outcome()
            if outcome is not None:
                outcome.late_error = error
            raise

    def rollback(self) -> None:
        self.has_written = False
        super().rollback()

    def close(self) -> None:
        self.has_written = False
        super().close()

    def set_autocommit(self, autocommit: bool, *args: Any, **kwargs: Any) -> None:
        # After a COMMIT without an answer Django would connect anew here, only to end the
        # transaction; and an error in that would hide that the outcome is unknown.
        was_lost, self._lost_in_commit = self._lost_in_commit, False
        if not was_lost or self.connection is not None:
            super().set_autocommit(autocommit, *args, **kwargs)


class _NamingLosses(DatabaseErrorWrapper):
    """Turns whatever the driver raises on a closed connection into an `OperationalError`.

    psycopg raises an `InternalError` when the server, or pgbouncer in front of it, gives the reason
    twice.
    """

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self._connection = connection

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_type is None:
            return
        connection = self._connection
        if issubclass(exc_type, connection.Database.InternalError) and _is_closed(
            connection.connection
        ):
            connection.errors_occurred = True
            raise OperationalError(*exc_value.args) from exc_value
        super().__exit__(exc_type, exc_value, traceback)


def _note_commit() -> None:
    outcome = current_outcome()
    if outcome is not None:
        outcome.has_committed = True


def transaction_status(raw: Any) -> int | None:
    """Return libpq's transaction status of a psycopg connection, as a number; else `None`."""
    status: int | None = getattr(getattr(raw, "info", None), "transaction_status", None)
    return status


def _is_closed(raw: Any) -> bool:
    return bool(getattr(raw, "closed", False))


def _was_lost(connection: BaseDatabaseWrapper, error: Error) -> bool:
    """Return whether `error` says that the connection to the database was lost."""
    if hasattr(connection.connection, "closed"):
        return _is_closed(connection.connection)
    return isinstance(error, OperationalError | InterfaceError) and not connection.is_usable()


def _is_shut_down(error: Error) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == _SHUTDOWN


def _unknown(what: str) -> str:
    return (
        f"The connection was lost before the database answered {what}: whether it "
        "is stored is unknown. Look for the row before you send the request again."
    )
