"""Names of FastAPI and Starlette beyond public API.

* FastAPI: the variables `dependant`, `dependency_overrides_provider`, `is_coroutine`, `body_field`,
  `status_code`, `response_class`, `actual_response_class`, `stream_item_field`, `is_json_stream`
  and `response_…` of the function that
  `get_request_handler()` returns. They are the only way to what `include_router()` and the app add.
  Missing door: passing the effective route to `APIRoute.get_route_handler()`, as a comment of
  FastAPI's plans.
* FastAPI: `_extract_endpoint_context()`, which says where an endpoint stands in the source, for the
  errors about its response. Missing door: a public name for it.
* FastAPI: `solve_dependencies()`, `run_endpoint_function()` and `serialize_response()` of
  `fastapi.routing`, of which its handler is made and which tools replace (`handlers`), and the
  scope's key `fastapi.telemetry`. Missing door: a handler of which the steps can be chosen.
* FastAPI: the scope's keys `fastapi_inner_astack` and `fastapi_function_astack`, the stacks on
  which `yield` dependencies wait for their exit. Missing door: a public name for them.
* Starlette: the key of the scope `starlette.exception_handlers`, under which `ExceptionMiddleware`
  leaves the handlers of the application. Missing door: a public way to ask for a handler.
* Starlette: `_body` and `_form` of a request, which say what was read of it already. Missing door:
  a reader that does not wait.
* Starlette: `_receive` of a request, so that a body which was read already can be read again.
  Missing door: a setter for `Request.receive`.
* Starlette: the iterator inside `iterate_in_threadpool()`, which `StreamingResponse` makes of
  a synchronous iterator. Missing door: the iterator as given, on the response.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from copy import copy
from types import CellType, FunctionType
from typing import Any, TypeVar

from fastapi.routing import _extract_endpoint_context
from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope

from django_mullet.exceptions import UnsupportedFastAPI

T = TypeVar("T")

__all__ = [
    "body_so_far",
    "endpoint_context",
    "exception_handler",
    "form_so_far",
    "function_stack",
    "handler_variable",
    "is_traced",
    "replace_function_stack",
    "replace_receive",
    "replace_request_stack",
    "request_stack",
    "threaded_iterator",
    "without_validation",
]

_EXCEPTION_HANDLERS = "starlette.exception_handlers"
_TELEMETRY = "fastapi.telemetry"  # since FastAPI 0.16x
_REQUEST_STACK = "fastapi_inner_astack"
_FUNCTION_STACK = "fastapi_function_astack"


def handler_variable(handler: Callable[..., Any], name: str) -> CellType:
    """Return the cell of `name` in FastAPI's request handler; its contents may be replaced.

    The handler may be wrapped, as Sentry's SDK does by patching `get_request_handler()`.
    """
    candidates = [handler]
    for function in candidates:
        if isinstance(function, FunctionType):
            cells = dict(
                zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
            )
            if name in cells and function.__module__ == "fastapi.routing":
                return cells[name]
            filled = [cell.cell_contents for cell in cells.values() if cell != CellType()]
            candidates += [held for held in filled if isinstance(held, FunctionType)]
    raise UnsupportedFastAPI(
        f"FastAPI's request handler has no variable '{name}'. Install a FastAPI release that "
        "this release of django-mullet supports, or a newer django-mullet."
    )


def endpoint_context(endpoint: Callable[..., Any], path: str, request: Request) -> Any:
    """Return what FastAPI's errors tell of where they arose: an `EndpointContext`."""
    mounted_at = request.scope.get("root_path", "").rstrip("/")
    path = f"{request.method} {mounted_at}{path}"
    return {**_extract_endpoint_context(endpoint), "path": path}


def without_validation(field: Any, is_valid: Callable[[Any], bool]) -> Any:
    """Return a copy of FastAPI's response `field`, which validates what is not valid already."""
    field = copy(field)
    validate = field.validate

    def validate_others(value: Any, *args: Any, **kwargs: Any) -> Any:
        return (value, None) if is_valid(value) else validate(value, *args, **kwargs)

    field.validate = validate_others
    return field


def is_traced(scope: Scope) -> bool:
    """Return whether FastAPI's telemetry notes how the request is answered."""
    return scope.get(_TELEMETRY) is not None


def request_stack(scope: Scope) -> AsyncExitStack:
    """Return the stack that exits after the response is sent."""
    stack: AsyncExitStack = scope[_REQUEST_STACK]
    return stack


def function_stack(scope: Scope) -> AsyncExitStack:
    """Return the stack that exits before the response is sent."""
    stack: AsyncExitStack = scope[_FUNCTION_STACK]
    return stack


def replace_request_stack(scope: Scope, stack: AsyncExitStack) -> None:
    """Have `yield` dependencies of request scope wait for their exit on `stack`."""
    scope[_REQUEST_STACK] = stack


def replace_function_stack(scope: Scope, stack: AsyncExitStack) -> None:
    """Have `yield` dependencies of function scope wait for their exit on `stack`."""
    scope[_FUNCTION_STACK] = stack


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
