"""The check of a WebSocket's `Origin` header against cross-site hijacking.

A browser lets every page open a WebSocket to every host, and sends the host's cookies with it: no
CORS, and no CSRF token, stands in between (RFC 6455, section 10.2). It says whose page it is, in
`Origin`. What Django trusts for forms is trusted here: the host of the request itself, and
`CSRF_TRUSTED_ORIGINS`. Who is no browser sends no `Origin`, and has no cookies of others.
"""

import io
import logging
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest, DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.utils.http import is_same_domain
from starlette.datastructures import Headers
from starlette.status import WS_1008_POLICY_VIOLATION
from starlette.types import Scope
from starlette.websockets import WebSocketClose

__all__ = ["FORBIDDEN", "is_foreign"]

FORBIDDEN = WebSocketClose(WS_1008_POLICY_VIOLATION, "The origin is not trusted.")
"""Answers a handshake, as an ASGI application; servers make 403 of it."""

_PORTS = {"http": 80, "https": 443}

logger = logging.getLogger("django.security.csrf")


def is_foreign(scope: Scope) -> bool:
    """Return whether a page of another origin opens the WebSocket; the log says which."""
    origins = Headers(scope=scope).getlist("origin")
    if not origins or (len(origins) == 1 and _is_trusted(origins[0], scope)):
        return False
    logger.warning(
        "Forbidden (Origin %s is neither the host nor in CSRF_TRUSTED_ORIGINS): %s",
        ", ".join(origins),
        scope["path"],
    )
    return True


def _is_trusted(text: str, scope: Scope) -> bool:
    if text in settings.CSRF_TRUSTED_ORIGINS:
        return True
    origin = _split(text)
    if origin is None:
        return False
    return _is_host(origin, scope) or any(
        origin.scheme == trusted.scheme and is_same_domain(origin.netloc, trusted.netloc[1:])
        for trusted in map(urlsplit, settings.CSRF_TRUSTED_ORIGINS)
        if trusted.netloc.startswith("*.")
    )


def _split(text: str) -> SplitResult | None:
    try:
        origin = urlsplit(text)
        _ = origin.port  # which is looked at only now
    except ValueError:
        return None
    return origin if origin.scheme in _PORTS and origin.hostname else None


def _is_host(origin: SplitResult, scope: Scope) -> bool:
    """Return whether `origin` is the host that was asked, if that is one of `ALLOWED_HOSTS`.

    Whether by TLS or not, as it is a proxy that may know it.
    """
    try:
        host = _split(f"{origin.scheme}://{_request(scope).get_host()}")
    except (BadRequest, DisallowedHost, ValueError, LookupError):  # the last two before Django 6.1
        return False
    return host is not None and _address(host) == _address(origin)


def _request(scope: Scope) -> ASGIRequest:
    as_http: dict[str, Any] = {**scope, "method": "GET"}
    return ASGIRequest(as_http, io.BytesIO())


def _address(origin: SplitResult) -> tuple[str | None, int]:
    return origin.hostname, origin.port or _PORTS[origin.scheme]
