"""URL patterns for the FastAPI routes, for `reverse()` and Django's request handlers.

`path("", include("django_mullet.urls"))` in the project's URLconf gives every HTTP route a URL
pattern, so that `reverse()`, `{% url %}` and `django.test.Client` know both worlds. In production
the ASGI application answers these paths itself; the view below serves those who come through
Django: its test clients and a WSGI deployment.

Limits:

* Where routes share a name and its parameters, the name stands for the first, as in FastAPI's
  `url_path_for()`. A Django pattern of the same name wins if it comes later in the URLconf.
* Routes added to the application are noticed when Django next resolves a path, and routes added
  to a router that the application already includes only before the patterns are first used.
* Django cannot reverse a path with a literal `%`: such a route is served, but has no name.
* The view collects the whole response before it returns it. The application's lifespan does not
  run, and WebSockets and mounted applications have no patterns.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.cookies import Morsel, SimpleCookie
from typing import Any, Never, cast, overload
from wsgiref.util import is_hop_by_hop

from django.contrib.auth.decorators import login_not_required
from django.core.checks import CheckMessage
from django.core.handlers.asgi import ASGIRequest
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse, RawPostDataException
from django.urls import URLPattern, clear_url_caches, re_path
from django.utils.encoding import escape_uri_path
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.convertors import Convertor
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Scope

from django_mullet._compat.django import passes_csrf_checks
from django_mullet.applications import get_application
from django_mullet.middleware.request import PASSES_CSRF

__all__ = ["RoutePatterns", "api_view", "is_api_view", "urlpatterns"]

BODY_CHUNK_SIZE = 64 * 1024  # bytes


@csrf_exempt
@login_not_required
async def api_view(request: HttpRequest, **path_params: str) -> HttpResponse:
    """Answer a Django request by running the FastAPI application.

    The application routes the request itself, by its path. An exception that the application lets
    through is Django's to handle, as one of a Django view is.
    """
    messages = AsgiMessages(request)
    await get_application()(build_scope(request), messages.receive, messages.send)
    return messages.build_response()


def is_api_view(callback: Callable[..., Any]) -> bool:
    """Tell whether a view stands for FastAPI routes: `is_api_view(resolve("/api/items").func)`."""
    return callback is api_view


class RoutePatterns(Sequence[URLPattern]):
    """One URL pattern per HTTP route of the FastAPI application, built when first used.

    Neither a list nor a tuple: `include()` iterates over those at once, when the module of the
    application may be half imported, as its routers may import what imports the URLconf.
    """

    def __init__(self) -> None:
        self._built: BuiltPatterns | None = None

    @overload
    def __getitem__(self, index: int) -> URLPattern: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[URLPattern]: ...
    def __getitem__(self, index: int | slice) -> URLPattern | Sequence[URLPattern]:
        return self._current()[index]

    def __len__(self) -> int:
        return len(self._current())

    def __iter__(self) -> Iterator[URLPattern]:
        return iter(self._current_or_unavailable())

    def __reversed__(self) -> Iterator[URLPattern]:
        return reversed(self._current_or_unavailable())

    def _current_or_unavailable(self) -> tuple[URLPattern, ...]:
        try:
            return self._current()
        except Exception as error:
            return (cast("URLPattern", UnavailableRoutes(error)),)

    def _current(self) -> tuple[URLPattern, ...]:
        app = get_application()
        built = self._built
        if built is not None and built.is_current(app):
            return built.patterns
        self._built = BuiltPatterns.from_application(app)
        if built is not None:
            clear_url_caches()  # reverse() looks names up in the root resolver's copy
        return self._built.patterns


@dataclass(frozen=True, slots=True)
class UnavailableRoutes:
    """Stands for the routes of an application that cannot be loaded.

    Django's own URL checks pass over it, so that `manage.py check` comes to report
    `mullet.E002`; who resolves or reverses gets the error.
    """

    error: Exception

    def check(self) -> list[CheckMessage]:
        """Return no message of its own."""
        return []

    def resolve(self, path: str) -> Never:
        """Raise the error."""
        raise self.error

    @property
    def pattern(self) -> Never:
        """Raise the error."""
        raise self.error


@dataclass(frozen=True, slots=True)
class BuiltPatterns:
    """The URL patterns of an application, and the routes they were built from."""

    app: FastAPI
    routes: tuple[BaseRoute, ...]
    patterns: tuple[URLPattern, ...]

    @classmethod
    def from_application(cls, app: FastAPI) -> "BuiltPatterns":
        return cls(app=app, routes=tuple(app.routes), patterns=tuple(build_patterns(app)))

    def is_current(self, app: FastAPI) -> bool:
        return app is self.app and tuple(app.routes) == self.routes


def build_patterns(app: FastAPI) -> Iterator[URLPattern]:
    """Yield a URL pattern for every HTTP route of the application, in its order."""
    for alias in connections:  # ATOMIC_REQUESTS is the business of the routes themselves
        transaction.non_atomic_requests(using=alias)(api_view)
    taken = set()
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, Route):
            name_and_params = (context.name, frozenset(context.param_convertors))
            reversible = name_and_params not in taken and "%" not in (context.path_format or "")
            taken.add(name_and_params)
            yield build_pattern(context, name=context.name if reversible else None)


def build_pattern(context: RouteContext, *, name: str | None) -> URLPattern:
    """Return the URL pattern that matches what the route matches, and reverses as it does."""
    regex = "^" + context.path_regex.pattern.removeprefix("^").removeprefix("/")
    url_pattern = re_path(regex, api_view, name=name)
    url_pattern.pattern.converters.update(
        {param: PathConverter(convertor) for param, convertor in context.param_convertors.items()}
    )
    return url_pattern


@dataclass(frozen=True, slots=True)
class PathConverter:
    """A Starlette path convertor as `reverse()` calls it."""

    convertor: Convertor[Any]

    def to_url(self, value: Any) -> str:
        """Return the value as a part of a path.

        Raises `ValueError` if it does not fit, at which Django goes on to the next pattern.
        """
        try:
            return self.convertor.to_string(value)
        except (AssertionError, AttributeError, TypeError) as error:
            raise ValueError(str(error)) from error


def build_scope(request: HttpRequest) -> Scope:
    """Return the request as an ASGI HTTP connection scope (ASGI HTTP specification 2.4)."""
    meta = request.META
    query_charset = "utf-8" if isinstance(request, ASGIRequest) else "latin-1"  # PEP 3333
    client, port = meta.get("REMOTE_ADDR"), str(meta["SERVER_PORT"])
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": meta.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": escape_uri_path(request.path).encode("ascii"),
        "root_path": meta.get("SCRIPT_NAME", "").rstrip("/"),
        "query_string": meta.get("QUERY_STRING", "").encode(query_charset),
        "headers": list(iter_headers(request)),
        "client": (client, int(meta.get("REMOTE_PORT") or 0)) if client else None,
        "server": (meta["SERVER_NAME"], int(port) if port.isdigit() else None),
        PASSES_CSRF: passes_csrf_checks(request),
    }


def iter_headers(request: HttpRequest) -> Iterator[tuple[bytes, bytes]]:
    """Yield the request's headers as ASGI wants them, with the host that Django has validated."""
    yield b"host", request.get_host().encode("latin-1")
    for name, value in request.headers.items():
        if value and name != "Host" and not is_hop_by_hop(name):
            yield name.lower().encode("latin-1"), value.encode("latin-1")


class AsgiMessages:
    """The ASGI messages that carry one Django request to an application, and its response back."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.body_started = self.body_received = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.response_sent = asyncio.Event()

    async def receive(self) -> Message:
        """Return a piece of the request's body or, after the response, that the client has gone.

        Raises `RawPostDataException` if a Django middleware has read the body away.
        """
        if self.body_received:
            await self.response_sent.wait()
            return {"type": "http.disconnect"}
        chunk = self.request.read(BODY_CHUNK_SIZE)
        if (
            not chunk
            and not self.body_started
            and int(self.request.headers.get("Content-Length") or 0)
        ):
            raise RawPostDataException(
                "The body of this request was read before the FastAPI application got it: "
                "Django's middleware must not use 'request.POST' or 'request.FILES'."
            )
        self.body_started = True
        self.body_received = not chunk
        return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}

    async def send(self, message: Message) -> None:
        """Take in the start or the next piece of the response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        else:  # http.response.body: the scope offers no extensions
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                self.response_sent.set()

    def build_response(self) -> HttpResponse:
        """Return what the application has sent as a Django response."""
        response = HttpResponse(bytes(self.body), status=self.status)
        del response.headers["Content-Type"]
        for raw_name, raw_value in self.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            if name.lower() == "set-cookie":
                add_cookie(response.cookies, value)
            elif name in response.headers:
                response.headers[name] += f", {value}"  # RFC 9110, section 5.3
            elif not is_hop_by_hop(name):
                response.headers[name] = value
        return response


def add_cookie(cookies: SimpleCookie, header: str) -> None:
    """Add the cookie of one `Set-Cookie` header with its attributes (RFC 6265, section 5.2).

    `SimpleCookie.load()` would drop the whole cookie at the first attribute it does not know. Here
    only that attribute is lost, as `http.cookies` has no place for it.
    """
    pair, *attributes = header.split(";")
    name, _, coded_value = (part.strip() for part in pair.partition("="))
    value, coded_value = cookies.value_decode(coded_value)
    morsel: Morsel[str] = Morsel()
    morsel.set(name, value, coded_value)
    for attribute in attributes:
        key, separator, attribute_value = (part.strip() for part in attribute.partition("="))
        if morsel.isReservedKey(key):
            morsel[key] = attribute_value if separator else True
    cookies[name] = morsel


urlpatterns = RoutePatterns()
