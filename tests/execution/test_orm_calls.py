"""The async ORM, and what else is thread-sensitive, runs in the request's worker."""

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from django_mullet import Overloaded
from django_mullet.execution.execution import Execution
from django_mullet.execution.handoff import (
    WorkerCall,
)
from django_mullet.execution.orm_calls import OrmCall
from django_mullet.execution.workers import pool
from tests.executing import entered, execute, here
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_asynchronous_orm_runs_in_the_worker() -> None:
    async def use(execution: Execution) -> list[Any]:
        await Item.objects.acreate(name="row")
        return [await Item.objects.acount(), await sync_to_async(here)()]

    assert execute(use) == [1, "mullet"]


def test_an_error_of_the_asynchronous_orm_is_raised() -> None:
    async def use(execution: Execution) -> None:
        await Item.objects.aget(name="missing")

    with pytest.raises(Item.DoesNotExist):
        execute(use)


def test_the_asynchronous_orm_and_functions_share_a_transaction() -> None:
    async def use(execution: Execution) -> int:
        block = transaction.atomic()
        await execution.run(block.__enter__)
        await Item.objects.acreate(name="row")
        inside = await execution.run(Item.objects.count)
        await execution.run(lambda: transaction.set_rollback(True))
        await sync_to_async(block.__exit__)(None, None, None)
        return inside

    assert execute(use) == 1
    assert Item.objects.count() == 0


def test_many_queries_at_once_are_all_answered() -> None:
    Item.objects.create(name="row")

    async def use(execution: Execution) -> list[int]:
        return await asyncio.gather(*(Item.objects.acount() for _ in range(20)))

    assert execute(use) == [1] * 20


def test_a_query_is_refused_where_there_is_no_worker_for_it(only_worker: threading.Event) -> None:
    pool.submit(lambda: None)

    async def use(execution: Execution) -> None:
        await Item.objects.acount()

    with pytest.raises(Overloaded):
        execute(use)


def test_a_query_that_is_cancelled_before_it_begins_is_never_made(
    only_worker: threading.Event,
) -> None:
    called: list[str] = []

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(sync_to_async(lambda: called.append("x"))())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)
    only_worker.set()
    until(lambda: pool.waiting == 0)

    assert execute(lambda execution: execution.run(here)) == "mullet"
    assert called == []


def test_below_async_to_sync_the_orm_runs_in_the_worker_too() -> None:
    from asgiref.sync import async_to_sync

    async def main() -> list[str]:
        async with entered():
            inside = await sync_to_async(here)()
        return [inside, await sync_to_async(here)()]

    assert async_to_sync(main)() == ["mullet", "MainThread"]


def test_what_was_given_up_is_not_refused_as_well() -> None:
    async def use(execution: Execution) -> list[Any]:
        call = OrmCall(execution, lambda: None)
        call.future.cancel()
        refused = WorkerCall(execution, lambda: None)
        assert refused.withdraw()
        for job in (call, refused):
            job.refuse(Overloaded("busy"))
        return [call.future.cancelled(), refused.refusal]

    assert execute(use) == [True, None]


def test_a_call_that_is_refused_raises_why() -> None:
    async def use(execution: Execution) -> Any:
        call = OrmCall(execution, lambda: None)
        call.refuse(Overloaded("busy"))
        return call.future.exception()

    assert isinstance(execute(use), Overloaded)
