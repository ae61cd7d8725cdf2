"""One ASGI application of two: FastAPI's routes first, and Django for every other path.

FastAPI answers what it has a route for, in every way it does: 405, a redirect to the path with
the slash, WebSockets, lifespan. `mount_django(app)` gives everything else to Django: the admin,
static files while developing, every other view, and Django's 404. Only below a path that FastAPI
owns, as `/api`, does FastAPI answer 404, unless Django has a view there.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager, closing
from functools import partial
from typing import Any, ClassVar, cast
from urllib.parse import urlparse
from urllib.request import url2pathname

from asgiref.sync import iscoroutinefunction
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.views import serve
from django.core import signals
from django.core.exceptions import ImproperlyConfigured, RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import Resolver404, resolve
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from django_mullet._compat.django import set_handler_class
from django_mullet.error_handling import handlers
from django_mullet.error_handling.service_unavailable import unavailable_response
from django_mullet.exceptions import Overloaded
from django_mullet.execution.execution import Execution, Habits
from django_mullet.execution.workers import pool
from django_mullet.middleware.response import close
from django_mullet.openapi.components import install_component_names
from django_mullet.routing.redirects import RelativeRedirects
from django_mullet.streaming.bodies import stream, to_its_end
from django_mullet.streaming.delayed_headers import ASYNC_VIEW_DELAY, DelayedHeaders
from django_mullet.urls import is_api_view

__all__ = ["SERVE_STATIC", "DjangoHandler", "is_mounted", "mount_django"]

SERVE_STATIC = "mullet.serve_static"
"""Key of the scope by which a server says whether Django serves static files; else `DEBUG` does."""


MAX_HABITS = 256
"""First segments of paths that are told apart; clients can make up more."""


def mount_django(app: FastAPI) -> None:
    """Have `app` serve the Django project where it has no route of its own.

    Call it once, after `django.setup()`. Also answers 422, and not 500, to input that FastAPI's
    own answer cannot repeat (see `exception_handlers`), and ends the worker threads, which closes
    their connections, when the server shuts down. Raises `ImproperlyConfigured` if Django is not
    set up, lacks `django_mullet` in its `INSTALLED_APPS`, or is mounted already.
    """
    if not isinstance(app, FastAPI):
        raise TypeError(f"mount_django() takes the FastAPI instance, not '{type(app).__name__}'.")
    if not apps.ready:
        raise ImproperlyConfigured(
            "Django is not set up: call 'django.setup()' before 'mount_django(app)' and before "
            "you import models."
        )
    if not apps.is_installed("django_mullet"):
        raise ImproperlyConfigured(
            "mount_django() needs 'django_mullet' in INSTALLED_APPS, before "
            "'django.contrib.staticfiles'."
        )
    if is_mounted(app):
        raise ImproperlyConfigured("Django is mounted already: call 'mount_django(app)' once.")
    handlers.install_exception_handlers(app)
    install_component_names(app)
    app.router.middleware_stack = RelativeRedirects(app.router.middleware_stack)
    app.router.default = _Fallback(app, otherwise=app.router.default)
    app.router.lifespan_context = _ending_workers(app.router.lifespan_context)


def is_mounted(app: FastAPI) -> bool:
    """Return whether `mount_django(app)` was called."""
    return isinstance(app.router.default, _Fallback)


def _ending_workers(lifespan_context: Any) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[Any]:
        try:
            async with lifespan_context(app) as state:
                yield state
        finally:
            await asyncio.to_thread(pool.stop)

    return lifespan


class _Fallback:
    """What the router of `app` calls when no route matches."""

    def __init__(self, app: FastAPI, otherwise: ASGIApp) -> None:
        self._app = app
        self._otherwise = otherwise
        self._django = DjangoHandler()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_for_django(scope):
            await self._handler()(scope, receive, send)
        else:
            await self._otherwise(scope, receive, send)

    def _is_for_django(self, scope: Scope) -> bool:
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        return _first_segment(path) not in self._owned_segments() or _has_django_view(path)

    def _owned_segments(self) -> set[str]:
        paths = (context.path or "" for context in iter_route_contexts(self._app.routes))
        return {_first_segment(path) for path in paths} - {""}

    def _handler(self) -> "DjangoHandler":
        if self._django.middleware != settings.MIDDLEWARE:  # overridden in a test
            self._django = DjangoHandler()
        return self._django


def _first_segment(path: str) -> str:
    segment = path.lstrip("/").partition("/")[0]
    return "" if segment.startswith("{") else segment


def _has_django_view(path: str) -> bool:
    try:
        return not is_api_view(resolve(path).func)
    except Resolver404:
        return False


class DjangoHandler(ASGIHandler):
    """Django's ASGI handler, but for where it runs.

    Middleware and view run synchronously, in one hop to a worker thread, on a connection
    that persists as `CONN_MAX_AGE` says. Django's own starts a thread for each request and
    connects anew in it (ticket 33497).

    Around an asynchronous view the middleware runs in its asynchronous form, so that no worker
    waits while a view does that has not queried: view and middleware run on the event loop, and
    in a worker whatever is synchronous.
    """

    _asynchronous: "_AsynchronousHandler | None" = None
    _habits: ClassVar[dict[str, Habits]] = {}

    def __init__(self) -> None:
        BaseHandler.__init__(self)
        self.middleware = list(settings.MIDDLEWARE)
        self.load_middleware(is_async=False)
        self._serve_static = convert_exception_to_response(_serve_static)

    def _habits_of(self, path: str) -> Habits:
        """Return those of the views below the first segment of `path`, as far as they are few."""
        segment = _first_segment(path)
        if segment not in self._habits and len(self._habits) >= MAX_HABITS:
            segment = ""
        return self._habits.setdefault(segment, Habits())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one HTTP request, unless the client leaves before."""
        if scope["type"] != "http":
            raise ValueError(f"Django can only handle ASGI/HTTP connections, not {scope['type']}.")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with closing(body):
            execution = _DjangoExecution(scope, type(self), self._habits_of(scope["path"]))
            leave = execution.enter(takes_orm=True)
            delayed = DelayedHeaders(send, execution)
            try:
                async with self._until_client_leaves(receive):
                    await self._answer(scope, body, execution, delayed, send)
            except Overloaded as error:
                unavailable = unavailable_response(error, execution)
                if delayed.has_sent:
                    raise
                await unavailable(scope, receive, send)
            finally:
                delayed.give_up()
                leave()
                await execution.aclose(waits=True)  # what reads the body, above all

    @asynccontextmanager
    async def _until_client_leaves(self, receive: Any) -> AsyncIterator[None]:
        """Cancel the block, and go on after it, when the client leaves."""
        try:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self.listen_for_disconnect(receive))
                yield
                listening.cancel()
        except BaseExceptionGroup as errors:
            # Of what the client's leaving brings about, only what is new is an error.
            unexpected = [e for e in errors.exceptions if not isinstance(e, RequestAborted)]
            if unexpected:
                raise unexpected[0] from None

    async def _answer(
        self, scope: Any, body: Any, execution: "_DjangoExecution", delayed: Any, send: Any
    ) -> None:
        answer = await execution.run(partial(self._respond, scope, body, execution))
        if isinstance(answer, HttpRequest):
            chain = cast("_AsynchronousHandler", self._asynchronous)
            answer = self._prepare(await chain.get_response_async(answer), execution)
            await execution.run(partial(_release_worker, answer, execution))
        if not isinstance(answer, StreamingHttpResponse):
            await self.send_response(answer, send)
            return
        execution.become_lasting()
        if answer.is_async:
            delayed.delay = ASYNC_VIEW_DELAY
        answer.streaming_content = pieces = _within(execution, answer)
        async with aclosing(pieces):
            await self.send_response(answer, delayed)

    def _respond(
        self, scope: Any, body: Any, execution: "_DjangoExecution"
    ) -> HttpResponseBase | HttpRequest:
        """In the worker: answer, and unless the body is still to be made, finish.

        Return the request if the event loop has to answer it: its view is asynchronous.
        """
        signals.request_started.send(sender=type(self), scope=scope)
        request, refusal = self.create_request(scope, body)
        if request is None:
            response = cast("HttpResponseBase", refusal)
        elif _is_static(scope):
            response = cast("HttpResponseBase", self._serve_static(request))
        elif _has_asynchronous_view(request):
            if self._asynchronous is None:
                self._asynchronous = _AsynchronousHandler()
            return request
        else:
            response = self.get_response(request)
        self._prepare(response, execution)
        _release_worker(response, execution)
        return response

    def _prepare(
        self, response: HttpResponseBase, execution: "_DjangoExecution"
    ) -> HttpResponseBase:
        set_handler_class(response, type(self))
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        execution.response = response
        # What middleware has put around a body it may reset the session in: see `streaming`.
        execution.keeps_session = not response.streaming or _is_file(response)
        return response


def _release_worker(response: HttpResponseBase, execution: "_DjangoExecution") -> None:
    """In the worker: give up what sending `response`, as slowly as its client reads, needs not."""
    if not response.streaming:
        execution.finish()
    elif _is_file(response):
        # Its body queries nothing. Closing it, when it has been sent, ends the request.
        execution.give_up_connections()


def _is_file(response: HttpResponseBase) -> bool:
    """Return whether the body of `response` is a file, around which nobody has put another."""
    return isinstance(response, FileResponse) and response.file_to_stream is not None


def _within(execution: Execution, response: StreamingHttpResponse) -> AsyncGenerator[bytes, None]:
    """Return the body of `response`, as it is made within `execution`."""
    if response.is_async:
        return to_its_end(cast("AsyncIterator[bytes]", response.streaming_content), execution)
    return stream(cast("Iterable[bytes]", response.streaming_content), execution)


class _AsynchronousHandler(BaseHandler):
    """The middleware in its asynchronous form, and the views."""

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware(is_async=True)


class _DjangoExecution(Execution):
    """The handler begins Django's request itself, and closing the response ends it."""

    response: HttpResponseBase | None = None
    keeps_session = False  # where it is cancelled, middleware sees no response

    def __init__(self, scope: Any, sender: type, habits: Habits) -> None:
        super().__init__(scope, habits=habits)
        self._sender = sender

    def start(self) -> None:
        pass

    def end(self) -> None:
        if self.response is not None:
            close(self.response)
        else:  # the client left before there was one
            signals.request_finished.send_robust(sender=self._sender)


def _has_asynchronous_view(request: HttpRequest) -> bool:
    """Return whether the URLconf, before middleware has a say in it, names an `async def` view."""
    try:
        match = resolve(request.path_info, getattr(request, "urlconf", None))
    except Resolver404:
        return False
    return iscoroutinefunction(match.func)


def _is_static(scope: Any) -> bool:
    """Return whether the path is that of a static file which Django serves: while developing."""
    if not scope.get(SERVE_STATIC, settings.DEBUG):
        return False
    if not apps.is_installed("django.contrib.staticfiles"):
        return False
    url = urlparse(settings.STATIC_URL)
    return not url.netloc and bool(url.path) and scope["path"].startswith(url.path)


def _serve_static(request: HttpRequest) -> HttpResponseBase:
    path = request.path.removeprefix(urlparse(settings.STATIC_URL).path)
    return serve(request, url2pathname(path))
