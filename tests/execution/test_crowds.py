"""Many requests with few workers and connections are all answered, and leave nothing behind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import httpx
import pytest
from anyio import from_thread
from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.test import override_settings
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from django_mullet import APIRouter, Atomic, atomic
from tests.execution.nothing_held import assert_nothing_is_held
from tests.load import answers
from tests.testapp.models import Item

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("as_in_production"),
]

FEW = {"THREADS": 2, "CONNECTIONS": 2, "CONNECTION_TIMEOUT": 15}
FEWEST = {"THREADS": 1, "CONNECTIONS": 1, "CONNECTION_TIMEOUT": 15}

inside: list[str] = []
"""One for each request that is where it waits."""


@pytest.fixture(autouse=True)
def nobody_inside() -> None:
    inside.clear()


async def wait(seconds: float) -> None:
    inside.append("")
    await asyncio.sleep(seconds)


def count() -> int:
    return Item.objects.count()


Count = Annotated[int, Depends(count)]


async def acount() -> int:
    return await Item.objects.acount()


def generator() -> Iterator[int]:
    yield Item.objects.count()
    Item.objects.count()


async def agenerator() -> AsyncIterator[int]:
    yield await Item.objects.acount()
    await Item.objects.acount()


def blocking_middleware(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Is middleware that stays on the stack, and queries."""

    def middleware(request: Any) -> Any:
        Item.objects.count()
        response = get_response(request)
        Item.objects.count()
        return response

    return middleware


def middleware_in_transaction(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Is middleware with a transaction around what it calls."""

    def middleware(request: Any) -> Any:
        with transaction.atomic():
            return get_response(request)

    return middleware


MIDDLEWARE = [f"{__name__}.blocking_middleware", f"{__name__}.middleware_in_transaction"]

ordinary = APIRouter()
calls = APIRouter(connection="call")
around = APIRouter(prefix="/around", django_middleware=MIDDLEWARE * 2)


def everywhere(path: str) -> Callable[[Any], Any]:
    """Add a route, and to some of them the same with middleware around it."""

    def add(function: Any) -> Any:
        ordinary.get(path)(function)
        if path in ("/def", "/async", "/below", "/generator", "/atomic", "/stream", "/task"):
            around.get(path)(function)
        return function

    return add


@everywhere("/def")
def in_def(seconds: float) -> int:
    found = Item.objects.count()
    from_thread.run(wait, seconds)
    return found + Item.objects.count()


@everywhere("/def-before")
def in_def_before_a_query(seconds: float) -> int:
    from_thread.run(wait, seconds)
    return Item.objects.count()


@everywhere("/to-sync")
def in_async_to_sync(seconds: float) -> int:
    found = Item.objects.count()
    async_to_sync(wait)(seconds)
    return found + Item.objects.count()


@everywhere("/async")
async def in_async(seconds: float) -> int:
    found = await Item.objects.acount()
    await wait(seconds)
    return found + await Item.objects.acount()


@everywhere("/async-before")
async def in_async_before_a_query(seconds: float) -> int:
    await wait(seconds)
    return await Item.objects.acount()


@everywhere("/gathered")
async def gathered(seconds: float) -> int:
    found = await asyncio.gather(*(Item.objects.acount() for _ in range(5)), wait(seconds))
    return len(found)


@everywhere("/below")
async def below(seconds: float) -> int:
    def synchronous() -> int:
        found = Item.objects.count()
        async_to_sync(wait)(seconds)
        return found + async_to_sync(acount)()

    return await sync_to_async(synchronous)()


@everywhere("/dependency")
async def with_dependency(count: Count, seconds: float) -> int:
    await wait(seconds)
    return count + await Item.objects.acount()


@everywhere("/generator")
async def with_generator(_: Annotated[int, Depends(generator)], seconds: float) -> int:
    await wait(seconds)
    return await Item.objects.acount()


@everywhere("/def-generator")
def with_generator_in_def(_: Annotated[int, Depends(generator)], seconds: float) -> int:
    from_thread.run(wait, seconds)
    return Item.objects.count()


@everywhere("/async-generator")
async def with_async_generator(_: Annotated[int, Depends(agenerator)], seconds: float) -> int:
    await wait(seconds)
    return await Item.objects.acount()


@everywhere("/atomic")
async def in_atomic(_: Atomic, seconds: float) -> int:
    found = await Item.objects.acount()
    await wait(seconds)
    return found


@everywhere("/block")
async def in_block(seconds: float) -> int:
    async with atomic():
        found = await Item.objects.acount()
        await wait(seconds)
    return found


@everywhere("/reading")
async def reading(seconds: float) -> int:
    found = 0
    async for _ in Item.objects.aiterator(chunk_size=2):
        found += 1
        if found == 1:
            await wait(seconds)
    await wait(seconds if not found else 0)
    return found


@everywhere("/stream")
def stream(seconds: float) -> StreamingResponse:
    def body() -> Iterator[str]:
        yield f"{Item.objects.count()}"
        from_thread.run(wait, seconds)
        yield f"{Item.objects.count()}"

    return StreamingResponse(body())


@everywhere("/async-stream")
async def astream(seconds: float) -> StreamingResponse:
    async def body() -> AsyncIterator[str]:
        yield f"{await Item.objects.acount()}"
        await wait(seconds)
        yield f"{await Item.objects.acount()}"

    return StreamingResponse(body())


@everywhere("/task")
def with_task(tasks: BackgroundTasks, seconds: float) -> None:
    def task() -> None:
        Item.objects.count()
        from_thread.run(wait, seconds)
        Item.objects.count()

    tasks.add_task(task)


@everywhere("/async-task")
async def with_async_task(tasks: BackgroundTasks, seconds: float) -> None:
    async def task() -> None:
        await Item.objects.acount()
        await wait(seconds)
        await Item.objects.acount()

    tasks.add_task(task)


@calls.get("/calls")
async def per_call(seconds: float) -> int:
    found = await Item.objects.acount()
    await wait(seconds)
    return found + await Item.objects.acount()


@calls.get("/calls-block")
async def per_call_in_block(seconds: float) -> int:
    async with atomic():
        found = await Item.objects.acount()
        await wait(seconds)
    return found


@ordinary.get("/quick")
async def quick() -> int:
    return await Item.objects.acount()


app = FastAPI()
for each in (ordinary, calls, around):
    app.include_router(each)

EACH = sorted(
    {
        route.path  # type: ignore[attr-defined]
        for router in (ordinary, calls, around)
        for route in router.routes
    }
    - {"/quick"}
)
# Nobody can end what `async_to_sync` waits for, as in plain Django.
CAN_LEAVE = [path for path in EACH if not path.endswith(("/below", "/to-sync"))]


@pytest.mark.parametrize("limits", [FEW, FEWEST])
@pytest.mark.parametrize("path", EACH)
def test_forty_at_once_are_all_answered(path: str, limits: dict[str, int]) -> None:
    Item.objects.create(name="row")
    with override_settings(MULLET=limits):
        found = answers(app, [f"{path}?seconds=0.001"] * 40, concurrency=40)

    if path.endswith(("stream",)):  # no more of these at once than their share
        assert {answer.status for answer in found} <= {200, 503}
    else:
        assert [answer.status for answer in found] == [200] * 40


@pytest.mark.parametrize("limits", [FEW, FEWEST])
def test_all_kinds_at_once_are_answered(limits: dict[str, int]) -> None:
    paths = [f"{path}?seconds=0.001" for path in EACH if not path.endswith("stream")]
    with override_settings(MULLET=limits):
        found = answers(app, paths * 2, concurrency=80)

    assert {(answer.path, answer.status) for answer in found} == {(path, 200) for path in paths}


async def cancel(path: str, *, requests: int, when: Callable[[], object]) -> None:
    """Send `requests` at once, and cancel them when `when()` is true."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        tasks = [asyncio.create_task(client.get(f"{path}?seconds=60")) for _ in range(requests)]
        while not when():
            await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
        assert (await client.get("/quick", timeout=10)).status_code == 200


@pytest.mark.parametrize("path", CAN_LEAVE)
def test_who_leaves_where_it_waits_gives_all_back(path: str) -> None:
    Item.objects.create(name="row")
    with override_settings(MULLET=FEW):
        asyncio.run(cancel(path, requests=8, when=lambda: inside))
        assert_nothing_is_held()


@pytest.mark.parametrize("path", CAN_LEAVE)
def test_who_leaves_at_any_time_gives_all_back(path: str) -> None:
    Item.objects.create(name="row")
    with override_settings(MULLET=FEW):
        for turns in (0, 1, 2, 3, 5, 8, 13):
            turn = iter(range(turns))
            asyncio.run(cancel(path, requests=4, when=lambda turn=turn: next(turn, None) is None))  # type: ignore[misc]
        assert_nothing_is_held()


# Sockets


@ordinary.websocket("/socket")
async def socket(websocket: WebSocket, _: Annotated[int, Depends(generator)]) -> None:
    await websocket.accept()
    async for _ in websocket.iter_text():
        await websocket.send_json(await Item.objects.acount())


@calls.websocket("/calls-socket")
async def socket_per_call(websocket: WebSocket) -> None:
    await websocket.accept()
    async with atomic():
        await websocket.send_json(await Item.objects.acount())
        async for _ in websocket.iter_text():
            pass


app.include_router(ordinary, prefix="/sockets")
app.include_router(calls, prefix="/sockets")


@pytest.mark.parametrize("messages", [0, 1, 2])
def test_a_client_of_a_socket_that_leaves_gives_all_back(messages: int) -> None:
    with override_settings(MULLET=FEWEST), TestClient(app) as client:
        for _ in range(3):
            with client.websocket_connect("/sockets/socket") as session:
                for _ in range(messages):
                    session.send_text("")
                    assert session.receive_json() == 0
            assert client.get("/quick").status_code == 200


def test_so_does_one_that_leaves_in_a_transaction() -> None:
    with override_settings(MULLET=FEWEST), TestClient(app) as client:
        for _ in range(3):
            with client.websocket_connect("/sockets/calls-socket") as session:
                assert session.receive_json() == 0
            assert client.get("/quick").status_code == 200
