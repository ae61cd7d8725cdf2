"""Redirects that add or remove a trailing slash, made relative to the mount point.

FastAPI makes it before any middleware of Django's runs, and writes the request's `Host` into it.
That may be anybody's: what a cache keeps of it, it gives to others. So the redirect is made to name
the path alone, as those of Django's `CommonMiddleware` do.
"""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any
from urllib.parse import quote

from django.utils.http import escape_leading_slashes
from starlette.datastructures import URL
from starlette.responses import RedirectResponse
from starlette.status import HTTP_307_TEMPORARY_REDIRECT
from starlette.types import Message, Receive, Scope, Send

__all__ = ["RelativeRedirects"]

_Router = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]

_SAFE = "/!$&'()*+,;=:@~"
"""What a path may hold as it is (RFC 3986, section 3.3)."""


class RelativeRedirects:
    """An ASGI application around a router, the slash redirects of which name no host."""

    def __init__(self, app: _Router) -> None:
        self._app = app

    # Every message of every response passes: no coroutine is made around those of others.

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
        """Run the router."""
        if scope["type"] != "http":
            return self._app(scope, receive, send)

        prefix: str = scope.get("root_path", "")  # before a mounted application adds to it

        def send_relative(message: Message) -> Awaitable[None]:
            if message.get("status") == HTTP_307_TEMPORARY_REDIRECT:
                headers = list(_relative(scope, prefix.rstrip("/"), message["headers"]))
                message = {**message, "headers": headers}
            return send(message)

        return self._app(scope, receive, send_relative)


def _relative(
    scope: Scope, prefix: str, headers: Iterable[tuple[bytes, bytes]]
) -> Iterable[tuple[bytes, bytes]]:
    path = scope["path"]
    path = path.rstrip("/") if path.endswith("/") else f"{path}/"
    absolute = RedirectResponse(str(URL(scope={**scope, "path": path}))).headers["location"]
    for name, value in headers:
        if name == b"location" and value == absolute.encode("latin-1"):
            # Some servers leave the prefix out of the path.
            below = path if path.startswith(f"{prefix}/") else f"{prefix}{path}"
            yield name, _location(below, scope["query_string"])
        else:
            yield name, value


def _location(path: str, query: bytes) -> bytes:
    # "//host/" would lead to another host.
    location = escape_leading_slashes(quote(path, safe=_SAFE)).encode()
    return location + b"?" + query if query else location
