"""Which tasks are in the transaction of `async with atomic()`?"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.db.transaction import TransactionManagementError

from django_mullet import atomic
from django_mullet.execution.async_atomic import _Job
from tests.executing import entered
from tests.execution.transactions import Failed, Use, depth, everywhere, in_request, names
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


def test_queries_at_once_are_all_in_the_transaction() -> None:
    async def use() -> None:
        with suppress(Failed):
            async with atomic():
                rows = (Item.objects.acreate(name=str(number)) for number in range(20))
                await asyncio.gather(*rows)
                assert await Item.objects.acount() == 20
                raise Failed

    in_request(use)

    assert names() == []


def test_a_task_may_open_a_block_inside_that_of_its_parent() -> None:
    async def child() -> int:
        async with atomic():
            await Item.objects.acreate(name="child")
            return await depth()

    async def use() -> int:
        async with atomic():
            return await asyncio.create_task(child())

    assert in_request(use) == 2
    assert names() == ["child"]


BESIDE = (
    "Another task has a transaction open on this connection: 'async with atomic()' in both would "
    "mix their savepoints. Put one block around what runs concurrently, such as "
    "'asyncio.gather()', or await one task before you start the other."
)


@everywhere
@pytest.mark.parametrize("around", [False, True])
def test_a_task_may_not_open_a_block_beside_that_of_another(
    anywhere: Callable[[Use[list[Any]]], list[Any]], around: bool
) -> None:
    async def write(name: str) -> None:
        async with atomic():
            await Item.objects.acreate(name=name)
            await asyncio.sleep(0.01)

    async def both() -> list[Any]:
        return await asyncio.gather(write("one"), write("two"), return_exceptions=True)

    async def use() -> list[Any]:
        if not around:
            return await both()
        async with atomic():
            return await both()

    first, second = anywhere(use)

    assert first is None
    assert isinstance(second, TransactionManagementError)
    assert str(second) == BESIDE
    assert names() == ["one"]


INSIDE = (
    "A task has opened 'async with atomic()' inside this block and not left it: both are "
    "rolled back. Await the task before the end of the block."
)
ENDED = "The transaction of this 'async with atomic()' block ended before the block did."


@pytest.mark.parametrize("fails", [False, True])
def test_a_block_may_not_end_before_one_that_is_inside_of_it(fails: bool) -> None:
    async def use() -> list[BaseException | None]:
        opened, end = asyncio.Event(), asyncio.Event()

        async def child() -> None:
            async with atomic():
                await Item.objects.acreate(name="child")
                opened.set()
                await end.wait()
                if fails:
                    raise Failed

        async def parent() -> asyncio.Task[None]:
            async with atomic():
                tasks.append(asyncio.create_task(child()))
                await opened.wait()
                if fails:
                    raise Failed
            raise AssertionError

        tasks: list[asyncio.Task[None]] = []
        errors = await asyncio.gather(parent(), return_exceptions=True)
        end.set()
        return [*errors, *await asyncio.gather(*tasks, return_exceptions=True)]

    errors = in_request(use)

    if fails:
        assert [type(error) for error in errors] == [Failed, Failed]
    else:
        assert [str(error) for error in errors] == [INSIDE, ENDED]
    assert names() == []


def test_a_task_may_outlive_its_request_in_a_transaction() -> None:
    async def main() -> int:
        opened, end = asyncio.Event(), asyncio.Event()

        async def outliving() -> None:
            async with atomic():
                await Item.objects.acreate(name="one")
                opened.set()
                await end.wait()
                await Item.objects.acreate(name="two")
            async with atomic():
                await Item.objects.acreate(name="three")

        async with entered() as execution:
            task = asyncio.create_task(outliving())
            await opened.wait()
        end.set()
        await task
        assert not execution.has_worker
        try:
            return await sync_to_async(Item.objects.count)()
        finally:
            await sync_to_async(connections.close_all)()

    assert asyncio.run(main()) == 3
    assert names() == ["one", "two", "three"]


def test_what_a_cancelled_task_has_given_up_does_not_begin() -> None:
    begun = []

    async def main() -> None:
        job = _Job(lambda: begun.append(True))
        assert job.withdraw()
        await job.run_in_any_case()

    asyncio.run(main())

    assert begun == []


def test_what_is_cancelled_while_it_waits_for_the_thread_is_done_in_any_case() -> None:
    done, free = [], threading.Event()

    async def main() -> None:
        async with entered():
            first = asyncio.create_task(sync_to_async(free.wait)())
            await asyncio.sleep(0.01)
            job = _Job(lambda: done.append(True))
            waiting = asyncio.create_task(job.run_in_any_case())
            await asyncio.sleep(0.01)
            waiting.cancel()
            await asyncio.sleep(0.01)
            before = list(done)
            free.set()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await first
            assert (before, done) == ([], [True])

    asyncio.run(main())
