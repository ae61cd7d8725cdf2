"""Tasks that outlive their request query as they like, and give back what they used."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings
from fastapi import FastAPI

from django_mullet import APIRouter, atomic
from tests.execution.nothing_held import assert_nothing_is_held
from tests.testapp.models import Item

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("as_in_production"),
]


def count() -> int:
    return Item.objects.count()


async def query() -> None:
    await Item.objects.acount()


async def query_after_a_while() -> None:
    await asyncio.sleep(0.02)
    await Item.objects.acount()
    await asyncio.sleep(0.02)
    await sync_to_async(count)()


async def hold_a_transaction() -> None:
    async with atomic():
        await Item.objects.acreate(name="row")
        await asyncio.sleep(0.05)
        await Item.objects.acreate(name="row")


async def begin_a_transaction_late() -> None:
    await asyncio.sleep(0.02)
    await hold_a_transaction()


async def fail_in_a_transaction() -> None:
    async with atomic():
        await Item.objects.acreate(name="row")
        await asyncio.sleep(0.05)
        raise LookupError


async def read_on() -> None:
    async for _ in Item.objects.aiterator(chunk_size=1):
        await asyncio.sleep(0.02)


GOING_ON = [
    query,
    query_after_a_while,
    pytest.param(hold_a_transaction, marks=pytest.mark.postgres),  # SQLite locks the table
    pytest.param(begin_a_transaction_late, marks=pytest.mark.postgres),  # SQLite locks the table
    pytest.param(fail_in_a_transaction, marks=pytest.mark.postgres),  # SQLite locks the table
    read_on,
]


@pytest.mark.parametrize("work", GOING_ON)
@pytest.mark.parametrize("is_cancelled", [False, True])
def test_a_task_that_goes_on_gives_all_back(
    work: Callable[[], Coroutine[Any, Any, None]], is_cancelled: bool
) -> None:
    # What it has begun to read is open until the task, and with it the generator, is forgotten.
    is_cancelled = is_cancelled and work is not read_on
    Item.objects.bulk_create(Item(name="row") for _ in range(4))
    local = APIRouter()
    tasks: list[asyncio.Task[None]] = []

    @local.get("/go-on")
    async def go_on(queries: bool) -> None:
        tasks.append(asyncio.create_task(work()))
        if queries:
            await Item.objects.acount()

    going_on = FastAPI()
    going_on.include_router(local)

    async def main() -> None:
        transport = httpx.ASGITransport(going_on)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            for number in range(6):
                answer = await client.get(f"/go-on?queries={number % 2}", timeout=10)
                assert answer.status_code == 200
        if is_cancelled:
            await asyncio.sleep(0.03)
            for task in tasks:
                task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

    with override_settings(MULLET={"THREADS": 2, "CONNECTIONS": 3, "CONNECTION_TIMEOUT": 15}):
        asyncio.run(main())
        assert_nothing_is_held()
