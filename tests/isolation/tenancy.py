"""How does code tell the database session whose request it is?"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.utils.deprecation import MiddlewareMixin
from fastapi import Header

__all__ = [
    "TenantMiddleware",
    "depend_on_tenant",
    "depend_on_tenant_and_reset",
    "reset_tenant",
    "set_tenant",
    "tenant_of_request",
    "tenant_set",
]

HEADER = "X-Tenant"


def set_tenant(name: str) -> None:
    """Have the rest of the session see the rows of `name` alone."""
    if settings.TENANCY.schemas:
        connection.set_schema(name)
    else:
        _configure(name)


def reset_tenant() -> None:
    """Have the rest of the session see no rows."""
    if settings.TENANCY.schemas:
        connection.set_schema_to_public()
    else:
        _configure("")


def _configure(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant', %s, false)", [name])


@contextmanager
def tenant_set(name: str) -> Iterator[None]:
    set_tenant(name)
    try:
        yield
    finally:
        reset_tenant()


def depend_on_tenant(x_tenant: Annotated[str, Header()]) -> None:
    set_tenant(x_tenant)


def depend_on_tenant_and_reset(x_tenant: Annotated[str, Header()]) -> Iterator[None]:
    with tenant_set(x_tenant):
        yield


def tenant_of_request(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware as Django's documentation writes it first: a function in a function."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        set_tenant(request.headers[HEADER])
        return _reset_after(get_response(request))

    return middleware


class TenantMiddleware(MiddlewareMixin):
    """The same in two methods."""

    def process_request(self, request: HttpRequest) -> None:
        set_tenant(request.headers[HEADER])

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return _reset_after(response)


def _reset_after(response: HttpResponseBase) -> HttpResponseBase:
    """Reset the tenant, but if there is a stream at its end, as Django says that one should."""
    if not isinstance(response, StreamingHttpResponse):
        reset_tenant()
    elif response.is_async:
        response.streaming_content = _apieces_and_reset(response.streaming_content)
    else:
        response.streaming_content = _pieces_and_reset(response.streaming_content)
    return response


def _pieces_and_reset(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        reset_tenant()


async def _apieces_and_reset(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    finally:
        await sync_to_async(reset_tenant)()
