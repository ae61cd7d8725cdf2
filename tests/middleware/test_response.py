"""Is what is sent what the middleware has made of the response, and nothing else?"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import BackgroundTasks, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from django_mullet import APIClient, APIRouter
from tests import django_middleware
from tests.django_middleware import noted
from tests.middleware.serving import COMMON, CONDITIONAL, GZIP, PATHS, client, everything, named

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", PATHS)
def test_middleware_may_answer_itself(path: str) -> None:
    answer = everything("Phases", "ShortCircuit").get(path)

    assert (answer.status_code, answer.text) == (418, "short")
    assert answer.cookies["made"] == "here"
    assert answer.headers["content-length"] == "5"
    assert answer.headers["x-phases"]
    assert noted == ["request worker", "response 418 worker"]


def test_middleware_may_answer_with_a_file_or_a_stream() -> None:
    assert (
        everything("ShortFile").get("/def/1").text == Path(django_middleware.__file__).read_text()
    )
    assert everything("Streams").get("/async/1").text == "ab"
    assert everything("ShortView").get("/def/1").text == "rendered GET"


def responses(*names: str) -> APIClient:  # noqa: C901 - one route each
    router = APIRouter(django_middleware=named(*names))

    @router.get("/headers")
    def headers(tasks: BackgroundTasks) -> Response:
        tasks.add_task(noted.append, "task")
        response = JSONResponse({"a": 1}, background=tasks)
        for cookie in ("deleted", "harden", "kept"):
            response.set_cookie(cookie, "1")
        response.set_cookie("kept", "2", path="/other")
        response.headers.append("set-cookie", "no cookie at all")
        response.headers.append("x-delete", "1")
        response.headers.append("x-change", "1")
        response.headers.append("link", "</a>")
        response.headers.append("link", "</b>")
        response.headers.append("link", "</c>")
        return response

    @router.get("/empty", status_code=204)
    def empty() -> None: ...

    @router.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"] * 200))

    @router.get("/async-stream")
    async def async_stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            for piece in ["a", "b"] * 200:
                yield piece

        return StreamingResponse(pieces())

    @router.get("/file")
    def file() -> FileResponse:
        return FileResponse(__file__)

    class Own(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await Response(b"own", headers=dict(self.headers))(scope, receive, send)

    @router.get("/own")
    def own() -> Response:
        return Own(b"own")

    @router.get("/long")
    def long() -> str:
        return "x" * 1000

    @router.head("/head")
    def head() -> Response:
        return Response(headers={"content-length": "1234"})

    return client(router)


def test_headers_and_cookies_keep_their_number() -> None:
    answer = responses("Headers").get("/headers")

    raw = answer.headers.multi_items()
    assert [value for name, value in raw if name == "link"] == ["</a>", "</b>", "</c>"]
    assert [value for name, value in raw if name == "set-cookie"] == [
        "harden=1; Path=/; SameSite=lax; Secure",
        "kept=1; Path=/; SameSite=lax",
        "kept=2; Path=/other; SameSite=lax",
        "no cookie at all",
    ]
    assert "x-delete" not in answer.headers
    assert answer.headers["x-change"] == "changed"
    assert noted == ["task"]


def test_a_response_without_a_body_has_no_length() -> None:
    answer = responses(COMMON).get("/empty")

    assert answer.status_code == 204
    assert "content-length" not in answer.headers
    assert responses(COMMON).head("/head").headers["content-length"] == "1234"


def test_middleware_changes_every_body() -> None:
    api = responses("Upper")

    assert api.get("/long").text == f'"{"X" * 1000}"!'
    assert api.get("/long").headers["content-length"] == "1003"
    assert api.get("/stream").text == "AB" * 200
    assert api.get("/async-stream").text == "AB" * 200
    assert api.get("/file").text == Path(__file__).read_text().upper()


def test_a_response_that_sends_itself_keeps_its_body() -> None:
    answer = responses("Upper").get("/own")

    assert answer.text == "own"
    assert "content-encoding" not in answer.headers


def test_a_stream_that_nobody_changes_is_fastapi_s() -> None:
    api = responses("Phases")

    assert api.get("/stream").text == api.get("/async-stream").text == "ab" * 200
    assert api.get("/file", headers={"range": "bytes=1-3"}).text == Path(__file__).read_text()[1:4]
    assert api.get("/own").text == "own"


def test_gzip_and_conditional_get() -> None:
    api = responses(GZIP, CONDITIONAL)

    answer = api.get("/long")

    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < 200
    assert answer.text == f'"{"x" * 1000}"'
    etag = {"if-none-match": answer.headers["etag"]}
    assert api.get("/long", headers=etag).status_code == 304
    for path in ("/stream", "/async-stream", "/file"):
        assert api.get(path).headers["content-encoding"] == "gzip"
