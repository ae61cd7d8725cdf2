"""A request that is cancelled in its transaction leaves no row, and takes no worker with it."""

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import httpx
import pytest
from anyio import from_thread
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connection, connections
from django.test import override_settings
from fastapi import Depends, FastAPI

from django_mullet import APIRouter, Atomic, atomic
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.workers import pool
from tests.load import answers
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

REQUESTS = 200
AT_ONCE = 20

router = APIRouter()
inside: list[str] = []
"""One for each request that waits in its transaction."""


def write() -> None:
    Item.objects.create(name="row")


async def wait(seconds: float) -> None:
    inside.append("request")
    await asyncio.sleep(seconds)


@router.get("/block")
async def in_block(seconds: float) -> None:
    async with atomic():
        await Item.objects.acreate(name="row")
        await wait(seconds)


@router.get("/nested")
async def in_nested_block(seconds: float) -> None:
    async with atomic(), atomic():
        await Item.objects.acreate(name="row")
        await wait(seconds)


@router.get("/atomic")
async def in_atomic_route(_: Atomic, seconds: float) -> None:
    await Item.objects.acreate(name="row")
    await wait(seconds)


@router.get("/setting")
async def in_atomic_request(seconds: float) -> None:
    await Item.objects.acreate(name="row")
    await wait(seconds)


@router.get("/def")
def in_def(
    _: Atomic, __: Annotated[None, Depends(write)], ___: Annotated[None, Depends(wait)]
) -> None: ...


@router.get("/from-thread")
def in_def_that_waits_for_the_loop(
    _: Atomic, __: Annotated[None, Depends(write)], seconds: float
) -> None:
    from_thread.run(wait, seconds)


@router.get("/sleep")
async def after_block(seconds: float) -> None:
    async with atomic():
        await Item.objects.acreate(name="row")
    await wait(seconds)


@router.get("/count")
async def count() -> int:
    return await Item.objects.acount()


app = FastAPI()
app.include_router(router)
PATHS = ["/block", "/nested", "/atomic", "/setting", "/def", "/from-thread"]


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a request hold no worker that it does not need; nothing is shared with the test."""
    monkeypatch.delattr(mail, "outbox")
    inside.clear()
    pool.stop()
    slots_of.cache_clear()
    yield
    pool.stop()
    assert slots_of("default").open == 0


def in_transaction() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        )
        [found] = cursor.fetchone()
    return int(found)


async def cancel(path: str, *, requests: int, when_inside: int) -> list[Any]:
    """Send `requests` at once, and cancel them when so many of them are in a transaction.

    Return what they return or raise.
    """
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        inside.clear()
        tasks = [asyncio.create_task(client.get(f"{path}?seconds=60")) for _ in range(requests)]
        while len(inside) < when_inside:
            await asyncio.sleep(0.002)
        for task in tasks:
            task.cancel()
        return await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 30)


def assert_nothing_is_left() -> None:
    assert not Item.objects.exists()
    assert in_transaction() == 0
    until(lambda: len(pool._idle) == pool.size and not pool.waiting)


def assert_all_are_answered(path: str) -> None:
    found = answers(app, [f"{path}?seconds=0.001"] * REQUESTS)
    assert {answer.status for answer in found} == {200}
    assert Item.objects.count() == REQUESTS


@pytest.mark.parametrize("path", PATHS)
def test_requests_that_are_cancelled_in_their_transaction_leave_nothing(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", path == "/setting")

    async def main() -> set[type]:
        found: list[Any] = []
        for _ in range(REQUESTS // AT_ONCE):
            found += await cancel(path, requests=AT_ONCE, when_inside=AT_ONCE)
        return {type(one) for one in found}

    assert asyncio.run(main()) == {asyncio.CancelledError}
    assert_nothing_is_left()
    assert_all_are_answered(path)


@pytest.mark.parametrize("path", ["/block", "/def", "/from-thread"])
def test_requests_that_are_cancelled_while_they_wait_for_one_leave_nothing(path: str) -> None:
    with override_settings(MULLET={"CONNECTIONS": 4}):
        found = asyncio.run(cancel(path, requests=REQUESTS, when_inside=4))

        assert {type(one) for one in found} == {asyncio.CancelledError}
        assert_nothing_is_left()
        assert_all_are_answered(path)
    assert slots_of("default").open <= 4


@pytest.mark.parametrize("limits", [{"CONNECTIONS": 4}, {"CONNECTIONS": 2, "THREADS": 4}])
def test_more_transactions_than_connections_and_workers_all_end(limits: dict[str, int]) -> None:
    with override_settings(MULLET=limits):
        found = answers(app, ["/block?seconds=0.02"] * 64, concurrency=64)

    assert {answer.status for answer in found} == {200}
    assert Item.objects.count() == 64


def test_after_the_block_the_connection_is_idle() -> None:
    async def main() -> list[int]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            waiting = asyncio.create_task(client.get("/sleep?seconds=60"))
            while not inside:
                await asyncio.sleep(0.002)
            found = [await asyncio.to_thread(seen), (await client.get("/count")).json()]
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        return found

    def seen() -> int:
        try:
            return in_transaction()
        finally:
            connection.close()

    with override_settings(MULLET={"CONNECTIONS": 2, "THREADS": 1, "CONNECTION_TIMEOUT": 2}):
        assert asyncio.run(main()) == [0, 1]


@pytest.mark.parametrize("cancellations", [1, 3])
def test_a_cancelled_task_rolls_back_outside_of_a_request_too(cancellations: int) -> None:
    async def write_and_wait() -> None:
        async with atomic():
            await Item.objects.acreate(name="row")
            await wait(60)

    async def main() -> int:
        task = asyncio.create_task(write_and_wait())
        while not inside:
            await asyncio.sleep(0.002)
        for _ in range(cancellations):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        try:
            return await Item.objects.acount() + await sync_to_async(in_transaction)()
        finally:
            await sync_to_async(connections.close_all)()

    assert asyncio.run(main()) == 0
