"""All values that a client has sent in a request, with their locations."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from fastapi import Request

from django_mullet._compat.starlette import body_so_far, form_so_far
from django_mullet.dependencies.adaptation import below

__all__ = ["has_unread_body", "sent_json", "sent_texts", "sent_values"]

Place = tuple[str | int, ...]
"""As FastAPI writes `loc`."""


def sent_values(request: Request) -> Iterator[tuple[Place, Any]]:
    """Yield what the client has chosen for the route, each value with its place.

    Path, query, the headers and cookies that the route asks for, and what was read of the body.
    """
    yield from _named("path", request.path_params.items())
    yield from _named("query", request.query_params.multi_items())
    for place, value in _headers(request):
        if place in _asked_for(request):
            yield place, value
    yield from _in_body(request)


def sent_texts(request: Request) -> Iterator[tuple[Place, str]]:
    """Yield every text that the client has sent, with its location."""
    yield from _named("path", _as_texts(request.path_params.items()))
    yield from _named("query", request.query_params.multi_items())
    yield from _headers(request)
    yield ("header", "authorization"), _credentials(request)
    for place, value in _in_body(request):
        if isinstance(value, str):
            yield place, value
        for key in place[1:]:  # which may be stored, too
            yield place, str(key)


def sent_json(request: Request) -> Any:
    """Return what was read of the body, if that is JSON."""
    try:
        return json.loads(body_so_far(request) or "null")
    except (ValueError, RecursionError):
        return None


def has_unread_body(request: Request) -> bool:
    """Return whether the request has a body of which it is not known what was in it."""
    headers = request.headers
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    return has_body and body_so_far(request) is None and form_so_far(request) is None


def _named(source: str, items: Any) -> Iterator[tuple[Place, Any]]:
    for name, value in items:
        yield (source, name), value


def _as_texts(items: Any) -> Iterator[tuple[str, str]]:
    for name, value in items:
        yield name, str(value)


def _headers(request: Request) -> Iterator[tuple[Place, str]]:
    yield from _named("cookie", request.cookies.items())
    yield from _named("header", request.headers.items())


def _asked_for(request: Request) -> set[Place]:
    dependant = getattr(request.scope.get("route"), "dependant", None)
    if dependant is None:
        return set()
    found: set[Place] = set()
    for each in (dependant, *below(dependant)):
        found.update(("cookie", param.alias) for param in each.cookie_params)
        found.update(("header", param.alias.lower()) for param in each.header_params)
    return found


def _credentials(request: Request) -> str:
    """Return the user and the password of HTTP Basic (RFC 7617), if there are any."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(encoded).decode("utf-8", errors="replace")
    except ValueError:
        return ""


def _in_body(request: Request) -> Iterator[tuple[Place, Any]]:
    form = form_so_far(request)
    if form is not None:
        yield from _named("body", form.multi_items())
    elif (found := sent_json(request)) is not None:
        yield from _leaves(found)


def _leaves(found: Any) -> Iterator[tuple[Place, Any]]:
    """Yield what lists and objects hold in the end, and an object's keys with it."""
    rest: list[tuple[Place, Any]] = [(("body",), found)]
    while rest:
        place, value = rest.pop()
        if isinstance(value, dict):
            rest += [((*place, key), item) for key, item in reversed(value.items())]
        elif isinstance(value, list):
            rest += [((*place, index), item) for index, item in reversed([*enumerate(value)])]
        else:
            yield place, value
