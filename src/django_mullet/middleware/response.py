"""Conversion between Starlette's responses and Django's.

Django's middleware sees a Django response with the body, the headers and the cookies of
FastAPI's. What it makes of them goes back into FastAPI's, which is the one that is sent.
Neither way copies a body, or takes a streamed one into memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import CookieError, Morsel, SimpleCookie
from os import PathLike
from pathlib import Path
from typing import Any, TypeGuard

from django.http import FileResponse as DjangoFileResponse
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from starlette.responses import FileResponse, Response, StreamingResponse

from django_mullet._compat.starlette import threaded_iterator

__all__ = ["ConvertedResponse", "close", "from_django", "has_new_body", "to_django"]

RawHeaders = list[tuple[bytes, bytes]]

_ABOUT_THE_BODY = {b"content-encoding", b"content-length", b"etag"}
_PIECE_SIZE = 2**16


@dataclass(slots=True)
class ConvertedResponse:
    """A response of FastAPI's, and what was made of it for Django."""

    response: Response
    django: "HttpResponse | _Streamed"
    repeated: dict[str, tuple[str, RawHeaders]]
    """Headers that FastAPI's has more than once, by name, with the value that Django sees."""
    cookies: dict[str, tuple[Morsel[str], bytes]]
    """The cookies that Django sees, as they were set."""
    more_cookies: RawHeaders
    """Those which Django's mapping has no place for."""

    def back(self, final: HttpResponseBase) -> Response:
        """Return what is to be sent when the middleware has made `final` of Django's."""
        response = self.response
        if final is not self.django:
            response = from_django(final)
            response.background = self.response.background
        elif isinstance(self.django, _Streamed):
            response = self._streamed(self.django)
        else:
            response.body = self.django.content
        raw = self._raw_headers(final)
        if isinstance(final, _Streamed) and final.changed and _sends_itself(response):
            # Its body is its own: so are the headers about it.
            raw = [pair for pair in raw if pair[0] not in _ABOUT_THE_BODY]
            raw += [pair for pair in response.raw_headers if pair[0] in _ABOUT_THE_BODY]
        response.status_code = final.status_code
        response.raw_headers[:] = raw  # in place, as FastAPI may hold the list
        return response

    def _streamed(self, final: "_Streamed") -> Response:
        response = self.response
        if not final.changed:
            return response
        if isinstance(response, StreamingResponse):
            response.body_iterator = StreamingResponse(final.streaming_content).body_iterator
        elif isinstance(response, FileResponse):
            return StreamingResponse(final.streaming_content, background=response.background)
        return response

    def _raw_headers(self, final: HttpResponseBase) -> RawHeaders:
        raw = _raw_headers(final, self.repeated)
        for morsel in final.cookies.values():
            given = self.cookies.get(morsel.key)
            same = given is not None and given[0] == morsel
            raw.append((b"set-cookie", given[1] if given and same else _encoded(morsel)))
        return raw + self.more_cookies


def to_django(response: Response) -> ConvertedResponse:
    """Return `response`, with the Django response that middleware is to see in its place."""
    is_plain = type(response).__call__ is Response.__call__
    length = str(len(response.body)).encode() if is_plain else None
    headers: dict[str, str] = {}
    repeated: dict[str, tuple[str, RawHeaders]] = {}
    set_cookies: RawHeaders = []
    for pair in response.raw_headers:
        if pair[0] == b"set-cookie":
            set_cookies.append(pair)
        elif pair[1] != length or pair[0] != b"content-length":
            name, value = pair[0].decode("latin-1"), pair[1].decode("latin-1")
            if name in headers:
                value = f"{headers[name]}, {value}"
                _, pairs = repeated.get(name, ("", _pairs(response, pair[0])))
                repeated[name] = (value, pairs)
            headers[name] = value
    content_type = headers.pop("content-type", None)
    django: HttpResponse | _Streamed
    if is_plain:
        django = HttpResponse(response.body, content_type or "", response.status_code)
    else:
        django = _Streamed(_pieces(response), content_type or "", response.status_code)
        django.changed = False
    if content_type is None:
        del django.headers["content-type"]
    for name, value in headers.items():
        django.headers[name] = value
    converted = ConvertedResponse(response, django, repeated, {}, [])
    for pair in set_cookies:
        _give_cookie(converted, pair)
    return converted


def from_django(final: HttpResponseBase) -> Response:
    """Return a response that sends `final`, which the middleware made itself."""
    response: Response
    if isinstance(final, StreamingHttpResponse):
        if isinstance(final, DjangoFileResponse):
            final.block_size = _PIECE_SIZE
        response = StreamingResponse(final.streaming_content)
    else:
        response = Response(getattr(final, "content", b""))
    response.status_code = final.status_code
    response.raw_headers[:] = _raw_headers(final, {}) + [
        (b"set-cookie", _encoded(morsel)) for morsel in final.cookies.values()
    ]
    return response


_set_content: Any = vars(StreamingHttpResponse)["streaming_content"].fset


class _Streamed(StreamingHttpResponse):
    """Knows whether middleware has replaced its body."""

    changed = False

    @property
    def streaming_content(self) -> Any:
        return super().streaming_content

    @streaming_content.setter
    def streaming_content(self, value: Any) -> None:
        self.changed = True
        _set_content(self, value)


def has_new_body(final: HttpResponseBase) -> TypeGuard[StreamingHttpResponse]:
    """Return whether `final` streams a body that middleware has made, or wrapped."""
    is_streamed = isinstance(final, StreamingHttpResponse)
    return is_streamed and (not isinstance(final, _Streamed) or final.changed)


def close(final: HttpResponseBase) -> None:
    """Close `final` in a worker, and let go of a body there that nobody can close, as a `map()`.

    What is in that ends as soon as nothing holds it: within the request, and not within another.
    """
    final.close()
    if isinstance(final, StreamingHttpResponse):
        final.streaming_content = ()


def _raw_headers(
    final: HttpResponseBase, repeated: dict[str, tuple[str, RawHeaders]]
) -> RawHeaders:
    raw: RawHeaders = []
    has_body = final.status_code >= 200 and final.status_code not in {204, 304}
    has_length = False
    for name, value in final.items():
        key = name.lower()
        if key == "content-length":
            if not has_body:
                continue
            has_length = True
        merged, pairs = repeated.get(key, (None, []))
        raw += pairs if merged == value else [(key.encode("latin-1"), value.encode("latin-1"))]
    if has_body and not has_length and isinstance(final, HttpResponse):
        raw.append((b"content-length", str(len(final.content)).encode()))
    return raw


def _encoded(morsel: Morsel[str]) -> bytes:
    return morsel.OutputString().encode("latin-1")


def _give_cookie(converted: ConvertedResponse, pair: tuple[bytes, bytes]) -> None:
    try:
        [morsel] = SimpleCookie(pair[1].decode("latin-1")).values()
    except (CookieError, ValueError):
        converted.more_cookies.append(pair)
        return
    if morsel.key in converted.cookies:
        converted.more_cookies.append(pair)
        return
    converted.cookies[morsel.key] = (morsel.copy(), pair[1])  # pyright: ignore[reportArgumentType]
    converted.django.cookies[morsel.key] = morsel


def _pairs(response: Response, name: bytes) -> RawHeaders:
    return [pair for pair in response.raw_headers if pair[0] == name]


def _sends_itself(response: Response) -> bool:
    return not isinstance(response, StreamingResponse)


def _pieces(response: Response) -> Any:
    """Return the body of a response that sends itself, as far as middleware may replace it."""
    if isinstance(response, StreamingResponse):
        iterator = threaded_iterator(response.body_iterator)  # type: ignore[arg-type]
        return response.body_iterator if iterator is None else iterator
    return _of_file(response.path) if isinstance(response, FileResponse) else ()


def _of_file(path: str | PathLike[str]) -> Iterator[bytes]:
    with Path(path).open("rb") as file:
        while piece := file.read(_PIECE_SIZE):
            yield piece
