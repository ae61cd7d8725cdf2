"""Django's `HttpRequest` for a FastAPI request: `DjangoRequest`.

Where a router has `django_middleware`, each request is an `HttpRequest` as well: with what the
middleware puts there, `user` and `session` for instance. `DjangoRequest` asks for it.
"""

import asyncio
import io
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.urls import ResolverMatch
from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from django_mullet._compat.django import let_pass_csrf_checks
from django_mullet._compat.starlette import replace_receive
from django_mullet.execution.handoff import await_from_sync, to_loop

__all__ = ["DjangoRequest", "django_request"]

PASSES_CSRF = "mullet.passes_csrf"
"""The key of the ASGI scope that says whether Django's test client wants no CSRF checks."""

_REQUEST = "mullet.request"
_FORM = "mullet.form"
_FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")
_CHUNK_SIZE = 2**16


async def django_request(request: Request) -> HttpRequest:
    """Dependency: the request as Django's middleware has it. Write it as `DjangoRequest`.

    Raises `ImproperlyConfigured` where no middleware of Django's runs.
    """
    found: HttpRequest | None = request.scope.get(_REQUEST)
    if found is None:
        raise ImproperlyConfigured(
            f"'{request.url.path}' asks for Django's request, but runs without Django's "
            "middleware: write 'APIRouter(django_middleware=True)'."
        )
    return found


django_request.never_waits = True  # type: ignore[attr-defined]

DjangoRequest = Annotated[HttpRequest, Depends(django_request)]
"""Django's request as a parameter's annotation: `def me(request: DjangoRequest) -> str`."""


class RouteRequest(ASGIRequest):
    """Django's request for a FastAPI route; it reads the body only when it is asked for it."""

    call: Any
    """The way of this request through the middleware, while it is under way."""
    _resolved: ResolverMatch | None

    def __init__(self, request: Request, match: Callable[[dict[str, Any]], ResolverMatch]) -> None:
        form: _Form | None = request.scope.get(_FORM)
        stream = _Body(request) if form is None else _Reader(form)
        # A copy: the two would else refer to each other, and wait for the garbage collector.
        super().__init__(dict(request.scope), cast("IO[bytes]", stream))
        self._match = match
        if request.scope.get(PASSES_CSRF):
            let_pass_csrf_checks(self)
        request.scope[_REQUEST] = self

    @property
    def resolver_match(self) -> ResolverMatch:
        """What Django's URL resolver would have found."""
        if self._resolved is None:
            self._resolved = self._match(self.scope["path_params"])
        return self._resolved

    @resolver_match.setter
    def resolver_match(self, value: Any) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._resolved = value


class _Body(io.RawIOBase):
    """The body of a request, which the event loop reads when a worker asks for it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._read: io.BytesIO | None = None

    def readinto(self, buffer: Any) -> int:
        return self._content().readinto(buffer)

    def _content(self) -> io.BytesIO:
        if self._read is None:
            if has_no_body(self._request):
                return io.BytesIO()
            _forbid_event_loop()
            self._read = io.BytesIO(await_from_sync(self._receive()))
        return self._read

    async def _receive(self) -> bytes:
        await to_loop()
        try:
            return await self._request.body()
        except (ClientDisconnect, RuntimeError) as error:  # or it was consumed as a stream
            raise OSError(str(error) or "The client has gone.") from error


def _forbid_event_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise SynchronousOnlyOperation(
        "Django's request cannot read the body in the event loop: use FastAPI's "
        "'await request.body()', or a 'def' function."
    )


class _Gone(ClientDisconnect, OSError):
    """The client did not send all of the body, for FastAPI and for Django."""


@dataclass(slots=True)
class _Form:
    """The body of a form, as far as it came."""

    file: IO[bytes]
    failure: Exception | None = None
    """Why there is no more."""


class _Reader(io.RawIOBase):
    """Reads a form that others read too, from a position of its own."""

    def __init__(self, form: _Form) -> None:
        self._form = form
        self._position = 0

    def readinto(self, buffer: Any) -> int:
        self._form.file.seek(self._position)
        piece = self._form.file.read(len(buffer))
        if len(piece) < len(buffer) and self._form.failure is not None:
            raise self._form.failure
        self._position += len(piece)
        buffer[: len(piece)] = piece
        return len(piece)


def has_form(request: Request) -> bool:
    """Return whether the body of `request` is a form, which Django would read in the worker."""
    content_type = request.headers.get("content-type", "")
    return content_type.lower().startswith(_FORM_TYPES)


def has_no_body(request: Request) -> bool:
    """Return whether the headers of `request` say that it has no body (RFC 9112, section 6.3)."""
    is_http_1 = request.scope.get("http_version", "").startswith("1")
    return is_http_1 and not {"content-length", "transfer-encoding"} & set(request.headers)


async def make_form_rereadable(request: Request, stack: AsyncExitStack) -> None:
    """Read the body of `request`, so that Django and FastAPI can both have it.

    A form is read before a worker is asked for: a slow client must not hold one.
    """
    if not has_form(request):
        return
    file = stack.enter_context(
        SpooledTemporaryFile(  # noqa: SIM115 - the stack closes it
            max_size=settings.FILE_UPLOAD_MAX_MEMORY_SIZE, dir=settings.FILE_UPLOAD_TEMP_DIR
        )
    )
    form = _Form(cast("IO[bytes]", file))
    receive = request.receive
    try:
        await _copy(request, form.file)
    except Exception as error:
        form.failure = error
    reader = _Reader(form)
    ended = False

    async def replay() -> Message:
        nonlocal ended
        if ended:
            return await receive()
        piece = reader.read(_CHUNK_SIZE)
        ended = not piece
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    request.scope[_FORM] = form
    replace_receive(request, replay)


async def _copy(request: Request, file: IO[bytes]) -> None:
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise _Gone("The client has gone.")
        piece = message.get("body", b"")
        size += len(piece)
        if size > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
            await run_in_threadpool(file.write, piece)
        else:
            file.write(piece)
        more = message.get("more_body", False)
