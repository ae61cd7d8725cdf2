"""Hints for exceptions of Django's whose own message does not say what to write in an endpoint.

The advice becomes a note of the exception (PEP 678), which a traceback and a log entry show below
its message. The exception stays what it is.
"""

import re
from collections.abc import Callable
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from traceback import walk_tb
from types import CodeType
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from fastapi.dependencies.models import Dependant

from django_mullet.callables import dotted_name, layers
from django_mullet.dependencies.adaptation import below
from django_mullet.results.unshown_models import advice_on

__all__ = ["add_hint", "websocket_middleware_hint"]

_NO_SUCH = re.compile(r"no such (table|column)")
"""What SQLite says; it has no code for it."""

_UNDEFINED = {"42P01", "42703"}
"""The SQLSTATEs `undefined_table` and `undefined_column` of PostgreSQL."""

_ASYNC = CO_COROUTINE | CO_ASYNC_GENERATOR
"""The flags of the code of an `async def`."""


def add_hint(error: Exception, endpoint: Callable[..., Any], dependant: Dependant) -> None:
    """Add a note to `error` that says what to type, where that is known."""
    if isinstance(error, SynchronousOnlyOperation):
        subject = _async_def(error, endpoint, dependant)
        error.add_note(
            f"{subject} is 'async def'. Write 'def' and leave the rest as it is. Or await the "
            "asynchronous methods of the ORM and of schemas, such as 'aget()' and 'afrom_qs()', "
            "and "
            "write 'async with atomic():' with 'from django_mullet import atomic'. Put what has "
            "no asynchronous form, such as "
            "'connection.close()' or 'transaction.on_commit()', into a function of your own and "
            "call it by 'await sync_to_async(function)()'."
        )
    elif _lacks_migration(error):
        error.add_note(
            "A migration may be missing: run 'manage.py makemigrations' and 'manage.py migrate'."
        )
    elif advice := advice_on(error, endpoint):
        error.add_note(advice)


def _async_def(error: Exception, endpoint: Callable[..., Any], dependant: Dependant) -> str:
    """Return what to call the `async def` that `error` is of: `endpoint`, or a dependency."""
    ran = {frame.f_code for frame, _ in walk_tb(error.__traceback__)}
    for call in (endpoint, *(sub.call for sub in below(dependant))):
        if _async_codes(call) & ran:
            return f"'{dotted_name(call)}'"
    # What an endpoint returns may be read when that has returned.
    name = f"'{dotted_name(endpoint)}'"
    return name if _async_codes(endpoint) else f"A function that {name} calls"


def _async_codes(call: Any) -> set[CodeType]:
    codes = (getattr(layer, "__code__", None) for layer in layers(call))
    return {code for code in codes if code and code.co_flags & _ASYNC}


def _lacks_migration(error: Exception) -> bool:
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate in _UNDEFINED or bool(_NO_SUCH.match(str(error)))


def websocket_middleware_hint(path: str) -> tuple[str, str]:
    """Return what is wrong with Django's middleware around a WebSocket, and what to write."""
    message = f"The WebSocket '{path}' has 'django_middleware', but no middleware runs around it."
    hint = (
        "Put it in an 'APIRouter(django_middleware=False)', and write a 'def' dependency that "
        "finds what it needs, such as the user by the session's cookie: see 'docs/streaming.md'."
    )
    return message, hint
