"""Names of Django's database backends beyond public API: how connections run and end."""

from typing import Any

from django_mullet._compat.names import Name, require

__all__ = ["RELIED_ON", "share_between_threads"]

_BASE = "django.db.backends.base.base.BaseDatabaseWrapper"

RELIED_ON = (
    *(
        Name(
            f"{_BASE}.{attribute}",
            "It says whether a connection is in a transaction, and what becomes of that.",
            "a public reader",
            used_in=f"{_BASE}.__init__",
        )
        for attribute in (
            "atomic_blocks",
            "closed_in_transaction",
            "in_atomic_block",
            "needs_rollback",
            "rollback_exc",
            "run_on_commit",
            "savepoint_ids",
        )
    ),
    *(
        Name(
            f"{_BASE}.{method}",
            "A worker keeps a connection, as a server's thread does, and lets go of it after.",
            "a connection that is lent by a pool",
        )
        for method in (
            "close_if_health_check_failed",
            "close_if_unusable_or_obsolete",
            "inc_thread_sharing",
            "set_rollback",
            "validate_no_broken_transaction",
        )
    ),
    *(
        Name(
            path,
            "A cursor stays open between queries, unless one of these is replaced.",
            "a cursor that stays open",
        )
        for path in (
            f"{_BASE}._cursor",
            f"{_BASE}._prepare_cursor",
            f"{_BASE}.create_cursor",
            f"{_BASE}.make_cursor",
            "django.db.backends.utils.CursorWrapper._execute",
            "django.db.backends.utils.CursorWrapper._execute_with_wrappers",
        )
    ),
    Name(
        "django.db.utils.DatabaseErrorWrapper",
        "What the database said last is noted, to tell whether a transaction is stored.",
        "a hook for errors of the database",
    ),
)

require(RELIED_ON)


def share_between_threads(connection: Any) -> None:
    """Let other threads use `connection`, that of a test for instance."""
    connection.inc_thread_sharing()
