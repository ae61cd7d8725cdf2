"""What could whoever wrote an endpoint type, when Django's message does not say it?

The advice becomes a note of the exception (PEP 678), which a traceback and a log entry show below
its message. The exception stays what it is.
"""

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation

from django_mullet.callables import dotted_name
from django_mullet.unshown import advice_on

__all__ = ["advise", "of_websocket"]

_NO_SUCH = re.compile(r"no such (table|column)")
"""What SQLite says; it has no code for it."""

_UNDEFINED = {"42P01", "42703"}
"""The SQLSTATEs `undefined_table` and `undefined_column` of PostgreSQL."""


def advise(error: Exception, endpoint: Callable[..., Any]) -> None:
    """Add a note to `error` that says what to type, where that is known."""
    if isinstance(error, SynchronousOnlyOperation):
        error.add_note(
            f"'{dotted_name(endpoint)}' is 'async def'. Write 'def', and leave the rest as it is; "
            "or await the asynchronous methods of the ORM, 'aget()' for instance, and write 'async "
            "with atomic():' with 'from django_mullet.transaction import atomic'. What has no "
            "asynchronous form, as 'connection.close()' or 'transaction.on_commit()', goes into a "
            "function of your own, and that through 'await sync_to_async(function)()'."
        )
    elif _lacks_migration(error):
        error.add_note(
            "A migration may be missing: run 'manage.py makemigrations' and 'manage.py migrate'."
        )
    elif advice := advice_on(error, endpoint):
        error.add_note(advice)


def _lacks_migration(error: Exception) -> bool:
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate in _UNDEFINED or bool(_NO_SUCH.match(str(error)))


def of_websocket(path: str) -> tuple[str, str]:
    """Return what is wrong with Django's middleware around a WebSocket, and what to write."""
    message = f"The WebSocket '{path}' has 'django_middleware', but no middleware runs around one."
    hint = (
        "Put it in an 'APIRouter(django_middleware=False)', and write a 'def' dependency that "
        "finds what it needs, the user by the session's cookie for instance: 'docs/streaming.md' "
        "has one."
    )
    return message, hint
