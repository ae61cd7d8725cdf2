"""Which names beyond public API does django-mullet rely on, and why?

Each has a test that fails loudly when it moves (`tests/test_compat.py`), and the suite
runs on the oldest and newest supported releases. What is relied on of Django's querysets and
statements stands in `_compat_orm`.

* anyio: `threadlocals`, in which `anyio.from_thread` finds the event loop, and
  `get_async_backend`, by which a worker calls a function there. Missing door: a token for a
  thread, rather than one for each call. `NoEventLoopError` is public since anyio 4.11.
* asgiref: `_restore_context` moves `asgiref.Local` data (the active language, time zone,
  script prefix) with the ContextVars from one thread to another, and `_rehome` alone the
  `_Storage` of a Local. Missing door: a public function that does this, without the thread hop of
  `sync_to_async`.
* asgiref: the ContextVar `SyncToAsync.thread_sensitive_context` and the mapping
  `SyncToAsync.context_to_thread_executor`, which `ThreadSensitiveContext` sets and unsets at a
  cost that an `async def` request would feel. Missing door: one context for many requests.
* Django: `_handler_class` of a response, which `close()` gives to `request_finished` as the
  sender; Django's own handlers set it. Missing door: a parameter.
* Django: where a `Signal` keeps its receivers. Missing door: a method that lists them.
* Django: `_non_atomic_requests`, which `transaction.non_atomic_requests` leaves on a view.
  Missing door: a public reader.
* Django: `_dont_enforce_csrf_checks`, by which the test client tells `CsrfViewMiddleware` to let a
  request pass. Missing door: a public name for it.
* Django: `trans_real._active`, where the active language is. Missing door: a way to learn whether
  code reads it.
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
* psycopg: `generators.execute()`, which waits for the results of a query, and
  `errors.error_from_result()` (`postgres_fetch`). Missing door: a query without a cursor.
* Pydantic: `__pydantic_fields_complete__` of a model, whether the names in its annotations are
  known: one that names what is defined further down stays as it was where only what holds it is
  used. Missing door: a public reader.
* Starlette: the key of the scope `starlette.exception_handlers`, under which `ExceptionMiddleware`
  leaves the handlers of the application. Missing door: a public way to ask for a handler.
* Starlette: `_body` and `_form` of a request, which say what was read of it already. Missing door:
  a reader that does not wait.
* Starlette: `_receive` of a request, so that a body which was read already can be read again.
  Missing door: a setter for `Request.receive`.
* Starlette: the iterator inside `iterate_in_threadpool()`, which `StreamingResponse` makes of
  a synchronous iterator. Missing door: the iterator as given, on the response.
"""

from asyncio import AbstractEventLoop
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import AsyncExitStack
from contextvars import Context
from copy import copy
from functools import partial
from types import CellType, FunctionType, SimpleNamespace
from typing import Any, TypeVar
from weakref import ReferenceType

import anyio
from anyio._core._eventloop import get_async_backend, threadlocals
from asgiref.local import _rehome, _Storage
from asgiref.sync import AsyncToSync, SyncToAsync, ThreadSensitiveContext, _restore_context
from django.dispatch import Signal
from django.utils.translation import trans_real
from fastapi.routing import _extract_endpoint_context
from starlette.concurrency import iterate_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Receive, Scope

from django_mullet.exceptions import UnsupportedFastAPI

T = TypeVar("T")

__all__ = [
    "NoEventLoopError",
    "ThreadSensitiveExecutor",
    "active_translation",
    "body_so_far",
    "call_on_loop",
    "claim_context",
    "endpoint_context",
    "exception_handler",
    "form_so_far",
    "function_stack",
    "handler_variable",
    "is_traced",
    "knows_its_fields",
    "lead_from_thread",
    "let_pass_csrf_checks",
    "move_context",
    "non_atomic_aliases",
    "passes_csrf_checks",
    "receivers_of",
    "replace_function_stack",
    "replace_receive",
    "replace_request_stack",
    "request_stack",
    "runs_orm",
    "send_orm_to",
    "set_handler_class",
    "threaded_iterator",
    "without_validation",
]

_EXCEPTION_HANDLERS = "starlette.exception_handlers"
_TELEMETRY = "fastapi.telemetry"  # since FastAPI 0.16x
_REQUEST_STACK = "fastapi_inner_astack"
_FUNCTION_STACK = "fastapi_function_astack"

NoEventLoopError: type[RuntimeError] = getattr(anyio, "NoEventLoopError", RuntimeError)
"""What `anyio.from_thread` raises where it finds no event loop."""


def lead_from_thread(backend: Any) -> None:
    """Have `anyio.from_thread` ask `backend` when it is called in this thread without a token."""
    threadlocals.current_token = SimpleNamespace(backend_class=backend, native_token=None)
    threadlocals.current_async_backend = backend  # before anyio 4.11


def call_on_loop(loop: AbstractEventLoop, function: Callable[..., T], args: tuple[Any, ...]) -> T:
    """Return what `function` returns on `loop`, of another thread, as anyio calls it there."""
    return get_async_backend("asyncio").run_sync_from_thread(function, args, loop)


class ThreadSensitiveExecutor(Executor):
    """An executor for thread-sensitive calls that serves many tasks, at the same time."""

    def __init__(self) -> None:
        self.context = ThreadSensitiveContext(executor=self)
        SyncToAsync.context_to_thread_executor[self.context] = self


def move_context(context: Context) -> None:
    """Set every ContextVar as it is in `context`, and make asgiref's Locals this thread's."""
    _restore_context(context)


def claim_context(context: Context) -> None:
    """Make asgiref's Locals in `context`, the current one, this thread's."""
    for variable, value in context.items():
        if isinstance(value, _Storage):
            variable.set(_rehome(value))


def non_atomic_aliases(endpoint: Callable[..., Any]) -> set[str]:
    """Return the aliases that `@transaction.non_atomic_requests` exempts `endpoint` from."""
    aliases: set[str] = getattr(endpoint, "_non_atomic_requests", set())
    return aliases


def passes_csrf_checks(request: Any) -> bool:
    """Return whether Django's test client has made the request, and wants no CSRF checks."""
    return bool(getattr(request, "_dont_enforce_csrf_checks", False))


def let_pass_csrf_checks(request: Any) -> None:
    """Have `CsrfViewMiddleware` let the request pass, as the test client has it."""
    request._dont_enforce_csrf_checks = True


def send_orm_to(executor: ThreadSensitiveExecutor) -> Callable[[], None]:
    """Have the thread-sensitive calls of this task run in `executor`; return what undoes it."""
    token = SyncToAsync.thread_sensitive_context.set(executor.context)
    outer = getattr(AsyncToSync.executors, "current", None)
    if outer is None:
        return partial(SyncToAsync.thread_sensitive_context.reset, token)
    # Below `async_to_sync()`, whose own executor would go first.
    AsyncToSync.executors.current = None

    def undo() -> None:
        AsyncToSync.executors.current = outer
        SyncToAsync.thread_sensitive_context.reset(token)

    return undo


def runs_orm(executor: ThreadSensitiveExecutor) -> bool:
    """Return whether the thread-sensitive calls of this task run in `executor`."""
    if getattr(AsyncToSync.executors, "current", None) is not None:
        return False
    return SyncToAsync.thread_sensitive_context.get(None) is executor.context


def receivers_of(signal: Signal) -> set[Callable[..., Any]]:
    """Return the functions that are connected to `signal`, for whichever sender."""
    found: set[Any] = set()
    for _, receiver, *_ in signal.receivers:
        found.add(receiver() if isinstance(receiver, ReferenceType) else receiver)
    return found


def active_translation() -> Any:
    """Return what has the active translation as its `value`, if any is active."""
    return trans_real._active  # type: ignore[attr-defined]


def set_handler_class(response: Any, handler_class: type) -> None:
    """Have `response.close()` send `request_finished` from `handler_class`."""
    response._handler_class = handler_class


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


def knows_its_fields(model: Any) -> bool:
    """Return whether Pydantic knows every name in the annotations of `model`, one of its own."""
    return bool(model.__pydantic_fields_complete__)


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
