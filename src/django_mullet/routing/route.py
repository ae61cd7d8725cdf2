"""The route and router classes that run FastAPI's handlers as Django requests.

`DjangoRoute` leaves everything to FastAPI's own request handler, which `handlers` adapts:
parameters, dependencies, validation, response. It decides where that handler runs. The handler of a
`def` endpoint is driven by a worker thread from beginning to end, in one hop; where FastAPI itself
has to wait for the event loop on the way (a form, an async generator, a semaphore), it starts on
the loop and moves to the worker for the endpoint. The handler of an `async def` endpoint runs on
the loop.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import fastapi
from django.apps import apps
from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import ProgrammingError
from fastapi import Depends, HTTPException, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import FastAPIError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.responses import FileResponse, StreamingResponse
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from django_mullet import conf
from django_mullet._compat.fastapi import (
    replace_function_stack,
    replace_request_stack,
    request_stack,
)
from django_mullet.dependencies.adaptation import Kind, Traits, traits
from django_mullet.dependencies.route_options import without_marks
from django_mullet.error_handling.commit_guard import as_stored, require_ended
from django_mullet.error_handling.hints import advise
from django_mullet.error_handling.openapi import Responses, listed
from django_mullet.error_handling.refused_values import refuse
from django_mullet.error_handling.retries import retries_of, run_again
from django_mullet.error_handling.unavailable import NOT_AVAILABLE, as_unavailable, send_stream
from django_mullet.execution.execution import Execution, Habits, Unit
from django_mullet.execution.handoff import in_worker, to_loop, to_worker
from django_mullet.execution.query_log import QueryLog
from django_mullet.middleware.chain import (
    Around,
    DjangoMiddleware,
    MiddlewareExecution,
    mark,
    without_django_wrapper,
)
from django_mullet.middleware.request import spool_form
from django_mullet.results.presenting import shown_schemas, shows_many
from django_mullet.results.unshown_models import refuse_models
from django_mullet.routing.connection_per import ConnectionPer, unit_of
from django_mullet.routing.fast_path import Handler, read_body
from django_mullet.routing.handler import Adapted, adapted, dependant_of
from django_mullet.routing.transaction import atomic_aliases, run_atomic
from django_mullet.routing.websockets import run_in_django
from django_mullet.schemas.lazy_loads import read_one_by_one
from django_mullet.schemas.query_plan import plan_of
from django_mullet.streaming.bodies import follow_up_in_worker

__all__ = ["APIRouter", "DjangoRoute"]

QUERY_PLAN = "X-Query-Plan"
"""The header by which a request asks, with DEBUG, what its response loads."""


class DjangoRoute(APIRoute):
    """A FastAPI route each request of which is one Django request, on one connection."""

    _said: Responses
    _is_defined = False

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        try:
            super().__init__(path, endpoint, **kwargs)
        except FastAPIError:
            refuse_models(endpoint, kwargs.get("response_model"))
            raise
        self._is_defined = True

    @property
    def responses(self) -> Responses:
        """What the OpenAPI document lists; for errors it asks models, which may not be ready."""
        if not self._is_defined or not apps.models_ready:
            return self._said
        return listed(self.endpoint, self.dependant, self._said)

    @responses.setter
    def responses(self, said: Responses) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._said = said

    def get_route_handler(self) -> Handler:
        """Return FastAPI's handler of this route, run in a Django execution."""
        ordinary = super().get_route_handler()
        effective = dependant_of(ordinary)
        around = self._around(effective)
        # A copy, since FastAPI and others look at the route's own: for the OpenAPI document, say.
        dependant = without_marks(effective)
        dependant.call = without_django_wrapper(dependant.call)
        facts = traits(dependant)
        handler = adapted(
            ordinary, dependant, self.response_model, is_event_stream=self.is_sse_stream
        )
        is_def = facts.endpoint is Kind.SYNC
        plan = _Plan(
            self.endpoint,
            effective,
            retries_of(self.endpoint),
            is_def,
            handler,
            _Mode.of(facts),
            around,
            unit_of(effective),
            facts.endpoint in (Kind.GENERATOR, Kind.ASYNC_GENERATOR),
            Habits(),
            self.response_model,
            cache(partial(shows_many, self.response_model)),
        )
        return partial(_respond, plan)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse the method with those of all routes of the path (RFC 9110, 15.5.6)."""
        if self.methods and scope["method"] not in self.methods and "app" in scope:
            allowed = ", ".join(sorted(_methods_of_path(scope)))
            raise HTTPException(405, headers={"Allow": allowed})
        await super().handle(scope, receive, send)

    def _around(self, dependant: Dependant) -> Around | None:
        found = mark(dependant)
        if found is None:
            return None
        return Around(found, self.endpoint, dependant.path or self.path, self.name)


def _methods_of_path(scope: Scope) -> set[str]:
    """Return the methods of the routes that would answer the path, if it came with one of them."""
    routes = iter_route_contexts(scope["app"].routes)
    partial = [route for route in routes if route.matches(scope)[0] is Match.PARTIAL]
    return {method for route in partial for method in route.methods or ()}


class APIRouter(fastapi.APIRouter):
    """FastAPI's `APIRouter`, the routes of which run as Django requests.

    With `django_middleware`, Django's middleware runs around them, and around those of the
    routers that this one includes: `True` means `settings.MIDDLEWARE`, a list of dotted paths
    others, and `False` none, whatever the router that includes this one says.

    With `connection="call"` each call of a request may have another connection; see `lending`.
    """

    def __init__(
        self,
        *args: Any,
        route_class: type[APIRoute] = DjangoRoute,
        django_middleware: bool | Sequence[str] | None = None,
        connection: Unit | None = None,
        dependencies: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if django_middleware is not None:
            dependencies = [Depends(DjangoMiddleware(django_middleware)), *(dependencies or ())]
        if connection is not None:
            dependencies = [Depends(ConnectionPer(connection)), *(dependencies or ())]
        super().__init__(*args, route_class=route_class, dependencies=dependencies, **kwargs)

    def add_api_websocket_route(self, *args: Any, **kwargs: Any) -> None:
        """Add a WebSocket route, which runs in a Django execution."""
        super().add_api_websocket_route(*args, **kwargs)
        run_in_django(self.routes[-1], self.dependency_overrides_provider)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a route answers, when this router is included in an application."""
        match, child_scope = super().matches(scope)
        if "route" in child_scope:
            # That of a WebSocket FastAPI has made anew, for this inclusion.
            run_in_django(child_scope["route"], scope.get("app"))
        return match, child_scope


@dataclass(frozen=True, slots=True)
class _Mode:
    """How the requests of a route are run."""

    on_loop: bool
    """The handler starts on the event loop, and moves to the worker for the endpoint."""
    uses_loop: bool
    """Code of the user's runs on the event loop."""
    outlasts: bool
    """A dependency exits, or a generator is closed, after the response is sent."""
    own_stack: bool
    """A dependency exits before the response is sent: before a transaction around it ends."""
    reads_body: bool
    """The handler reads a body while a worker drives it, which cannot wait for it."""

    @classmethod
    def of(cls, facts: Traits) -> "_Mode":
        uses_loop = facts.awaits or facts.needs_loop
        return cls(
            on_loop=facts.needs_loop,
            uses_loop=uses_loop,
            outlasts=facts.request_scope or facts.endpoint is Kind.ASYNC_GENERATOR,
            own_stack=facts.function_scope,
            reads_body=facts.reads_body and not facts.needs_loop,
        )


_OVERRIDDEN = _Mode(on_loop=True, uses_loop=True, outlasts=True, own_stack=True, reads_body=False)
"""With `dependency_overrides`: what they need is not known in advance."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known of a route before its first request."""

    endpoint: Callable[..., Any]
    dependant: Dependant
    times: int
    """How often a request may run again."""
    is_def: bool
    handler: Adapted
    mode: _Mode
    around: Around | None
    unit: Unit
    lasts: bool
    habits: Habits
    response_model: Any
    shows_many: Callable[[], bool]
    """A function, as a name in the response model may be known at the first request only."""


async def _respond(plan: _Plan, request: Request) -> Response:
    """Answer `request`; a database that is away, or a full queue, is a 503."""
    mode = _OVERRIDDEN if plan.handler.overrides else plan.mode
    make: Callable[..., Execution] = Execution
    if plan.around is not None:
        await spool_form(request, request_stack(request.scope))
        chain = await plan.around.chain(request.scope, on_loop=mode.uses_loop)
        make = partial(MiddlewareExecution, plan.around, chain)
        if chain.uses_loop:
            mode = replace(mode, uses_loop=True)
    execution = make(request.scope, habits=plan.habits, unit=plan.unit, lasts=plan.lasts)
    if settings.DEBUG:
        execution.log = QueryLog()
    token = read_one_by_one.set({}) if plan.shows_many() else None
    try:
        response = await _execute(plan, mode, request, execution)
        require_ended(execution, response)
        return response
    except NOT_AVAILABLE as error:
        unavailable = as_unavailable(error, execution)
        if unavailable is None:
            advise(error, plan.endpoint, plan.dependant)
            raise
        raise unavailable from error
    except (ProgrammingError, SynchronousOnlyOperation) as error:
        advise(error, plan.endpoint, plan.dependant)
        raise
    except (ValueError, OverflowError) as error:
        refuse(request, error)
        advise(error, plan.endpoint, plan.dependant)
        raise
    finally:
        if token is not None:
            read_one_by_one.reset(token)


async def _execute(plan: _Plan, mode: _Mode, request: Request, execution: Execution) -> Response:
    """Answer within `execution`; what outlasts the answer is left to FastAPI's stack for it."""
    stack = request_stack(request.scope)
    leave = execution.enter(takes_orm=mode.uses_loop)
    lasts = mode.outlasts
    if lasts:
        # Before any dependency puts its exit there: what is pushed first exits last.
        _leave_to(stack, execution, leave)
    try:
        if mode.reads_body or plan.times:
            await read_body(request)
        response = await _run(plan, mode, request, execution)
        if execution.log is not None:
            _tell_queries(execution.log, plan, request, response)
        if not _is_complete(response):
            if not lasts:
                lasts = True
                _leave_to(stack, execution, leave)
            _go_on(stack, request, response, execution)
        elif lasts and _takes_long(response):
            execution.become_lasting()
        return response
    finally:
        if not lasts:
            leave()
            if execution.has_worker or not execution.is_started:
                await execution.aclose()  # a task that goes on must not begin the request now
            else:
                stack.push_async_callback(execution.aclose)


def _leave_to(stack: AsyncExitStack, execution: Execution, leave: Callable[[], None]) -> None:
    stack.callback(leave)
    stack.push_async_callback(execution.aclose)


def _go_on(
    stack: AsyncExitStack, request: Request, response: Response, execution: Execution
) -> None:
    """Have what comes of `response` while it is sent, and afterwards, be part of the request."""
    stack.callback(execution.enter(takes_orm=True))
    execution.bring_context()
    if isinstance(response, StreamingResponse):
        follow_up_in_worker(response, execution)
        _close_in_the_end(stack, response.body_iterator)
        response.stream_response = partial(  # type: ignore[method-assign]
            send_stream, response.stream_response, execution, request
        )
    else:
        follow_up_in_worker(response, execution)


def _close_in_the_end(stack: AsyncExitStack, body: Any) -> None:
    """Have an async generator closed though its client left, and not by the garbage collector."""
    if hasattr(body, "aclose"):
        stack.push_async_callback(body.aclose)


def _run(plan: _Plan, mode: _Mode, request: Request, execution: Execution) -> Awaitable[Response]:
    aliases = atomic_aliases(plan.endpoint)
    if plan.is_def or aliases or plan.around or plan.times:
        return execution.run_coroutine(_answer(plan, mode, request, execution, aliases))
    handle = partial(_handle, plan, mode) if mode.own_stack else plan.handler
    return as_stored(execution, partial(handle, request))


async def _answer(
    plan: _Plan,
    mode: _Mode,
    request: Request,
    execution: Execution,
    aliases: list[str],
) -> Response:
    """Run FastAPI's handler, where the mode says, in a transaction on each of `aliases`."""
    response: Response | None = None
    respond: Callable[[], Awaitable[Response]] = partial(_handle, plan, mode, request)
    if plan.times:
        respond = partial(_again, plan, mode, request)
    if aliases:
        respond = partial(run_atomic, aliases, respond)
    respond = partial(as_stored, execution, respond)
    try:
        if mode.outlasts and (plan.times or plan.around):
            respond = partial(_leave_on_error, respond, mode, request)
        if plan.times:
            respond = partial(run_again, plan.times, respond)
        if isinstance(execution, MiddlewareExecution):
            respond = partial(execution.respond, request, respond)
        response = await respond()
        return response
    finally:
        is_last = response is None or _is_complete(response)
        if is_last and not mode.outlasts and in_worker():
            execution.finish()


def _again(plan: _Plan, mode: _Mode, request: Request) -> Awaitable[Response]:
    # A copy has the body that was read, and none of what was made of it: another attempt may have
    # changed that, or read a file to its end.
    return _handle(plan, mode, copy(request))


async def _handle(plan: _Plan, mode: _Mode, request: Request) -> Response:
    await (to_loop() if mode.on_loop else to_worker())
    if not mode.own_stack:
        return await plan.handler(request)
    async with AsyncExitStack() as stack:
        replace_function_stack(request.scope, stack)
        try:
            return await plan.handler(request)
        finally:
            if mode.on_loop:
                await to_loop()


async def _leave_on_error(
    respond: Callable[[], Awaitable[Response]], mode: _Mode, request: Request
) -> Response:
    """Have dependencies leave with the exception of `respond` before it is answered.

    Where there is none they leave when FastAPI wants it: after the response is sent.
    """
    outer = request_stack(request.scope)
    async with AsyncExitStack() as stack:
        replace_request_stack(request.scope, stack)
        try:
            response = await respond()
        except BaseException:
            if mode.on_loop:
                await to_loop()
            raise
        finally:
            replace_request_stack(request.scope, outer)
        outer.push_async_exit(stack.pop_all())
        return response
    raise FastAPIError("A dependency with 'yield' has kept an exception to itself.")


def _tell_queries(log: QueryLog, plan: _Plan, request: Request, response: Response) -> None:
    """Put what was queried into the headers; see the Server-Timing specification of the W3C."""
    milliseconds, number = log.seconds * 1000, len(log.statements)
    response.headers.append("Server-Timing", f'db;dur={milliseconds:.1f};desc="{number} queries"')
    if QUERY_PLAN in request.headers:
        plans = [plan_of(schema) for schema in shown_schemas(plan.response_model)]
        response.headers[QUERY_PLAN] = " | ".join(" ; ".join(each.described()) for each in plans)


def _takes_long(response: Response) -> bool:
    """Return whether sending `response`, which is complete, may take as long as its client wants.

    A short one goes to the server at once.
    """
    is_file = isinstance(response, FileResponse)
    return is_file or len(response.body) > conf.current().stream_buffer


def _is_complete(response: Response) -> bool:
    return response.background is None and not isinstance(response, StreamingResponse)
