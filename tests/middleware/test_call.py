"""Is what an endpoint, a dependency or middleware raises answered in the right place?"""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Annotated, Any, cast

import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import FastAPIError
from fastapi.responses import JSONResponse

from django_mullet import APIClient, APIRouter
from tests import django_middleware
from tests.django_middleware import noted
from tests.middleware.serving import PATHS, client, everything, named

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_application_answers_inside_of_the_middleware() -> None:
    api = everything("Phases", "function")

    for path, status in [("http", 404), ("key", 500), ("index", 400)]:
        for prefix in ("/raise/", "/async-raise/"):
            answer = api.get(prefix + path)
            assert answer.status_code == status
            assert answer.headers["x-phases"]
            assert answer.headers["x-function"]

    assert api.get("/def/nonsense").status_code == 422
    assert "x-phases" in api.get("/def/nonsense").headers
    assert not [line for line in noted if line.startswith("exception")]


def test_an_exception_handler_runs_where_it_should() -> None:
    api = everything("Phases")

    assert api.get("/raise/key").json()["in"] == "loop"
    assert api.get("/raise/index").json()["in"] == "worker"


@pytest.mark.parametrize("prefix", ["/raise/", "/async-raise/"])
def test_an_unhandled_exception_goes_through_the_middleware_and_out(prefix: str) -> None:
    with pytest.raises(OSError, match="unhandled"):
        everything("Phases", "function").get(f"{prefix}os")

    assert "exception OSError" in noted
    assert noted[-1] == "response 500 worker"


def test_process_exception_may_answer() -> None:
    answer = everything("Phases", "Rescue").get("/raise/os")

    assert (answer.status_code, answer.text) == (299, "rescued OSError")
    assert answer.headers["x-phases"]


def test_middleware_may_replace_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    answer = everything("Replace").get("/raise/os")

    assert (answer.status_code, answer.text) == (200, "replaced")
    assert "Answered by middleware: " in caplog.text


@pytest.mark.parametrize("header", ["X-Before", "X-View", "X-After"])
def test_what_middleware_raises_is_answered(header: str) -> None:
    api = everything("Phases", "Raising", raise_server_exceptions=False)

    answers = [
        api.get("/def/1", headers={header: error}) for error in ("404", "403", "http", "error")
    ]

    assert [answer.status_code for answer in answers] == [404, 403, 409, 500]
    assert all("x-phases" in answer.headers for answer in answers[:3])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("name", "place"), [("raising_function", "worker"), ("raising_coroutine", "loop")]
)
def test_what_a_function_raises_is_answered(name: str, place: str, path: str) -> None:
    answer = everything("Phases", name).get(path)

    assert (answer.status_code, answer.json()) == (409, {"detail": f"conflict {place}"})
    assert "x-phases" in answer.headers


def test_the_application_s_handler_of_a_status_answers() -> None:
    api = everything("Phases")

    @cast("FastAPI", api.app).exception_handler(404)
    def handle(request: Request, error: HTTPException) -> Response:
        return JSONResponse({"own": error.detail}, 404)

    answer = api.get("/raise/http")

    assert answer.json() == {"own": "no such thing"}
    assert "x-phases" in answer.headers


def test_a_dependency_sees_the_exception_before_it_is_answered() -> None:
    router = APIRouter(django_middleware=named("Phases"))

    def note() -> Iterator[None]:
        try:
            yield
        except HTTPException:
            noted.append("dependency")
            raise
        noted.append("left")

    @router.get("/refuse")
    def refuse(_: Annotated[None, Depends(note)]) -> None:
        raise HTTPException(409)

    @router.get("/pass")
    def passes(_: Annotated[None, Depends(note)]) -> None: ...

    api = client(router)

    assert api.get("/refuse").status_code == 409
    assert noted[-2:] == ["dependency", "response 409 worker"]
    assert api.get("/pass").status_code == 200
    assert noted[-1] == "left"


@pytest.mark.parametrize("path", ["/def", "/async"])
def test_an_asynchronous_dependency_sees_the_exception_on_the_loop(path: str) -> None:
    router = APIRouter(django_middleware=named("Phases"))

    async def note() -> AsyncIterator[None]:
        try:
            yield
        except HTTPException:
            noted.append(f"dependency {django_middleware.here()}")
            raise

    @router.get("/def")
    def refuse(_: Annotated[None, Depends(note)]) -> None:
        raise HTTPException(409)

    @router.get("/async")
    async def async_refuse(_: Annotated[None, Depends(note)]) -> None:
        raise HTTPException(409)

    assert client(router).get(path).status_code == 409
    assert noted[-2:] == ["dependency loop", "response 409 worker"]


@pytest.mark.parametrize("names", [(), ("Phases",)])
def test_a_dependency_must_not_keep_an_exception(names: tuple[str, ...]) -> None:
    router = APIRouter(django_middleware=named(*names))

    def keep() -> Iterator[None]:
        with suppress(LookupError):
            yield

    @router.get("/")
    def fail(_: Annotated[None, Depends(keep)]) -> None:
        raise LookupError

    with pytest.raises(FastAPIError, match="dependency with"):
        client(router).get("/")


def test_a_request_that_django_cannot_read_is_a_400() -> None:
    api = everything("Phases")

    answer = api.get("/def/1", headers={"content-type": "text/plain; x*=nonsense''%41"})

    assert (answer.status_code, noted) == (400, [])


def test_a_query_that_is_no_utf_8_is_a_400() -> None:
    app = everything("Phases").app

    async def with_query(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "query_string": b"q=\xff"}, receive, send)

    assert (APIClient(with_query).get("/def/1").status_code, noted) == (400, [])
