"""A request begins and ends as Django's do, once."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signals
from django.test import override_settings

from django_mullet.execution.execution import Execution
from django_mullet.execution.workers import pool
from tests.executing import entered, execute, here
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("work", [lambda: None, Item.objects.count])
def test_a_request_starts_and_finishes_once(events: list[str], work: Callable[[], object]) -> None:
    async def use(execution: Execution) -> None:
        for _ in range(3):
            await execution.run(work)
        assert events == ["started mullet http"]
        assert execution.is_started

    execute(use)

    assert events == ["started mullet http", "finished mullet"]


def test_the_signals_of_a_request_need_no_connection(events: list[str]) -> None:
    """Though Django's receivers look whether those that are open can be used."""

    async def query(execution: Execution) -> None:
        await execution.run(Item.objects.count)

    async def use(execution: Execution) -> bool:
        await execution.run(lambda: None)
        return execution.has_worker

    pool.stop()
    execute(query)

    assert execute(use) is False


def test_without_work_nothing_starts(events: list[str]) -> None:
    async def use(execution: Execution) -> None:
        assert not execution.is_started

    execute(use)

    assert events == []


def test_a_full_queue_does_not_keep_a_request_from_its_end(events: list[str]) -> None:
    async def main() -> None:
        end = threading.Event()
        async with entered() as execution:
            await execution.run(lambda: None)
            with override_settings(MULLET={"THREADS": 1, "QUEUE": 1}):
                await asyncio.to_thread(pool.stop)
                for _ in range(2):
                    pool.submit(lambda: end.wait(10))
                asyncio.get_running_loop().call_later(0.05, end.set)
                await execution.aclose()

    asyncio.run(main())

    assert events == ["started mullet http", "finished mullet"]


def test_a_request_that_is_cancelled_at_its_end_is_finished(events: list[str]) -> None:
    async def main() -> None:
        end = threading.Event()
        execution = Execution({"type": "http"})
        await execution.run(lambda: None)
        with override_settings(MULLET={"THREADS": 1}):
            await asyncio.to_thread(pool.stop)
            pool.submit(lambda: end.wait(10))
            ending = asyncio.ensure_future(execution.aclose())
            await asyncio.sleep(0.01)
            ending.cancel()
            await asyncio.sleep(0.01)
            end.set()
            await asyncio.wait([ending])
            await execution.run(lambda: None)  # after what waited before it

    asyncio.run(main())

    assert events == ["started mullet http", "finished mullet"]


def test_after_its_end_an_execution_needs_no_worker_of_its_own() -> None:
    async def main() -> None:
        async with entered() as execution:
            await execution.run(Item.objects.count)
        assert not execution.has_worker
        assert await execution.run(here) == "mullet"
        assert not execution.has_worker
        await execution.aclose()

    asyncio.run(main())


def test_a_task_that_outlives_its_request_runs_without_a_request() -> None:
    sent: list[Any] = []

    def note(sender: Any, **kwargs: Any) -> None:
        sent.append(sender)

    async def main() -> None:
        execution = Execution({"type": "http"})
        await execution.run(Item.objects.count)
        await execution.aclose()

        await execution.run(Item.objects.count)

    signals.request_started.connect(note)
    try:
        asyncio.run(main())
    finally:
        signals.request_started.disconnect(note)

    assert sent == [Execution]
