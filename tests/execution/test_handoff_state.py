import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from django_mullet.execution.handoff_state import (
    FINISHED,
    QUEUED,
    RUNNING,
    SUSPENDED,
    WITHDRAWN,
    Handoff,
    HandoffState,
)

T = TypeVar("T")


def on_loop(use: Callable[[Handoff], Awaitable[T]]) -> T:
    """Return what `use` returns for a job that is handed from an event loop."""

    async def main() -> T:
        return await asyncio.wait_for(use(Handoff()), 10)

    return asyncio.run(main())


def in_thread(function: Callable[[], T]) -> T:
    """Return what `function` returns in another thread."""
    returned: list[T] = []
    thread = threading.Thread(target=lambda: returned.append(function()))
    thread.start()
    thread.join(10)
    return returned[0]


def test_a_job_begins_once() -> None:
    async def use(job: Handoff) -> list[object]:
        assert job.is_queued
        before = job.state
        begun = [in_thread(job.begin) for _ in range(2)]
        return [before, *begun, job.state, job.is_queued]

    assert on_loop(use) == [QUEUED, True, False, RUNNING, False]


def test_what_was_withdrawn_does_not_begin() -> None:
    async def use(job: Handoff) -> list[object]:
        return [job.withdraw(), in_thread(job.begin), job.state]

    assert on_loop(use) == [True, False, WITHDRAWN]


def test_what_has_begun_is_not_withdrawn() -> None:
    async def use(job: Handoff) -> list[object]:
        return [in_thread(job.begin), job.withdraw(), job.state]

    assert on_loop(use) == [True, False, RUNNING]


def test_of_many_threads_one_begins() -> None:
    async def use(job: Handoff) -> int:
        begun = await asyncio.gather(*(asyncio.to_thread(job.begin) for _ in range(20)))
        return sum(begun)

    assert on_loop(use) == 1


@pytest.mark.parametrize("state", [SUSPENDED, FINISHED, WITHDRAWN])
def test_a_report_arrives_on_the_loop(state: HandoffState) -> None:
    async def use(job: Handoff) -> list[HandoffState]:
        job.begin()
        in_thread(lambda: job.report(state))
        before = job.state  # the loop has had no turn since
        await job.arrival()
        return [before, job.state]

    assert on_loop(use) == [RUNNING, state]


def test_one_report_does_not_end_the_next_wait() -> None:
    """That of being finished is not taken for what the job is suspended for, nor the reverse."""

    async def use(job: Handoff) -> list[HandoffState]:
        job.begin()
        in_thread(lambda: job.report(SUSPENDED))
        await job.arrival()
        seen = [job.state]
        job.resume()
        waiting = asyncio.ensure_future(job.arrival())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        seen.append(job.state)
        in_thread(lambda: job.report(FINISHED))
        await waiting
        return [*seen, job.state]

    assert on_loop(use) == [SUSPENDED, RUNNING, FINISHED]


def test_a_cancelled_task_waits_on() -> None:
    async def use(job: Handoff) -> HandoffState:
        job.begin()
        waiting = asyncio.ensure_future(job.arrival())
        for _ in range(3):
            await asyncio.sleep(0)
            waiting.cancel()
        await asyncio.sleep(0.01)
        assert not waiting.done()
        in_thread(lambda: job.report(FINISHED))
        await waiting
        return job.state

    assert on_loop(use) is FINISHED


def test_a_report_to_a_closed_loop_is_for_nobody() -> None:
    async def make() -> Handoff:
        return Handoff()

    job = asyncio.run(make())

    job.report(FINISHED)

    assert job.state is QUEUED
