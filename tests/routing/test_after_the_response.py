"""Do background tasks and streams run in the worker of their request?"""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import pytest
from fastapi import BackgroundTasks, Depends, Response
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent

from django_mullet import APIRouter
from tests.routing.serving import Named, here, serve
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_background_tasks_run_in_the_request_s_worker(router: APIRouter, path: str) -> None:
    ran: list[tuple[str, str]] = []

    def later(name: str, *, create: bool = False) -> None:
        if create:
            Item.objects.create(name=name)
        ran.append((name, here()[:6]))

    async def later_async(name: str) -> None:
        await Item.objects.acreate(name=name)
        ran.append((name, threading.current_thread().name[:6]))

    @router.get("/sync")
    def sync(tasks: BackgroundTasks) -> None:
        tasks.add_task(later, "first", create=True)
        tasks.add_task(later_async, "second")

    @router.get("/async")
    async def asynch(tasks: BackgroundTasks) -> None:
        tasks.add_task(later, "first", create=True)
        tasks.add_task(later_async, "second")

    assert serve(router).get(path).status_code == 200

    assert [name for name, _ in ran] == ["first", "second"]
    assert ran[0][1] == "mullet"
    assert ran[1][1] != "mullet"
    assert sorted(item.name for item in Item.objects.all()) == ["first", "second"]


def test_one_background_task_on_a_returned_response_runs_too(router: APIRouter) -> None:
    from starlette.background import BackgroundTask

    ran: list[str] = []

    @router.get("/")
    def endpoint() -> Response:
        return PlainTextResponse("x", background=BackgroundTask(lambda: ran.append(here()[:6])))

    assert serve(router).get("/").text == "x"
    assert ran == ["mullet"]


def test_tasks_of_dependencies_and_endpoint_run_in_their_order(router: APIRouter) -> None:
    ran: list[str] = []

    def dependency(tasks: BackgroundTasks) -> None:
        tasks.add_task(ran.append, "dependency")

    @router.get("/", dependencies=[Depends(dependency)])
    def endpoint(tasks: BackgroundTasks) -> None:
        tasks.add_task(ran.append, "endpoint")

    serve(router).get("/")

    assert ran == ["dependency", "endpoint"]


def test_a_failing_background_task_is_an_error_of_the_server(router: APIRouter) -> None:
    def fail() -> None:
        raise LookupError(here()[:6])

    @router.get("/")
    def endpoint(tasks: BackgroundTasks) -> None:
        tasks.add_task(fail)

    with pytest.raises(LookupError, match="mullet"):
        serve(router).get("/")


@pytest.mark.parametrize("path", ["/sync", "/async", "/async-sync-body"])
def test_a_streamed_body_is_made_in_the_request_s_worker(router: APIRouter, path: str) -> None:
    def rows() -> Iterator[str]:
        for item in Item.objects.order_by("pk").iterator(chunk_size=1):
            yield f"{item.name} {here()[:6]}\n"

    async def async_rows() -> AsyncIterator[str]:
        async for item in Item.objects.order_by("pk"):
            yield f"{item.name} mullet\n"

    @router.get("/sync")
    def sync() -> StreamingResponse:
        return StreamingResponse(rows())

    @router.get("/async")
    async def asynch() -> StreamingResponse:
        return StreamingResponse(async_rows())

    @router.get("/async-sync-body")
    async def asynch_with_sync_body() -> StreamingResponse:
        return StreamingResponse(rows())

    for name in "abc":
        Item.objects.create(name=name)

    assert serve(router).get(path).text == "a mullet\nb mullet\nc mullet\n"


def test_a_streamed_list_arrives(router: APIRouter) -> None:
    @router.get("/")
    def endpoint() -> StreamingResponse:
        return StreamingResponse(["a", "b"])

    assert serve(router).get("/").text == "ab"


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_generator_endpoints_send_json_lines(router: APIRouter, path: str) -> None:
    @router.get("/sync")
    def sync(prefix: str) -> Iterator[Named]:
        for item in Item.objects.order_by("pk"):
            yield Named(name=f"{prefix}{item.name}{here()[:6]}")

    @router.get("/async")
    async def asynch(prefix: str) -> AsyncIterator[Named]:
        async for item in Item.objects.order_by("pk"):
            yield Named(name=f"{prefix}{item.name}mullet")

    Item.objects.create(name="a")
    Item.objects.create(name="b")

    response = serve(router).get(path, params={"prefix": "-"})

    assert response.headers["Content-Type"] == "application/jsonl"
    assert [json.loads(line)["name"] for line in response.text.splitlines()] == [
        "-amullet",
        "-bmullet",
    ]


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_generator_endpoints_send_events(router: APIRouter, path: str) -> None:
    @router.get("/sync", response_class=EventSourceResponse)
    def sync() -> Iterator[ServerSentEvent]:
        for item in Item.objects.order_by("pk"):
            yield ServerSentEvent(data=f"{item.name} {here()[:6]}", event="row")

    @router.get("/async", response_class=EventSourceResponse)
    async def asynch() -> AsyncIterator[ServerSentEvent]:
        async for item in Item.objects.order_by("pk"):
            yield ServerSentEvent(data=f"{item.name} mullet", event="row")

    Item.objects.create(name="a")
    Item.objects.create(name="b")

    response = serve(router).get(path)

    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.text == ('event: row\ndata: "a mullet"\n\nevent: row\ndata: "b mullet"\n\n')


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_generator_endpoints_send_raw_pieces(router: APIRouter, path: str) -> None:
    @router.get("/sync", response_class=StreamingResponse)
    def sync() -> Iterator[bytes]:
        yield b"a"
        yield here()[:6].encode()

    @router.get("/async", response_class=StreamingResponse)
    async def asynch() -> AsyncIterator[bytes]:
        yield b"a"
        await Item.objects.acount()
        yield b"mullet"

    assert serve(router).get(path).text == "amullet"


def test_dependencies_of_a_stream_are_left_after_its_last_piece(router: APIRouter) -> None:
    order: list[str] = []

    def dependency() -> Iterator[None]:
        order.append("enter " + here()[:6])
        yield
        order.append("leave " + here()[:6])

    @router.get("/")
    def endpoint(_: Annotated[None, Depends(dependency)]) -> StreamingResponse:
        def body() -> Iterator[str]:
            order.append("body " + here()[:6])
            yield "x"

        return StreamingResponse(body())

    assert serve(router).get("/").text == "x"
    assert order == ["enter mullet", "body mullet", "leave mullet"]
