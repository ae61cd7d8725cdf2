"""A request that is cancelled cancels what its worker waits for by `anyio.from_thread`."""

import asyncio
import threading
from concurrent import futures
from contextlib import suppress
from typing import Annotated, Any

import anyio
import pytest
from anyio import from_thread
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient

from django_mullet import APIRouter
from django_mullet.execution.execution import Execution
from tests.executing import execute, here
from tests.waiting import until

pytestmark = pytest.mark.django_db

noted: list[str] = []


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    noted.clear()


async def forever() -> None:
    noted.append("waits")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        noted.append("cancelled")
        raise


async def clean_up() -> None:
    await asyncio.sleep(0)
    noted.append("cleaned up")


async def cancel_when_it_waits(request: "asyncio.Task[Any] | anyio.CancelScope") -> None:
    await asyncio.to_thread(until, lambda: "waits" in noted)
    request.cancel()


def test_a_cancelled_request_cancels_what_its_worker_waits_for() -> None:
    def wait() -> None:
        try:
            from_thread.run(forever)
        except Exception as error:
            noted.append(f"never {error!r}")
        finally:
            from_thread.run(clean_up)
            noted.append(f"left {here()}")

    async def use(execution: Execution) -> None:
        task = asyncio.create_task(execution.run(wait))
        await cancel_when_it_waits(task)
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert noted == ["waits", "cancelled", "cleaned up", "left mullet"]


def test_a_cancel_scope_of_anyio_s_does_so_too() -> None:
    def wait() -> None:
        try:
            from_thread.run(forever)
        finally:
            with suppress(asyncio.CancelledError):
                from_thread.run(clean_up)  # the scope still is cancelled
            from_thread.run_sync(noted.append, "told")

    async def use(execution: Execution) -> bool:
        async with anyio.create_task_group() as group:
            with anyio.CancelScope() as scope:
                group.start_soon(cancel_when_it_waits, scope)
                await execution.run(wait)
        return scope.cancelled_caught

    assert execute(use)
    assert noted == ["waits", "cancelled", "told"]


def test_a_client_that_leaves_is_noticed_when_the_worker_asks() -> None:
    busy, left = threading.Event(), threading.Event()

    def work() -> None:
        busy.set()
        left.wait(10)
        with pytest.raises(asyncio.CancelledError):
            from_thread.check_cancelled()
        from_thread.run_sync(noted.append, "told")
        with pytest.raises(asyncio.CancelledError):
            from_thread.run(clean_up)
        from_thread.check_cancelled()  # as an `await` that comes after the one which was cancelled
        from_thread.run(clean_up)
        noted.append("done")

    async def use(execution: Execution) -> None:
        task = asyncio.create_task(execution.run(work))
        await asyncio.to_thread(busy.wait, 10)
        task.cancel()
        await asyncio.sleep(0)  # the turn in which the task hears of it
        left.set()
        await task

    execute(use)

    assert noted == ["told", "cleaned up", "done"]


def test_a_request_that_goes_on_is_not_cancelled() -> None:
    async def use(execution: Execution) -> str:
        return await execution.run(lambda: from_thread.check_cancelled() or here())

    assert execute(use) == "mullet"


@pytest.mark.parametrize("name", ["", "async"])
def test_what_is_cancelled_by_others_does_not_cancel_the_request(name: str) -> None:
    async def wait_for_cancelled() -> None:
        task = asyncio.create_task(forever())
        task.cancel()
        await task

    def dependency() -> str:
        try:
            from_thread.run(wait_for_cancelled)
        except futures.CancelledError as error:
            return repr(error)
        return "nothing"

    router = APIRouter()

    @router.get("/")
    def endpoint() -> str:
        return dependency()

    @router.get("/async")
    async def asynchronous(found: Annotated[str, Depends(dependency)]) -> str:
        return found

    app = FastAPI()
    app.include_router(router)

    assert TestClient(app).get(f"/{name}").json() == "CancelledError('')"
