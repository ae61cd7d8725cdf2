"""Have Django and FastAPI both the body of a request?"""

import asyncio
from typing import Annotated, Any

import pytest
from fastapi import File, Form, Request, UploadFile

from django_mullet import APIClient, APIRouter, DjangoRequest
from tests.django_middleware import noted
from tests.middleware.serving import JSON, client, named

pytestmark = pytest.mark.django_db(transaction=True)


def bodies(*names: str) -> APIClient:
    router = APIRouter(django_middleware=named(*names))

    @router.post("/json")
    def json(item: dict[str, int]) -> dict[str, int]:
        return item

    @router.post("/raw")
    async def raw(request: Request) -> str:
        return (await request.body()).decode()

    @router.post("/consumed")
    async def consumed(request: Request) -> str:
        return "".join([piece.decode() async for piece in request.stream()])

    @router.post("/form")
    def form(
        request: DjangoRequest, name: Annotated[str, Form()], file: Annotated[UploadFile, File()]
    ) -> list[Any]:
        django = request.FILES["file"].read().decode()
        return [name, file.file.read().decode(), request.POST["name"], django]

    @router.post("/connected")
    async def connected(request: Request, name: Annotated[str, Form()]) -> list[Any]:
        return [name, await request.is_disconnected()]

    @router.post("/thread")
    async def thread(request: DjangoRequest) -> str:
        return (await asyncio.to_thread(lambda: request.body)).decode()

    @router.get("/async-django")
    @router.post("/async-django")
    async def read_in_the_loop(request: DjangoRequest) -> str:
        return request.body.decode()

    return client(router)


@pytest.mark.parametrize("path", ["/json", "/raw"])
@pytest.mark.parametrize("header", ["X-Before", "X-After"])
def test_both_have_the_body(path: str, header: str) -> None:
    answer = bodies("ReadBody", "function").post(
        path, content='{"a": 1}', headers={header: "1", "content-type": "application/json"}
    )

    assert answer.json() in ({"a": 1}, '{"a": 1}')
    assert '{"a": 1}' in noted


def test_a_body_that_was_consumed_is_gone() -> None:
    bodies("ReadBody").post("/consumed", content="x", headers={"X-After": "1"})

    assert noted == ["Stream consumed"]


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_both_have_a_form_with_a_file(size: int) -> None:
    answer = bodies("ReadBody").post(
        "/form", data={"name": "n"}, files={"file": ("f.txt", b"x" * size)}
    )

    assert answer.json() == ["n", "x" * size, "n", "x" * size]


def test_the_body_can_be_read_in_pieces() -> None:
    answer = bodies("ReadPieces").post("/json", content='{"a":\n1\n}', headers=JSON)

    assert noted == ['{"', 'a":\n', "1\n", "}"]
    assert answer.json() == {"a": 1}


def test_a_client_that_left_within_a_form_is_noticed_on_both_sides() -> None:
    app = bodies("read_form").app

    async def leaving(scope: Any, receive: Any, send: Any) -> None:
        messages: list[Any] = [
            {"type": "http.request", "body": b"name=n&file=", "more_body": True},
            {"type": "http.disconnect"},
        ]

        async def leave() -> Any:
            return messages.pop(0)

        await app(scope, leave, send)

    answer = APIClient(leaving).post("/form", data={"name": "ignored"})

    assert noted == ["UnreadablePostError: The client has gone."]
    assert answer.status_code == 400


def test_a_client_that_waits_is_not_taken_for_gone() -> None:
    answer = bodies("Phases").post("/connected", data={"name": "n"})

    assert answer.json() == ["n", False]


def test_a_thread_of_somebody_s_cannot_wait_for_the_body() -> None:
    with pytest.raises(RuntimeError) as caught:
        bodies("Phases").post("/thread", content="x")

    assert str(caught.value) == (
        "Only code that a request runs in its worker can wait for the request's event loop."
    )


def test_the_event_loop_cannot_wait_for_the_body() -> None:
    with pytest.raises(Exception, match="cannot read the body in the event loop"):
        bodies("ReadBody").post("/async-django", content="x")


def test_the_event_loop_can_read_the_body_that_there_is_not() -> None:
    assert bodies("AsyncOnly").get("/async-django").json() == ""
