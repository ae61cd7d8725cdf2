"""Names of Starlette beyond public API: what it has read of a request, and whom it asks."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope

from django_mullet._compat.names import Name, require

__all__ = [
    "RELIED_ON",
    "body_so_far",
    "exception_handler",
    "form_so_far",
    "replace_receive",
    "threaded_iterator",
]

RELIED_ON = (
    Name(
        "scope.starlette.exception_handlers",
        "`ExceptionMiddleware` leaves the handlers of the application there.",
        "a way to ask for the handler of an error",
        used_in="starlette.middleware.exceptions.ExceptionMiddleware.__call__",
    ),
    *(
        Name(
            f"starlette.requests.Request.{attribute}",
            "It says what was read of a request already.",
            "a reader that does not wait",
            used_in=f"starlette.requests.Request.{method}",
        )
        for attribute, method in (("_body", "body"), ("_form", "_get_form"))
    ),
    Name(
        "starlette.requests.Request._receive",
        "A body that was read already can be read again.",
        "a setter for `Request.receive`",
        used_in="starlette.requests.Request.receive",
    ),
    Name(
        "starlette.concurrency.iterate_in_threadpool.iterator",
        "`StreamingResponse` holds a synchronous iterator in it, which is pulled in a worker.",
        "the iterator as given, on the response",
        used_in="starlette.concurrency.iterate_in_threadpool",
    ),
)

_EXCEPTION_HANDLERS = "starlette.exception_handlers"

require(RELIED_ON)


def exception_handler(scope: Scope, error: Exception) -> Callable[[Any, Any], Any] | None:
    """Return what the application answers `error` with, if anything; by Starlette's rules."""
    by_class, by_status = scope.get(_EXCEPTION_HANDLERS, ({}, {}))
    if isinstance(error, HTTPException) and error.status_code in by_status:
        found: Callable[[Any, Any], Any] = by_status[error.status_code]
        return found
    return next((by_class[cls] for cls in type(error).__mro__ if cls in by_class), None)


def body_so_far(request: Request) -> bytes | None:
    """Return the body of `request`, if all of it was read."""
    return getattr(request, "_body", None)


def form_so_far(request: Request) -> FormData | None:
    """Return the form in the body of `request`, if it was read."""
    return getattr(request, "_form", None)


def replace_receive(request: Request, receive: Receive) -> None:
    """Have `request` read its body from `receive`."""
    request._receive = receive


def threaded_iterator(body: AsyncIterator[Any]) -> Iterator[Any] | None:
    """Return the synchronous iterator that Starlette would pull in threads of its own, if any."""
    if getattr(body, "ag_code", None) is not iterate_in_threadpool.__code__:
        return None
    iterator: Iterator[Any] = iter(body.ag_frame.f_locals["iterator"])  # type: ignore[attr-defined]
    return iterator
