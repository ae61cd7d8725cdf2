"""Does Starlette say what it has read, and whom it asks?"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.testclient import TestClient
from starlette.concurrency import iterate_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Message

from django_mullet._compat import starlette


def test_starlette_keeps_the_iterator_of_a_synchronous_body() -> None:
    def body() -> Iterator[bytes]:
        yield b"x"

    items = body()
    response = StreamingResponse(items)

    assert starlette.threaded_iterator(response.body_iterator) is items  # type: ignore[arg-type]


def test_starlette_keeps_the_list_of_a_synchronous_body() -> None:
    response = StreamingResponse([b"x"])

    found = starlette.threaded_iterator(response.body_iterator)  # type: ignore[arg-type]

    assert found is not None
    assert list(found) == [b"x"]


def test_an_asynchronous_body_has_no_synchronous_iterator() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x"

    assert starlette.threaded_iterator(body()) is None
    assert starlette.threaded_iterator(iterate_in_threadpool([1])) is not None


def test_starlette_leaves_the_exception_handlers_in_the_scope() -> None:
    found: list[Any] = []
    app = FastAPI()

    @app.exception_handler(LookupError)
    def for_a_class(request: Request, error: LookupError) -> None: ...

    @app.exception_handler(418)
    def for_a_status(request: Request, error: HTTPException) -> None: ...

    @app.get("/")
    async def endpoint(request: Request) -> None:
        for error in (KeyError(), HTTPException(418), OSError()):
            found.append(starlette.exception_handler(request.scope, error))
        found.append(starlette.exception_handler({}, KeyError()))

    TestClient(app).get("/")

    assert found == [for_a_class, for_a_status, None, None]


def test_starlette_reads_a_body_from_what_replaces_its_receive() -> None:
    app = FastAPI()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"replaced", "more_body": False}

    @app.post("/")
    async def endpoint(request: Request) -> str:
        starlette.replace_receive(request, receive)
        return (await request.body()).decode()

    assert TestClient(app).post("/", content="given").json() == "replaced"


def test_starlette_keeps_what_was_read_of_a_request() -> None:
    app = FastAPI()
    before: list[Any] = []

    @app.post("/")
    async def endpoint(request: Request) -> list[str]:
        before.extend([starlette.body_so_far(request), starlette.form_so_far(request)])
        if request.headers["content-type"].startswith("application/x-www-form"):
            await request.form()
        else:
            await request.body()
        return [str(starlette.body_so_far(request)), str(starlette.form_so_far(request))]

    client = TestClient(app)

    assert client.post("/", json=1).json() == ["b'1'", "None"]
    assert client.post("/", data={"a": "b"}).json()[1] == "FormData([('a', 'b')])"
    assert before == [None] * 4
