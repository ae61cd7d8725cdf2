import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, aclosing
from typing import Any, TypeVar

import pytest
from anyio import from_thread
from django.test import override_settings
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from fastapi.testclient import TestClient
from starlette.background import BackgroundTask, BackgroundTasks
from starlette.responses import Response

from django_mullet import APIRouter
from django_mullet.execution.execution import Execution, current_execution
from django_mullet.execution.workers import pool
from django_mullet.streaming.bodies import ITEMS_AHEAD, follow_up_in_worker, stream
from tests.asgi_scopes import scope_of
from tests.executing import entered, execute, here
from tests.testapp.models import Item
from tests.waiting import turns, until

pytestmark = pytest.mark.django_db

T = TypeVar("T")


def streamed(iterable: Iterable[T]) -> list[T]:
    async def use(execution: Execution) -> list[T]:
        return [item async for item in stream(iterable, execution)]

    return execute(use)


@pytest.mark.parametrize("count", [0, 1, ITEMS_AHEAD, 3 * ITEMS_AHEAD + 1])
def test_every_item_arrives_in_its_order(count: int) -> None:
    assert streamed(range(count)) == list(range(count))


def test_any_iterable_is_streamed() -> None:
    assert streamed(["a", "b"]) == ["a", "b"]
    assert streamed(iter("ab")) == ["a", "b"]


def test_one_worker_makes_all_items_and_closes_the_iterator() -> None:
    threads: list[threading.Thread] = []

    def body() -> Iterator[int]:
        try:
            Item.objects.exists()
            for number in range(ITEMS_AHEAD * 2):
                threads.append(threading.current_thread())
                yield number
        finally:
            threads.append(threading.current_thread())

    streamed(body())

    assert len(threads) == ITEMS_AHEAD * 2 + 1
    assert len(set(threads)) == 1
    assert threads[0].name.startswith("mullet-")


def test_an_item_is_sent_as_soon_as_it_is_there() -> None:
    arrived = threading.Event()

    def body() -> Iterator[int]:
        yield 1
        assert arrived.wait(5)
        yield 2

    async def use(execution: Execution) -> list[int]:
        items = []
        async for item in stream(body(), execution):
            items.append(item)
            arrived.set()
        return items

    assert execute(use) == [1, 2]


def test_the_worker_waits_for_a_slow_client() -> None:
    made: list[int] = []

    def body() -> Iterator[int]:
        for number in range(ITEMS_AHEAD * 5):
            made.append(number)
            yield number

    async def use(execution: Execution) -> int:
        most = 0
        async with aclosing(stream(body(), execution)) as items:
            async for item in items:
                if item % ITEMS_AHEAD == 0:
                    await asyncio.sleep(0.02)
                most = max(most, len(made) - item)
        return most

    # As many again may be on their way, and one is being made.
    assert execute(use) <= 2 * ITEMS_AHEAD + 1
    assert len(made) == ITEMS_AHEAD * 5


def test_an_error_comes_after_the_items_before_it() -> None:
    items: list[int] = []

    def body() -> Iterator[int]:
        yield 1
        raise LookupError("in the middle")

    async def use(execution: Execution) -> None:
        async for item in stream(body(), execution):
            items.append(item)

    with pytest.raises(LookupError, match="in the middle"):
        execute(use)
    assert items == [1]


def test_closing_the_stream_closes_the_iterator_in_the_worker() -> None:
    closed: list[str] = []

    def body() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(here())

    async def use(execution: Execution) -> None:
        async with aclosing(stream(body(), execution)) as items:
            async for _ in items:
                break
        assert closed == ["mullet"]

    execute(use)


def test_closing_the_stream_wakes_a_worker_that_waits_for_the_client() -> None:
    made: list[int] = []

    def body() -> Iterator[int]:
        for number in range(10 * ITEMS_AHEAD):
            made.append(number)
            yield number

    async def use(execution: Execution) -> None:
        async with aclosing(stream(body(), execution)) as items:
            async for _ in items:
                while len(made) < ITEMS_AHEAD:
                    await asyncio.sleep(0.001)
                await asyncio.sleep(0.01)
                break

    execute(use)

    assert len(made) <= 2 * ITEMS_AHEAD + 2


def test_an_error_in_closing_is_raised() -> None:
    def body() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            raise LookupError("in closing")

    async def use(execution: Execution) -> None:
        async with aclosing(stream(body(), execution)) as items:
            async for _ in items:
                break

    with pytest.raises(LookupError, match="in closing"):
        execute(use)


def waiting(noted: list[str]) -> Iterator[bytes]:
    """Yield one item, and wait on the event loop for another that never comes."""

    async def forever() -> None:
        noted.append("waits")
        await asyncio.Event().wait()

    yield b"item"
    try:
        from_thread.run(forever)
    finally:
        noted.append(here())


def test_closing_the_stream_wakes_a_worker_that_waits_for_the_event_loop() -> None:
    noted: list[str] = []

    async def use(execution: Execution) -> None:
        async with aclosing(stream(waiting(noted), execution)) as items:
            async for _ in items:
                await asyncio.to_thread(until, lambda: noted)
                break

    execute(use)

    assert noted == ["waits", "mullet"]


def test_a_cancelled_task_wakes_a_worker_that_waits_for_the_event_loop() -> None:
    noted: list[str] = []

    async def consume(execution: Execution) -> None:
        async for _ in stream(waiting(noted), execution):
            pass

    async def use(execution: Execution) -> None:
        task = asyncio.create_task(consume(execution))
        await asyncio.to_thread(until, lambda: noted)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert noted == ["waits", "mullet"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("queries", [False, True])
def test_a_body_keeps_its_worker_from_its_first_query_on(queries: bool) -> None:
    def body() -> Iterator[int]:
        if queries:
            Item.objects.exists()
        yield from range(3)

    async def use(execution: Execution) -> bool:
        async for _ in stream(body(), execution):
            pass
        return execution.has_worker

    assert execute(use) is queries


SIZE = 2**12


@override_settings(MULLET={"STREAM_BUFFER": 8 * SIZE})
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, bytes.decode])
def test_a_body_is_made_a_number_of_bytes_ahead_of_its_client(kind: Any) -> None:
    piece = kind(bytes(SIZE))
    made: list[int] = []

    def body() -> Iterator[Any]:
        for number in range(100):
            made.append(number)
            yield piece

    async def use(execution: Execution) -> list[int]:
        ahead = []
        async for _ in stream(body(), execution):
            await asyncio.to_thread(until, lambda: not pool_is_busy())
            ahead.append(len(made) - len(ahead))
        return ahead

    ahead = execute(use)

    assert len(ahead) == 100
    assert max(ahead) == 8


@override_settings(MULLET={"STREAM_BUFFER": 1000})
def test_it_is_made_ahead_again_when_half_of_that_is_taken() -> None:
    made: list[int] = []

    def body() -> Iterator[bytes]:
        for number in range(100):
            made.append(number)
            yield bytes(100)

    async def use(execution: Execution) -> list[int]:
        numbers = []
        async for _ in stream(body(), execution):
            await turns()  # a job begins
            await asyncio.to_thread(until, lambda: not pool_is_busy())
            await turns()  # and is seen to have ended
            numbers.append(len(made))
        return numbers

    # Of the ten first ones five are left when the sixth is asked for.
    assert execute(use)[:12] == [10, 10, 10, 10, 10, 15, 15, 15, 15, 15, 20, 20]


@override_settings(MULLET={"STREAM_BUFFER": 10_240})
@pytest.mark.parametrize(
    ("piece", "most"),
    [
        (b"", 1024),
        ("", 1024),
        (memoryview(b""), 1024),
        (memoryview(bytes(30)), 342),
        (object(), 100),
    ],
    ids=["bytes", "text", "no memory", "memory", "something else"],
)
def test_pieces_of_no_size_have_one(piece: object, most: int) -> None:
    """Else any number of them would be made ahead."""
    made: list[int] = []

    def body() -> Iterator[object]:
        for number in range(5000):
            made.append(number)
            yield piece

    async def use(execution: Execution) -> int:
        async with aclosing(stream(body(), execution)) as pieces:
            await anext(pieces)
            await turns()
            await asyncio.to_thread(until, lambda: not pool_is_busy())
            return len(made)

    assert execute(use) == most


def pool_is_busy() -> bool:
    return len(pool._idle) < pool.size


@override_settings(MULLET={"THREADS": 1, "CONNECTIONS": 1})
def test_a_worker_is_free_while_clients_are_slow() -> None:
    async def use(execution: Execution) -> list[str]:
        async with AsyncExitStack() as stack:
            for _ in range(20):
                other = await stack.enter_async_context(entered())
                items = stream(iter([b"a" * 2**17] * 100), other)
                await stack.enter_async_context(aclosing(items))
                await anext(items)
            return [await execution.run(here)]

    assert execute(use) == ["mullet"]


# Responses


def test_a_complete_response_without_tasks_is_left_as_it_is() -> None:
    async def use(execution: Execution) -> Response:
        response = Response(b"x")
        follow_up_in_worker(response, execution)
        return response

    response = execute(use)

    assert response.body == b"x"
    assert response.background is None


def test_an_asynchronous_body_is_left_as_it_is() -> None:
    async def body() -> AsyncIterator[str]:
        yield "x"

    async def use(execution: Execution) -> bool:
        response = StreamingResponse(items := body())
        follow_up_in_worker(response, execution)
        return response.body_iterator is items

    assert execute(use)


def test_synchronous_tasks_move_to_the_worker_and_others_stay() -> None:
    ran: list[str] = []

    async def on_loop() -> None:
        ran.append(here())

    async def use(execution: Execution) -> None:
        several = BackgroundTasks()
        several.add_task(lambda word: ran.append(f"{here()} {word}"), word="a")
        several.add_task(on_loop)
        one = BackgroundTask(lambda: ran.append(here()))
        for tasks in (several, one):
            response = Response(background=tasks)
            follow_up_in_worker(response, execution)
            await tasks()

    execute(use)

    assert ran == ["mullet a", "MainThread", "mullet"]


def endless_route(closed: list[str]) -> TestClient:
    router = APIRouter()

    def body() -> Iterator[bytes]:
        try:
            while True:
                Item.objects.count()
                yield b"x" * 100
        finally:
            closed.append(here())

    @router.get("/")
    def endpoint() -> StreamingResponse:
        return StreamingResponse(body())

    app = FastAPI()
    app.include_router(router)
    return TestClient(app)


def disconnect_after(pieces: int, app: Any, when: Callable[[], object] = lambda: True) -> None:
    """Request `/` and leave after so many messages, and not before `when` holds."""
    enough = asyncio.Event()
    sent: list[Any] = []
    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await enough.wait()
        await asyncio.to_thread(until, when)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) == pieces:
            enough.set()
        await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.wait_for(app(scope_of("/", "GET"), receive, send), 10)
        await asyncio.sleep(0.1)

    asyncio.run(main())


def test_a_client_that_leaves_ends_the_body_in_its_worker() -> None:
    closed: list[str] = []

    disconnect_after(10, endless_route(closed).app)

    until(lambda: closed)
    assert closed == ["mullet"]


def test_a_client_that_leaves_ends_a_body_that_waits_for_the_event_loop() -> None:
    noted: list[str] = []
    router = APIRouter()

    @router.get("/")
    def endpoint() -> StreamingResponse:
        return StreamingResponse(waiting(noted))

    app = FastAPI()
    app.include_router(router)

    disconnect_after(2, app, when=lambda: noted)

    assert noted == ["waits", "mullet"]


@pytest.mark.parametrize("kind", ["function", "instance", "response", "events"])
def test_a_client_that_leaves_ends_an_async_generator_within_its_request(kind: str) -> None:
    """And not when the garbage is collected, within whichever request runs then."""
    closed_within: list[Execution | None] = []

    async def body() -> AsyncIterator[str]:
        try:
            while True:
                yield str(await Item.objects.acount())
        finally:
            closed_within.append(current_execution.get(None))

    class Body:
        async def __call__(self) -> AsyncIterator[str]:
            async with aclosing(body()) as items:
                async for item in items:
                    yield item

    async def endpoint() -> StreamingResponse:
        return StreamingResponse(body())

    router = APIRouter()
    if kind == "response":
        router.get("/")(endpoint)
    elif kind == "events":
        router.get("/", response_class=EventSourceResponse)(body)
    else:
        router.get("/")(body if kind == "function" else Body())
    app = FastAPI()
    app.include_router(router)

    gc.disable()
    try:
        disconnect_after(10, app)
        assert [type(execution) for execution in closed_within] == [Execution]
    finally:
        gc.enable()
