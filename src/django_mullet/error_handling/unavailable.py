"""The 503 response with `Retry-After`: when a worker, a connection or the database is unavailable.

Where a database is away, or there is no worker or connection for more: unless something is stored,
which such an answer would deny. A stream can still be answered so until its headers are sent.
"""

import logging
from collections.abc import Awaitable, Callable
from inspect import isawaitable

from django.db import InterfaceError, OperationalError
from fastapi import HTTPException, Request
from starlette.types import Send

from django_mullet import conf
from django_mullet._compat.starlette import exception_handler
from django_mullet.error_handling.commit_guard import require_uncommitted
from django_mullet.exceptions import ConnectionLimitReached, Overloaded
from django_mullet.execution.execution import Execution
from django_mullet.streaming.delayed_headers import HeldBack

__all__ = ["NOT_AVAILABLE", "as_unavailable", "reason_of", "send_stream"]

NOT_AVAILABLE = (Overloaded, OperationalError, InterfaceError)
"""What may be answered so."""

_BUSY = (Overloaded, ConnectionLimitReached)

logger = logging.getLogger("django.request")


def as_unavailable(error: Exception, execution: Execution) -> HTTPException | None:
    """Return the 503 for `error`, and log why; `None` if it is one of the application's.

    Raises `AlreadyCommitted` where the request has stored something.
    """
    if isinstance(error, _BUSY) or execution.connection_lost:
        require_uncommitted(execution, error)
    detail = reason_of(error, execution)
    if detail is None:
        return None
    retry_after = {"Retry-After": str(conf.current().retry_after)}
    return HTTPException(503, detail=detail, headers=retry_after)


def reason_of(error: Exception, execution: Execution) -> str | None:
    """Return what a client is told of `error`, and log it; `None` if it is the application's."""
    path = execution.scope["path"]
    if isinstance(error, _BUSY):
        logger.warning("Busy: %s: %s", path, error)
        return "The server is busy."
    if execution.connection_lost:
        logger.error("Database away: %s", path, exc_info=error)
        return "The database is not available."
    return None


async def send_stream(
    send_all: Callable[[Send], Awaitable[None]],
    execution: Execution,
    request: Request,
    send: Send,
) -> None:
    """Send a body by `send_all`, or a 503 if it finds no connection before anything is sent."""
    held_back = HeldBack(send, execution)
    try:
        await send_all(held_back)
    except Exception as error:
        is_away = isinstance(error, NOT_AVAILABLE)
        unavailable = as_unavailable(error, execution) if is_away else None
        if unavailable is None or held_back.has_sent:
            await held_back.release()
            raise
        # Not raised: FastAPI may have a group of tasks around it, which would make another of it.
        await _send_error(unavailable, request, send)
    finally:
        held_back.give_up()


async def _send_error(error: HTTPException, request: Request, send: Send) -> None:
    handler = exception_handler(request.scope, error)
    assert handler is not None, "Starlette has one for every HTTPException."
    response = handler(request, error)
    if isawaitable(response):
        response = await response
    await response(request.scope, request.receive, send)
