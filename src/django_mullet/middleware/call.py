"""One request on its way through the middleware, and the answers to what is raised there."""

import logging
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.handlers.exception import response_for_exception
from django.http import Http404, HttpResponse, HttpResponseBase
from django.http.multipartparser import MultiPartParserError
from fastapi import Request, Response

from django_mullet._compat.starlette import exception_handler
from django_mullet.execution.handoff import to_loop, to_worker
from django_mullet.middleware.request import RouteRequest
from django_mullet.middleware.response import ConvertedResponse, from_django, to_django

__all__ = ["MiddlewareCall", "Respond"]

Respond = Callable[[], Awaitable[Response]]

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


class MiddlewareCall:
    """One request on its way through the chain."""

    __slots__ = ("_converted", "_failed", "_failure", "_request", "_respond", "endpoint")

    def __init__(self, endpoint: Callable[..., Any], request: Request, respond: Respond) -> None:
        self.endpoint = endpoint
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
