"""The run of one request through a route: what drives FastAPI's handler, and what is around it.

`RouteConfig` holds what is known of a route before its first request, `RequestRun` what belongs to
one request; its methods stand in the order in which a request passes through them. A Django
execution begins; middleware, retries, the commit guard and transactions are put around FastAPI's
handler; a worker or the event loop drives that; and what outlasts the response, a stream or a
background task, is left to FastAPI's exit stack.
"""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from copy import copy
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.core.exceptions import SynchronousOnlyOperation
from django.db import ProgrammingError
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import FastAPIError
from starlette.responses import FileResponse, StreamingResponse

from django_mullet import conf
from django_mullet._compat.fastapi import (
    replace_function_stack,
    replace_request_stack,
    request_stack,
)
from django_mullet.dependencies.adaptation import Kind, Traits
from django_mullet.error_handling.commit_guard import guard_commit, require_ended
from django_mullet.error_handling.hints import add_hint
from django_mullet.error_handling.refused_values import raise_for_sent_value
from django_mullet.error_handling.retries import retries_of, run_with_retries
from django_mullet.error_handling.service_unavailable import (
    UNAVAILABLE_ERRORS,
    send_stream,
    unavailable_exception,
)
from django_mullet.execution.execution import Execution, Habits
from django_mullet.execution.handoff import in_worker, to_loop, to_worker
from django_mullet.execution.query_log import QueryLog
from django_mullet.middleware.execution import MiddlewareBinding, MiddlewareExecution
from django_mullet.middleware.request import make_form_rereadable
from django_mullet.results.presenting import shows_many
from django_mullet.routing.connection_per import unit_of
from django_mullet.routing.fast_path import read_body
from django_mullet.routing.handler import Adapted
from django_mullet.routing.query_headers import add_query_headers
from django_mullet.routing.transaction import atomic_aliases, run_atomic
from django_mullet.schemas.lazy_loads import read_one_by_one
from django_mullet.streaming.bodies import follow_up_in_worker

__all__ = ["Exits", "RequestRun", "RouteConfig", "RunMode", "run_request"]

Respond = Callable[[], Awaitable[Response]]


class RunMode(Enum):
    """Where FastAPI's handler of a route is driven."""

    WORKER = (False, False, True)
    """By a worker, from beginning to end."""
    WORKER_AND_LOOP = (False, True, True)
    """By a worker, but for what is `async` on the way: that runs on the event loop."""
    LOOP_THEN_WORKER = (True, True, True)
    """By the event loop, which reads a form for instance, and by a worker from the endpoint on."""
    LOOP = (True, True, False)
    """By the event loop, as in FastAPI; what is synchronous goes to a worker and comes back."""

    def __init__(self, starts_on_loop: bool, uses_loop: bool, moves: bool) -> None:
        self.starts_on_loop = starts_on_loop
        self.uses_loop = uses_loop
        """Code of the user's runs on the event loop."""
        self.moves = moves
        """The handler moves between the event loop and the worker."""

    @classmethod
    def of(cls, traits: Traits, *, is_wrapped: bool) -> "RunMode":
        """Return the mode of a route with these `traits`, or with middleware or retries around."""
        if traits.endpoint is not Kind.SYNC:
            return cls.LOOP_THEN_WORKER if is_wrapped else cls.LOOP
        if traits.needs_loop:
            return cls.LOOP_THEN_WORKER
        return cls.WORKER_AND_LOOP if traits.awaits else cls.WORKER


@dataclass(frozen=True, slots=True)
class Exits:
    """When dependencies with `yield`, and generators, exit."""

    before_response: bool
    """Some do before the response is sent: before a transaction around the handler ends."""
    after_response: bool
    """Some do after the response is sent."""

    @classmethod
    def of(cls, traits: Traits) -> "Exits":
        """Return the exits of a route with these `traits`."""
        return cls(
            before_response=traits.function_scope,
            after_response=traits.request_scope or traits.endpoint is Kind.ASYNC_GENERATOR,
        )


_ANY_EXITS = Exits(before_response=True, after_response=True)
"""With `dependency_overrides`: what they need is not known in advance."""


class RouteConfig:
    """What is known of a route before its first request."""

    def __init__(
        self,
        endpoint: Callable[..., Any],
        dependant: Dependant,
        traits: Traits,
        handler: Adapted,
        *,
        middleware: MiddlewareBinding | None,
        response_model: Any,
    ) -> None:
        self.endpoint = endpoint
        self.dependant = dependant
        self.handler = handler
        self.middleware = middleware
        self.response_model = response_model
        self.connection_per = unit_of(dependant)
        self.retries = retries_of(endpoint)
        """How often a request may run again."""
        self.mode = RunMode.of(traits, is_wrapped=bool(middleware or self.retries))
        self.exits = Exits.of(traits)
        self.reads_body = traits.reads_body
        self.is_generator = traits.endpoint in (Kind.GENERATOR, Kind.ASYNC_GENERATOR)
        self.habits = Habits()
        # Asked at the first request, as only then a name in the response model may be known.
        self.shows_many = cache(partial(shows_many, response_model))


async def run_request(config: RouteConfig, request: Request) -> Response:
    """Answer `request`; a database that is away, or a full queue, is a 503."""
    run = RequestRun(config, request)
    if config.middleware is not None:
        await run.enter_middleware(config.middleware)
    token = read_one_by_one.set({}) if config.shows_many() else None
    try:
        response = await run.respond()
        require_ended(run.execution, response)
        return response
    except _EXPLAINED as error:
        run.explain(error)
        raise
    finally:
        if token is not None:
            read_one_by_one.reset(token)


class RequestRun:
    """One request of a route, in a Django execution of its own."""

    __slots__ = ("_config", "_exits", "_mode", "_request", "execution")

    execution: Execution

    def __init__(self, config: RouteConfig, request: Request) -> None:
        self._config = config
        self._request = request
        self._mode = config.mode
        self._exits = config.exits
        if config.handler.overrides:
            self._exits = _ANY_EXITS
            if config.mode.moves:
                self._mode = RunMode.LOOP_THEN_WORKER
        if config.middleware is None:
            self.execution = self._begin(Execution)

    async def enter_middleware(self, middleware: MiddlewareBinding) -> None:
        """Begin with an execution that has Django's middleware around it."""
        request = self._request
        await make_form_rereadable(request, request_stack(request.scope))
        chain = await middleware.chain(request.scope, on_loop=self._mode.uses_loop)
        if chain.uses_loop and self._mode is RunMode.WORKER:
            self._mode = RunMode.WORKER_AND_LOOP
        self.execution = self._begin(partial(MiddlewareExecution, middleware, chain))

    def _begin(self, execution_class: Callable[..., Execution]) -> Execution:
        config = self._config
        execution = execution_class(
            self._request.scope,
            habits=config.habits,
            unit=config.connection_per,
            lasts=config.is_generator,
        )
        if settings.DEBUG:
            execution.log = QueryLog()
        return execution

    async def respond(self) -> Response:
        """Answer; what outlasts the response is left to FastAPI's stack for it."""
        config, request, execution = self._config, self._request, self.execution
        stack = request_stack(request.scope)
        leave = execution.enter(takes_orm=self._mode.uses_loop)
        lasts = self._exits.after_response
        if lasts:
            # Before any dependency puts its exit there: what is pushed first exits last.
            _leave_to(stack, execution, leave)
        try:
            if config.retries or (config.reads_body and not self._mode.starts_on_loop):
                await read_body(request)  # a worker that drives the handler cannot wait for it
            response = await self._drive_handler()
            if execution.log is not None:
                add_query_headers(response, execution.log, request, config.response_model)
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

    def _drive_handler(self) -> Awaitable[Response]:
        """Have the handler, with what is around it, driven where the mode says."""
        aliases = atomic_aliases(self._config.endpoint)
        if self._mode.moves or aliases:
            return self.execution.run_coroutine(self._respond_and_finish(aliases))
        respond = self._call_handler
        if not self._exits.before_response:
            respond = partial(self._config.handler, self._request)
        return guard_commit(self.execution, respond)

    async def _respond_and_finish(self, aliases: list[str]) -> Response:
        """Answer, and end Django's request in the same job of the worker, if nothing outlasts it.

        With a transaction on each of the databases `aliases`.
        """
        response: Response | None = None
        try:
            response = await self._wrapped_handler(aliases)()
            return response
        finally:
            is_last = response is None or _is_complete(response)
            if is_last and not self._exits.after_response and in_worker():
                self.execution.finish()

    def _wrapped_handler(self, aliases: list[str]) -> Respond:
        """Return the handler with what is around it, from the inside out."""
        retries, execution = self._config.retries, self.execution
        respond: Respond = self._call_handler
        if aliases:
            respond = partial(run_atomic, aliases, respond)
        respond = partial(guard_commit, execution, respond)
        if self._exits.after_response and (retries or self._config.middleware):
            respond = partial(self._exit_on_error, respond)
        if retries:
            respond = partial(run_with_retries, retries, respond)
        if isinstance(execution, MiddlewareExecution):
            respond = partial(execution.respond, self._request, respond)
        return respond

    async def _exit_on_error(self, respond: Respond) -> Response:
        """Have dependencies exit with the exception of `respond` before it is answered.

        Where there is none they exit when FastAPI wants it: after the response is sent.
        """
        scope = self._request.scope
        outer = request_stack(scope)
        async with AsyncExitStack() as stack:
            replace_request_stack(scope, stack)
            try:
                response = await respond()
            except BaseException:
                if self._mode.starts_on_loop:
                    await to_loop()
                raise
            finally:
                replace_request_stack(scope, outer)
            outer.push_async_exit(stack.pop_all())
            return response
        raise FastAPIError(
            "A dependency with 'yield' caught an exception and did not raise it again: end its "
            "'except' block with 'raise'."
        )

    async def _call_handler(self) -> Response:
        """Call FastAPI's handler where the mode says that it begins."""
        request, starts_on_loop = self._request, self._mode.starts_on_loop
        if self._config.retries:
            # A copy has the body that was read, and none of what was made of it: another attempt
            # may have changed that, or read a file to its end.
            request = copy(request)
        await (to_loop() if starts_on_loop else to_worker())
        if not self._exits.before_response:
            return await self._config.handler(request)
        async with AsyncExitStack() as stack:
            replace_function_stack(request.scope, stack)
            try:
                return await self._config.handler(request)
            finally:
                if starts_on_loop:
                    await to_loop()

    def explain(self, error: Exception) -> None:
        """Raise the 503 or 422 that is the answer to `error`; else add a hint to it."""
        if isinstance(error, UNAVAILABLE_ERRORS):
            unavailable = unavailable_exception(error, self.execution)
            if unavailable is not None:
                raise unavailable from error
        elif isinstance(error, ValueError | OverflowError):
            raise_for_sent_value(self._request, error)
        add_hint(error, self._config.endpoint, self._config.dependant)


_EXPLAINED = (
    *UNAVAILABLE_ERRORS,
    ProgrammingError,
    SynchronousOnlyOperation,
    ValueError,
    OverflowError,
)


def _leave_to(stack: AsyncExitStack, execution: Execution, leave: Callable[[], None]) -> None:
    stack.callback(leave)
    stack.push_async_callback(execution.aclose)


def _go_on(
    stack: AsyncExitStack, request: Request, response: Response, execution: Execution
) -> None:
    """Have what comes of `response` while it is sent, and afterwards, be part of the request."""
    stack.callback(execution.enter(takes_orm=True))
    execution.bring_context()
    follow_up_in_worker(response, execution)
    if isinstance(response, StreamingResponse):
        body: Any = response.body_iterator
        if hasattr(body, "aclose"):
            # Closed though its client left, and not by the garbage collector.
            stack.push_async_callback(body.aclose)
        response.stream_response = partial(  # type: ignore[method-assign]
            send_stream, response.stream_response, execution, request
        )


def _takes_long(response: Response) -> bool:
    """Return whether sending `response`, which is complete, may take as long as its client wants.

    A short one goes to the server at once.
    """
    is_file = isinstance(response, FileResponse)
    return is_file or len(response.body) > conf.current().stream_buffer


def _is_complete(response: Response) -> bool:
    return response.background is None and not isinstance(response, StreamingResponse)
