"""Middleware of every kind that Django takes, for the tests to put around routes."""

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.exceptions import MiddlewareNotUsed, PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.utils.decorators import async_only_middleware, sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin
from fastapi import HTTPException

from django_mullet.execution.execution import current_execution
from django_mullet.execution.handoff import in_worker

GetResponse = Callable[[HttpRequest], Any]

noted: list[str] = []
variable: ContextVar[str] = ContextVar("variable", default="unset")


def here() -> str:
    return "worker" if in_worker() else "loop"


class Phases(MiddlewareMixin):
    """Has a part before and a part after."""

    def process_request(self, request: HttpRequest) -> None:
        noted.append(f"request {here()}")
        variable.set("middleware")

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        noted.append(f"view {view.__name__} {args} {kwargs}")

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        noted.append(f"exception {type(exception).__name__}")

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        noted.append(f"response {response.status_code} {here()}")
        response["X-Phases"] = variable.get()
        return response


def function(get_response: GetResponse) -> GetResponse:
    """Stands on the stack meanwhile."""

    def middleware(request: HttpRequest) -> Any:
        noted.append(f"before {here()}")
        response = get_response(request)
        noted.append(f"after {here()}")
        response["X-Function"] = variable.get()
        return response

    return middleware


def other_function(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> Any:
        try:
            return get_response(request)
        finally:
            noted.append("finally")

    return middleware


@sync_and_async_middleware
def either(get_response: GetResponse) -> Any:
    """Is asynchronous if it can be."""
    if iscoroutinefunction(get_response):

        async def middleware(request: HttpRequest) -> Any:
            noted.append(f"async before {here()}")
            response = await get_response(request)
            noted.append(f"async after {here()}")
            return response

        return middleware

    def sync_middleware(request: HttpRequest) -> Any:
        noted.append(f"sync before {here()}")
        response = get_response(request)
        noted.append(f"sync after {here()}")
        return response

    return sync_middleware


@async_only_middleware
class AsyncOnly:
    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[Any]]) -> None:
        self.get_response = get_response

    async def __call__(self, request: HttpRequest) -> Any:
        response = await self.get_response(request)
        response["X-Async"] = here()
        return response

    async def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        noted.append(f"async view {here()}")


@async_only_middleware
def thread(get_response: GetResponse) -> GetResponse:
    """Tells the thread of its synchronous calls, and whether that waits for the next of them."""

    async def middleware(request: HttpRequest) -> Any:
        response = await get_response(request)
        response["X-Is-Kept"] = current_execution.get().has_worker
        response["X-Thread"] = (await sync_to_async(threading.current_thread)()).name
        return response

    return middleware


def raising_function(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> Any:
        raise HTTPException(409, f"conflict {here()}")

    return middleware


@async_only_middleware
def raising_coroutine(get_response: GetResponse) -> GetResponse:
    async def middleware(request: HttpRequest) -> Any:
        raise HTTPException(409, f"conflict {here()}")

    return middleware


class OwnCall(MiddlewareMixin):
    """Derives from the mixin, and is called as a whole all the same."""

    def __call__(self, request: HttpRequest) -> Any:
        response = self.get_response(request)
        response["X-Own"] = here()
        return response


def not_used(get_response: GetResponse) -> GetResponse:
    raise MiddlewareNotUsed


def returns_none(get_response: GetResponse) -> None:
    return None


def neither(get_response: GetResponse) -> GetResponse:
    raise NotImplementedError


neither.sync_capable = neither.async_capable = False  # type: ignore[attr-defined]


class ShortCircuit(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> Any:
        response = HttpResponse("short", status=418)
        response.set_cookie("made", "here")
        return response


class ShortFile(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> Any:
        return FileResponse(Path(__file__).open("rb"))


class ShortView(MiddlewareMixin):
    def process_view(self, request: HttpRequest, *args: Any) -> Any:
        template = engines["django"].from_string("rendered {{ request.method }}")
        return TemplateResponse(request, template)  # type: ignore[arg-type]


class Raising(MiddlewareMixin):
    """Raises what the header says, before or after the view."""

    ERRORS = {
        "404": Http404("gone"),
        "403": PermissionDenied(),
        "http": HTTPException(409, "conflict"),
        "error": LookupError("middleware"),
    }

    def process_request(self, request: HttpRequest) -> None:
        if error := self.ERRORS.get(request.headers.get("X-Before", "")):
            raise error

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        if error := self.ERRORS.get(request.headers.get("X-View", "")):
            raise error

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if error := self.ERRORS.get(request.headers.get("X-After", "")):
            raise error
        return response


class Rescue(MiddlewareMixin):
    """Answers exceptions that nobody else does."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> Any:
        return HttpResponse(f"rescued {type(exception).__name__}", status=299)


class Replace(MiddlewareMixin):
    """Replaces every error response."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        return HttpResponse("replaced") if response.status_code >= 500 else response


class Upper(MiddlewareMixin):
    """Changes bodies, those of streams piece by piece."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if not response.streaming:
            response.content = response.content.upper() + b"!"
        elif response.is_async:
            response.streaming_content = self._later(response.streaming_content)
        else:
            response.streaming_content = self._pieces(response.streaming_content)
        response["Content-Encoding"] = "upper"
        return response

    def _pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            yield piece.upper()

    async def _later(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            yield piece.upper()


class Headers(MiddlewareMixin):
    """Deletes and changes headers and cookies."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        del response["X-Delete"]
        response["X-Change"] = "changed"
        with suppress(KeyError):
            del response.cookies["deleted"]
        for morsel in response.cookies.values():
            if morsel.key == "harden":
                morsel["secure"] = True
        return response


class ReadBody(MiddlewareMixin):
    """Looks at the body, before or after the view as the header says."""

    def process_request(self, request: HttpRequest) -> None:
        if "X-Before" in request.headers:
            noted.append(request.body.decode())

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        if "X-After" in request.headers:
            try:
                noted.append(request.body.decode())
            except OSError as error:
                noted.append(str(error))
        return response


def read_form(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> Any:
        try:
            noted.append(request.POST["name"])
        except OSError as error:
            noted.append(f"{type(error).__name__}: {error}")
        return get_response(request)

    return middleware


def count_users(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> Any:
        before = User.objects.count()
        response = get_response(request)
        response["X-Users"] = f"{before} {User.objects.count()}"
        return response

    return middleware


class ReadPieces(MiddlewareMixin):
    """Reads the body bit by bit."""

    def process_request(self, request: HttpRequest) -> None:
        noted.extend([request.read(2).decode(), request.readline().decode()])
        noted.extend(line.decode() for line in request)


class Streams(MiddlewareMixin):
    """Answers with a stream of its own."""

    def process_request(self, request: HttpRequest) -> Any:
        return StreamingHttpResponse(iter([b"a", b"b"]))
