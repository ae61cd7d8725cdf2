"""A call into a worker that is cancelled is not made, or waited for."""

import asyncio
import threading
from typing import Any

import pytest

from django_mullet.execution.execution import Execution
from django_mullet.execution.workers import pool
from tests.executing import execute, here
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_call_that_is_cancelled_before_it_begins_is_never_made(
    only_worker: threading.Event,
) -> None:
    called: list[str] = []

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(execution.run(lambda: called.append("x")))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)
    only_worker.set()
    until(lambda: pool.waiting == 0)

    assert called == []


def test_a_call_that_is_cancelled_while_it_runs_is_waited_for() -> None:
    started, end = threading.Event(), threading.Event()
    called: list[str] = []

    def work() -> str:
        started.set()
        end.wait(5)
        called.append(here())
        return "lost"

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(execution.run(work))
        await asyncio.to_thread(started.wait, 5)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.01)
            assert not task.done()
        end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert called == ["mullet"]

    execute(use)


def test_a_call_that_fails_after_it_is_cancelled_raises_its_error() -> None:
    """As a thread of anyio's does, and a coroutine that is cancelled."""
    started, end = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        end.wait(5)
        raise LookupError(here())

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(execution.run(work))
        await asyncio.to_thread(started.wait, 5)
        task.cancel()
        await asyncio.sleep(0)
        end.set()
        with pytest.raises(LookupError, match="mullet"):
            await task

    execute(use)


def test_a_call_that_is_cancelled_when_it_is_just_done_is_not_waited_for_in_vain() -> None:
    called: list[str] = []

    async def use(execution: Execution) -> None:
        pool.stop()
        task = asyncio.ensure_future(execution.run(lambda: called.append(here())))
        await asyncio.sleep(0)
        # Without going back to the loop, which so hears of the end after the cancellation.
        until(lambda: called and len(pool._idle) == pool.size)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert called == ["mullet"]


def test_a_worker_outlives_a_loop_that_is_closed() -> None:
    started, end = threading.Event(), threading.Event()
    done: list[str] = []

    def work() -> None:
        started.set()
        end.wait(5)
        done.append(here())

    async def begin() -> Any:
        execution = Execution({"type": "http"})
        task = asyncio.ensure_future(execution.run(work))
        await asyncio.to_thread(started.wait, 5)
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    task._log_destroy_pending = False
    end.set()

    until(lambda: done)
    assert execute(lambda execution: execution.run(here)) == "mullet"
