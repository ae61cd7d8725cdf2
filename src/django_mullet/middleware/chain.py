"""Django's middleware chain around FastAPI routes.

As a chain of coroutines, one around the other, which are driven by the request's worker: a
`def` endpoint and all that is around it run in one hop. Around an `async def` endpoint the
chain moves to the event loop for the endpoint, and back. Only middleware that is a plain
function stands on a worker's stack meanwhile, and keeps it.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from inspect import isawaitable, isclass, iscoroutinefunction
from typing import Any

from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    ImproperlyConfigured,
    MiddlewareNotUsed,
    PermissionDenied,
    SuspiciousOperation,
)
from django.core.handlers.exception import response_for_exception
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import Http404, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from django.middleware.common import CommonMiddleware
from django.urls import ResolverMatch
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string
from django.views.decorators import csrf
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.requests import HTTPConnection
from fastapi.responses import StreamingResponse

from django_mullet._compat.django import set_handler_class
from django_mullet._compat.starlette import exception_handler
from django_mullet.dependencies.route_options import Mark, nearest
from django_mullet.error_handling.hints import websocket_middleware_hint
from django_mullet.execution import request_signals
from django_mullet.execution.execution import Execution
from django_mullet.execution.handoff import await_from_sync, in_worker, to_loop, to_worker
from django_mullet.middleware.request import RouteRequest
from django_mullet.middleware.response import (
    ConvertedResponse,
    close,
    from_django,
    has_new_body,
    to_django,
)
from django_mullet.streaming.bodies import to_its_end

__all__ = [
    "Chain",
    "DjangoMiddleware",
    "MiddlewareBinding",
    "MiddlewareExecution",
    "middleware_of",
    "without_django_wrapper",
]

Respond = Callable[[], Awaitable[Response]]
Layer = Callable[[Any], Awaitable[Any]]

logger = logging.getLogger("django.request")

_DJANGO_ANSWERS = (
    Http404,
    PermissionDenied,
    MultiPartParserError,
    BadRequest,
    SuspiciousOperation,
)
"""What Django answers with a page of 4xx when middleware raises it."""

_NEVER_WAIT = ("fastapi.", "django_mullet.")
"""Modules whose exception handlers are `async` only in name."""


class DjangoMiddleware(Mark):
    """Marks routes, as a dependency, as those around which Django's middleware runs.

    `APIRouter(django_middleware=...)` adds it to the dependencies of its routes; so it goes
    where dependencies go, into the routers that a router includes. The nearest to the route
    counts. For a whole application: `FastAPI(dependencies=[Depends(DjangoMiddleware())])`.
    """

    def __init__(self, middleware: bool | Sequence[str] = True) -> None:
        if isinstance(middleware, str):
            raise TypeError(
                "'django_middleware' must be True, False or a list of dotted paths, not "
                f"'{middleware}': write ['{middleware}']."
            )
        self._middleware = middleware

    async def __call__(self, connection: HTTPConnection) -> None:
        """Refuse to run: FastAPI calls this only where nobody runs the middleware."""
        if connection.scope["type"] == "websocket":
            raise ImproperlyConfigured(
                " ".join(websocket_middleware_hint(connection.scope["path"]))
            )
        raise ImproperlyConfigured(
            "A route with 'django_middleware' must run as a Django request: use 'APIRouter' of "
            "'django_mullet', or 'route_class=DjangoRoute'."
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """The dotted paths of the middleware, the outermost first."""
        if isinstance(self._middleware, bool):
            return tuple(settings.MIDDLEWARE) if self._middleware else ()
        return tuple(self._middleware)

    def __bool__(self) -> bool:
        return bool(self._middleware)


def middleware_of(dependant: Dependant) -> DjangoMiddleware | None:
    """Return the mark of the route that `dependant` belongs to, if Django's middleware runs."""
    return nearest(dependant, DjangoMiddleware) or None


def without_django_wrapper(endpoint: Any) -> Any:
    """Return what `@csrf_exempt` was put on, for FastAPI to call.

    Django's wrapper only marks a view, but calls it with a request that an endpoint need not
    have as a parameter.
    """
    defined_in = getattr(endpoint, "__globals__", {}).get("__name__")
    return endpoint.__wrapped__ if defined_in == csrf.__name__ else endpoint


class Chain:
    """The middleware of a list, ready to be called.

    With `on_loop`, middleware that can be asynchronous is, because the route is. Raises
    `ImportError` or `ImproperlyConfigured` if the list is wrong.
    """

    def __init__(self, paths: Sequence[str], *, on_loop: bool) -> None:
        self.uses_loop = False
        """Some middleware runs on the event loop."""
        self._on_loop = on_loop
        self._process_view: list[Any] = []
        self._process_exception: list[Any] = []
        layer: Layer = self._view
        for path in reversed(paths):
            layer = self._layer(path, layer)
        self.outermost = layer

    def _layer(self, path: str, inner: Layer) -> Layer:
        factory = import_string(path)
        is_async = self._is_async(path, factory)
        try:
            instance = factory(_awaited(inner) if is_async else _called(inner))
        except MiddlewareNotUsed:
            return inner
        if instance is None:
            raise ImproperlyConfigured(f"Middleware factory '{path}' returned None.")
        if isinstance(instance, CommonMiddleware):
            # The path is that of a FastAPI route: no other of Django's, with a slash, is meant.
            instance.should_redirect_with_slash = _never  # type: ignore[method-assign]
        if process_view := getattr(instance, "process_view", None):
            self._process_view.insert(0, process_view)
        if process_exception := getattr(instance, "process_exception", None):
            self._process_exception.append(process_exception)
        if is_async:
            self.uses_loop = True
            return _asynchronous(instance)
        return _in_phases(instance, inner) if _has_phases(instance) else _synchronous(instance)

    def _is_async(self, path: str, factory: Any) -> bool:
        can_sync = getattr(factory, "sync_capable", True)
        can_async = getattr(factory, "async_capable", False)
        if not can_sync and not can_async:
            raise ImproperlyConfigured(
                f"Middleware '{path}' must have at least one of sync_capable and async_capable "
                "set to True."
            )
        # One with a part before and a part after need not be asynchronous.
        is_mixin = isclass(factory) and issubclass(factory, MiddlewareMixin)
        return not can_sync or (can_async and self._on_loop and not is_mixin)

    async def _view(self, request: Any) -> Any:
        """Call what stands inside of all middleware: its hooks, and FastAPI's route."""
        call: _Call = request.call
        try:
            for process_view in self._process_view:
                response = await _run(
                    process_view, request, call.binding.endpoint, (), call.path_params
                )
                if response:
                    return await _rendered(response)
        except Exception as error:
            return await call.answer(error, request)
        try:
            return await call.respond(request)
        except Exception as error:
            for process_exception in self._process_exception:
                response = await _run(process_exception, request, error)
                if response:
                    return await _rendered(response)
            return call.fail(error)


def _never(request: Any) -> bool:
    return False


def _awaited(inner: Layer) -> Layer:
    async def get_response(request: Any) -> Any:
        response = await inner(request)
        await to_loop()
        return response

    return get_response


def _called(inner: Layer) -> Callable[[Any], Any]:
    def get_response(request: Any) -> Any:
        return await_from_sync(inner(request))  # type: ignore[arg-type]

    return get_response


def _has_phases(instance: Any) -> bool:
    cls = type(instance)
    return isinstance(instance, MiddlewareMixin) and cls.__call__ is MiddlewareMixin.__call__


def _in_phases(instance: Any, inner: Layer) -> Layer:
    """Return what does the same as calling `instance`, without being on the stack meanwhile."""
    process_request = getattr(instance, "process_request", None)
    process_response = getattr(instance, "process_response", None)

    async def layer(request: Any) -> Any:
        try:
            response = None
            if process_request is not None:
                if not in_worker():
                    await to_worker()
                response = process_request(request)
            response = response or await inner(request)
            if process_response is not None:
                if not in_worker():
                    await to_worker()
                response = process_response(request, response)
        except Exception as error:
            return await request.call.answer(error, request)
        return response

    return layer


def _synchronous(instance: Any) -> Layer:
    async def layer(request: Any) -> Any:
        try:
            await to_worker()
            return instance(request)
        except Exception as error:
            return await request.call.answer(error, request)

    return layer


def _asynchronous(instance: Any) -> Layer:
    async def layer(request: Any) -> Any:
        try:
            await to_loop()
            return await instance(request)
        except Exception as error:
            return await request.call.answer(error, request)

    return layer


async def _run(function: Callable[..., Any], *args: Any) -> Any:
    """Return what `function` returns in the worker, or on the event loop if it is `async`."""
    if iscoroutinefunction(function):
        await to_loop()
        return await function(*args)
    await to_worker()
    return function(*args)


async def _rendered(response: Any) -> Any:
    if callable(getattr(response, "render", None)):
        await to_worker()
        return response.render()
    return response


_chains: dict[tuple[tuple[str, ...], bool], Chain] = {}


@receiver(setting_changed)
def _forget_chains(**kwargs: Any) -> None:
    """Have middleware read its settings anew, when a test has changed them."""
    _chains.clear()


@dataclass(frozen=True, slots=True)
class MiddlewareBinding:
    """The middleware around one route."""

    middleware: DjangoMiddleware
    endpoint: Callable[..., Any]
    path: str
    name: str

    async def chain(self, scope: Any, *, on_loop: bool) -> Chain:
        """Return the chain, which the first request makes, in a worker."""
        key = (self.middleware.paths, on_loop)
        chain = _chains.get(key)
        if chain is None:
            execution = Execution(scope)
            try:
                made = await execution.run(lambda: Chain(key[0], on_loop=on_loop))
            finally:
                cancelled = await execution.aclose()
            if cancelled is not None:
                raise cancelled
            chain = _chains.setdefault(key, made)
        return chain

    def resolver_match(self, path_params: dict[str, Any]) -> ResolverMatch:
        """Return what Django's URL resolver would have found."""
        return ResolverMatch(self.endpoint, (), path_params, self.name, route=self.path)


class MiddlewareExecution(Execution):
    """The execution of a request with middleware around it, `chain` around `around`."""

    keeps_session = False  # where it is cancelled, middleware sees no response

    def __init__(
        self, binding: MiddlewareBinding, chain: Chain, scope: Any, **options: Any
    ) -> None:
        super().__init__(scope, **options)
        self._binding = binding
        self._chain = chain
        self._request: RouteRequest | None = None
        self._made: HttpResponseBase | None = None

    async def respond(self, request: Request, respond: Respond) -> Response:
        """Return what the middleware makes of what `respond` returns or raises."""
        await to_worker()
        try:
            django = self._request = RouteRequest(request, self._binding.resolver_match)
        except (BadRequest, ValueError, LookupError):  # the last two from Django before 6.1
            return Response(status_code=400)
        call = django.call = _Call(self._binding, request, respond)
        try:
            final = await self._chain.outermost(django)
        finally:
            del django.call
        self.keeps_session = not has_new_body(final)
        response = call.response(final)
        if has_new_body(final) and final.is_async and isinstance(response, StreamingResponse):
            response.body_iterator = to_its_end(response.body_iterator, self)
        if has_new_body(final) or not call.is_fastapi_s(final):
            set_handler_class(final, type(self))
            self._made = final
        return response

    def end(self) -> None:
        if self._request is not None:
            request_signals.log_errors(self._request.close)
        if self._made is None:
            super().end()
        else:
            # Closes the body that middleware has made, too, and sends `request_finished`.
            close(self._made)


class _Call:
    """One request on its way through the chain."""

    __slots__ = ("_converted", "_failed", "_failure", "_request", "_respond", "binding")

    def __init__(self, binding: MiddlewareBinding, request: Request, respond: Respond) -> None:
        self.binding = binding
        self._request = request
        self._respond = respond
        self._converted: ConvertedResponse | None = None
        self._failure: Exception | None = None
        self._failed: HttpResponse | None = None

    @property
    def path_params(self) -> dict[str, Any]:
        return self._request.path_params

    async def respond(self, django: RouteRequest) -> HttpResponseBase:
        """Return FastAPI's response; raise an exception that the application has no answer to."""
        for name in ("user", "session"):
            if name in vars(django):
                self._request.scope.setdefault(name, vars(django)[name])
        try:
            response = await self._respond()
        except Exception as error:
            handled = await self._handled(error)
            if handled is None:
                raise
            response = handled
        self._converted = to_django(response)
        return self._converted.django

    async def answer(self, error: Exception, django: RouteRequest) -> HttpResponseBase:
        """Return what is answered to `error`, raised by middleware."""
        handled = await self._handled(error)
        if handled is not None:
            self._converted = to_django(handled)
            return self._converted.django
        if isinstance(error, _DJANGO_ANSWERS):
            await to_worker()
            return response_for_exception(django, error)
        return self.fail(error)

    def fail(self, error: Exception) -> HttpResponse:
        """Return a response for the middleware to see; `error` is raised outside of it."""
        self._failure = error
        self._failed = HttpResponse(status=500)
        return self._failed

    async def _handled(self, error: Exception) -> Response | None:
        handler = exception_handler(self._request.scope, error)
        if handler is None:
            return None
        await to_worker()
        response = handler(self._request, error)
        if isawaitable(response):
            if not getattr(handler, "__module__", "").startswith(_NEVER_WAIT):
                await to_loop()
            response = await response
        return response  # type: ignore[no-any-return]

    def response(self, final: HttpResponseBase) -> Response:
        """Return what is to be sent after the outermost middleware has returned `final`."""
        failure, self._failure = self._failure, None
        if failure is not None:
            if final is self._failed:
                raise failure
            logger.error("Answered by middleware: %s", self._request.url.path, exc_info=failure)
        return from_django(final) if self._converted is None else self._converted.back(final)

    def is_fastapi_s(self, final: HttpResponseBase) -> bool:
        """Return whether `final` was made of FastAPI's response."""
        return self._converted is not None and final is self._converted.django
