"""Every 503 with `Retry-After`: no worker, no connection or no database for a request.

For a route, a stream that has not begun, a view of Django's and a WebSocket. A request that has
stored something gets none, as it would deny that.
"""

import logging
from collections.abc import Awaitable, Callable
from inspect import isawaitable

from django.db import InterfaceError, OperationalError
from fastapi import HTTPException, Request, WebSocket, WebSocketException
from starlette.responses import PlainTextResponse
from starlette.status import WS_1013_TRY_AGAIN_LATER
from starlette.types import Send
from starlette.websockets import WebSocketState

from django_mullet import conf
from django_mullet._compat.starlette import exception_handler
from django_mullet.error_handling.commit_guard import require_uncommitted
from django_mullet.exceptions import ConnectionLimitReached, Overloaded
from django_mullet.execution.execution import Execution
from django_mullet.streaming.delayed_headers import DelayedHeaders

__all__ = [
    "UNAVAILABLE_ERRORS",
    "send_stream",
    "unavailable_exception",
    "unavailable_response",
    "unavailable_websocket",
]

UNAVAILABLE_ERRORS = (Overloaded, OperationalError, InterfaceError)
"""What may be answered so."""

_BUSY = (Overloaded, ConnectionLimitReached)
_BUSY_DETAIL = "The server is busy."
_DATABASE_DETAIL = "The database is not available."

logger = logging.getLogger("django.request")


def unavailable_exception(error: Exception, execution: Execution) -> HTTPException | None:
    """Return the 503 for `error`, and log why; `None` if it is one of the application's.

    Raises `AlreadyCommitted` where the request has stored something.
    """
    if isinstance(error, _BUSY) or execution.connection_lost:
        require_uncommitted(execution, error)
    detail = _detail(error, execution)
    return None if detail is None else _exception(detail)


def unavailable_response(error: Overloaded, execution: Execution) -> PlainTextResponse:
    """Return the 503 for `error`, raised around a view of Django's, and log why."""
    detail = _detail(error, execution)
    return PlainTextResponse(detail, status_code=503, headers=_retry_after())


def unavailable_websocket(
    error: Exception, execution: Execution, websocket: WebSocket
) -> Exception | None:
    """Return what answers 503 to a handshake, and closes an accepted connection with 1013.

    Logs why; `None` if `error` is one of the application's.
    """
    detail = _detail(error, execution)
    if detail is None:
        return None
    is_handshake = websocket.application_state is WebSocketState.CONNECTING
    if is_handshake and "websocket.http.response" in websocket.scope.get("extensions", {}):
        return _exception(detail)
    return WebSocketException(WS_1013_TRY_AGAIN_LATER, detail)


async def send_stream(
    send_all: Callable[[Send], Awaitable[None]],
    execution: Execution,
    request: Request,
    send: Send,
) -> None:
    """Send a body by `send_all`, or a 503 if it finds no connection before anything is sent."""
    delayed = DelayedHeaders(send, execution)
    try:
        await send_all(delayed)
    except Exception as error:
        is_away = isinstance(error, UNAVAILABLE_ERRORS)
        unavailable = unavailable_exception(error, execution) if is_away else None
        if unavailable is None or delayed.has_sent:
            await delayed.release()
            raise
        # Not raised: FastAPI may have a group of tasks around it, which would make another of it.
        await _send_error(unavailable, request, send)
    finally:
        delayed.give_up()


async def _send_error(error: HTTPException, request: Request, send: Send) -> None:
    handler = exception_handler(request.scope, error)
    assert handler is not None, "Starlette has one for every HTTPException."
    response = handler(request, error)
    if isawaitable(response):
        response = await response
    await response(request.scope, request.receive, send)


def _detail(error: Exception, execution: Execution) -> str | None:
    """Return what the client reads of `error`, and log it; `None` if it is the application's."""
    path = execution.scope["path"]
    if isinstance(error, _BUSY):
        logger.warning("Busy: %s: %s", path, error)
        return _BUSY_DETAIL
    if execution.connection_lost:
        logger.error("Database away: %s", path, exc_info=error)
        return _DATABASE_DETAIL
    return None


def _exception(detail: str) -> HTTPException:
    return HTTPException(503, detail=detail, headers=_retry_after())


def _retry_after() -> dict[str, str]:
    return {"Retry-After": str(conf.current().retry_after)}
