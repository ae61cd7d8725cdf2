"""A coroutine moves between the event loop and a worker."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from django.db import transaction

from django_mullet import Overloaded
from django_mullet.execution.execution import Execution
from django_mullet.execution.handoff import (
    WorkerCall,
    await_from_sync,
    in_worker,
    to_loop,
    to_worker,
)
from django_mullet.execution.workers import pool
from tests.executing import execute, here
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)

number: ContextVar[int] = ContextVar("number", default=0)


def test_a_coroutine_moves_between_loop_and_worker() -> None:
    async def travel() -> list[Any]:
        seen: list[Any] = [(here(), in_worker())]
        for move in (to_loop, to_worker, to_worker, to_loop, to_worker):
            await move()
            seen.append((here(), in_worker()))
        return seen

    async def use(execution: Execution) -> list[Any]:
        return await execution.run_coroutine(travel())

    main, worker = ("MainThread", False), ("mullet", True)
    assert execute(use) == [main, main, worker, worker, main, worker]


def test_a_coroutine_waits_on_the_loop_between_its_moves() -> None:
    async def travel() -> str:
        await to_worker()
        await to_loop()
        await asyncio.sleep(0.001)
        future = asyncio.get_running_loop().create_future()
        future.set_result(here())
        return str(await future)

    async def use(execution: Execution) -> str:
        return await execution.run_coroutine(travel())

    assert execute(use) == "MainThread"


@pytest.mark.parametrize("move", [to_worker, to_loop])
def test_an_error_of_a_coroutine_is_raised(move: Callable[[], Any]) -> None:
    async def travel() -> None:
        await move()
        raise LookupError(here())

    async def use(execution: Execution) -> None:
        await execution.run_coroutine(travel())

    with pytest.raises(LookupError, match=r"mullet|MainThread"):
        execute(use)


def test_an_error_on_the_loop_reaches_the_coroutine() -> None:
    async def travel() -> str:
        failing = asyncio.get_running_loop().create_future()
        failing.set_exception(LookupError("from the loop"))
        try:
            await failing
        except LookupError as error:
            await to_worker()
            return f"{error} {here()}"
        return "no error"

    async def use(execution: Execution) -> str:
        return await execution.run_coroutine(travel())

    assert execute(use) == "from the loop mullet"


def test_waiting_for_the_loop_in_a_worker_is_an_error() -> None:
    closed: list[str] = []

    async def travel() -> None:
        await to_worker()
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(here())

    async def use(execution: Execution) -> None:
        await execution.run_coroutine(travel())

    with pytest.raises(RuntimeError) as caught:
        execute(use)

    assert str(caught.value) == (
        "A coroutine waited for the event loop in a worker thread, where there is none."
    )
    assert closed == ["mullet"]


def cancelled_in_worker(
    travel: Callable[[threading.Event, threading.Event], Any],
) -> tuple[bool, type[BaseException] | None]:
    """Cancel the coroutine while its worker is between the two events.

    Return whether it ended before the second, and what it raised.
    """
    started, end = threading.Event(), threading.Event()

    async def use(execution: Execution) -> tuple[bool, type[BaseException] | None]:
        task = asyncio.ensure_future(wrap(execution.run_coroutine(travel(started, end))))
        await asyncio.to_thread(started.wait, 5)
        task.cancel()
        await asyncio.sleep(0.01)
        ended_early = task.done()
        end.set()
        [raised] = await asyncio.gather(task, return_exceptions=True)
        return ended_early, type(raised)

    return execute(use)


async def wrap(awaitable: Any) -> Any:
    return await awaitable


def test_a_coroutine_that_is_cancelled_in_the_worker_ends_there_first() -> None:
    events: list[str] = []

    async def travel(started: threading.Event, end: threading.Event) -> None:
        await to_worker()
        started.set()
        end.wait(5)
        events.append(here())

    assert cancelled_in_worker(travel) == (False, asyncio.CancelledError)
    assert events == ["mullet"]


def test_a_coroutine_that_is_cancelled_in_the_worker_hears_of_it_on_the_loop() -> None:
    events: list[str] = []

    async def travel(started: threading.Event, end: threading.Event) -> None:
        await to_worker()
        started.set()
        end.wait(5)
        try:
            await to_loop()
        except asyncio.CancelledError:
            await to_worker()
            events.append(here())
            raise

    assert cancelled_in_worker(travel) == (False, asyncio.CancelledError)
    assert events == ["mullet"]


def test_a_coroutine_that_is_cancelled_on_the_loop_may_still_go_to_the_worker() -> None:
    events: list[str] = []

    async def travel() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await to_worker()
            events.append(here())
            raise

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(wrap(execution.run_coroutine(travel())))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert events == ["mullet"]


def test_a_coroutine_that_is_cancelled_on_its_way_to_the_worker_hears_of_it(
    only_worker: threading.Event,
) -> None:
    events: list[str] = []

    async def travel() -> None:
        try:
            await to_worker()
        except asyncio.CancelledError:
            events.append(here())
            raise

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(wrap(execution.run_coroutine(travel())))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert events == ["MainThread"]


def test_a_coroutine_may_go_on_where_there_is_no_worker_for_it(
    only_worker: threading.Event,
) -> None:
    pool.submit(lambda: None)

    async def travel() -> str:
        try:
            await to_worker()
        except Overloaded:
            return here()
        return "no error"

    async def use(execution: Execution) -> str:
        return await execution.run_coroutine(travel())

    assert execute(use) == "MainThread"


def test_synchronous_code_waits_for_the_event_loop() -> None:
    async def inner() -> list[str]:
        places = [here()]
        await to_loop()
        number.set(number.get() + 1)
        places.append(here())
        await to_worker()
        return [*places, here()]

    async def outer() -> list[str]:
        await to_worker()
        number.set(1)
        Item.objects.count()
        places = await_from_sync(inner())
        assert number.get() == 2
        return [*places, here()]

    async def use(execution: Execution) -> list[str]:
        return await execution.run_coroutine(outer())

    assert execute(use) == ["mullet", "MainThread", "mullet", "mullet"]


def test_synchronous_code_waits_in_the_transaction_that_it_has_opened() -> None:
    async def inner() -> int:
        await to_loop()
        await Item.objects.acreate(name="below")
        return await Item.objects.acount()

    async def outer() -> int:
        await to_worker()
        with transaction.atomic():
            count = await_from_sync(inner())
            transaction.set_rollback(True)
        return count + Item.objects.count()

    async def use(execution: Execution) -> int:
        return await execution.run_coroutine(outer())

    assert execute(use) == 1


def test_a_cancellation_reaches_what_synchronous_code_waits_for() -> None:
    cancelled: list[str] = []
    in_the_worker, go_on = threading.Event(), threading.Event()

    async def inner() -> None:
        in_the_worker.set()
        go_on.wait(10)
        try:
            await to_loop()
        except asyncio.CancelledError:
            cancelled.append("inner")
            raise

    async def outer() -> None:
        await to_worker()
        try:
            await_from_sync(inner())
        except asyncio.CancelledError:
            cancelled.append("outer")
            raise

    async def use(execution: Execution) -> None:
        async def run() -> None:
            await execution.run_coroutine(outer())

        task = asyncio.create_task(run())
        await asyncio.to_thread(in_the_worker.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert cancelled == ["inner", "outer"]


def test_a_coroutine_that_waits_for_a_worker_can_be_cancelled(
    only_worker: threading.Event,
) -> None:
    async def wait() -> str:
        try:
            await to_worker()
        except asyncio.CancelledError:
            return here()
        return "not cancelled"

    async def use(execution: Execution) -> str:
        async def run() -> str:
            return await execution.run_coroutine(wait())

        task = asyncio.create_task(run())
        await asyncio.sleep(0)
        task.cancel()
        return await task

    assert execute(use) == "MainThread"


def test_only_a_worker_waits_for_the_event_loop() -> None:
    async def inner() -> None: ...

    with pytest.raises(RuntimeError, match="Only code that a request runs in its worker"):
        await_from_sync(inner())


def test_a_job_that_no_worker_will_do_tells_who_awaits_it_why() -> None:
    async def use(execution: Execution) -> WorkerCall[None]:
        call: WorkerCall[None] = WorkerCall(execution, lambda: None)
        threading.Thread(target=call.refuse, args=(Overloaded("busy"),)).start()
        await call.settled()
        return call

    refused = execute(use)

    assert str(refused.refusal) == "busy"
    with pytest.raises(Overloaded, match="busy"):
        refused.value()
