"""Django's ASGI handler, which runs views and middleware in the pool's worker threads."""

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
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import Resolver404, resolve

from django_mullet._compat.django import set_handler_class
from django_mullet.error_handling.service_unavailable import unavailable_response
from django_mullet.exceptions import Overloaded
from django_mullet.execution.execution import Execution, Habits
from django_mullet.middleware.response import close
from django_mullet.streaming.bodies import stream, to_its_end
from django_mullet.streaming.delayed_headers import ASYNC_VIEW_DELAY, DelayedHeaders

__all__ = ["SERVE_STATIC", "DjangoHandler", "first_segment"]

SERVE_STATIC = "mullet.serve_static"
"""Key of the scope by which a server says whether Django serves static files; else `DEBUG` does."""


MAX_HABITS = 256
"""First segments of paths that are told apart; clients can make up more."""


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
        segment = first_segment(path)
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


def first_segment(path: str) -> str:
    """Return what stands before the second slash of `path`, unless that is a parameter."""
    segment = path.lstrip("/").partition("/")[0]
    return "" if segment.startswith("{") else segment
