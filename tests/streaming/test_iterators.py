"""Nobody disturbs what `QuerySet.iterator()` reads, and it ends with its request."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings
from fastapi import FastAPI, HTTPException

from django_mullet import APIRouter
from django_mullet.execution import connections
from django_mullet.execution.workers import pool
from django_mullet.streaming.bodies import ITEMS_AHEAD, stream
from tests.executing import entered
from tests.load import answers
from tests.testapp.models import Item
from tests.worker_threads import Thread, open_connections, use

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ["a", "b", "c"]

router = APIRouter()


@router.get("/refuse")
def refuse() -> None:
    for item in Item.objects.iterator(chunk_size=1):
        raise HTTPException(409, item.name)


@router.get("/count")
def count() -> int:
    return Item.objects.count()


app = FastAPI()
app.include_router(router)


@pytest.fixture(autouse=True)
def rows() -> Iterator[None]:
    pool.stop()
    Item.objects.bulk_create(Item(name=name) for name in NAMES)
    yield
    pool.stop()


def close() -> None:
    Item.objects.count()
    connection.close()


async def others_close_their_connections() -> None:
    async def other() -> None:
        async with entered() as execution:
            await execution.run(close)

    await asyncio.gather(*(asyncio.create_task(other()) for _ in range(4)))


def test_no_other_request_uses_the_connection_of_an_iterator() -> None:
    async def main() -> list[str]:
        found = []
        async with entered():
            async for item in Item.objects.order_by("pk").aiterator(chunk_size=1):
                found.append(item.name)
                await others_close_their_connections()
        return found

    assert asyncio.run(main()) == NAMES


@override_settings(MULLET={"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.5})
def test_an_iterator_that_is_left_in_the_middle_ends_with_its_request() -> None:
    found = answers(app, ["/refuse", "/count"] * 3, concurrency=1)

    assert [answer.status for answer in found] == [409, 200] * 3


# While a stream waits for its client


@pytest.mark.parametrize("queries", [Item.objects.count, lambda: None])
def test_nobody_has_the_connection_of_a_stream_while_its_client_is_slow(
    queries: Callable[[], object],
) -> None:
    def body() -> Iterator[str]:
        for item in Item.objects.order_by("pk").iterator(chunk_size=1):
            queries()
            yield from [item.name] * 2 * ITEMS_AHEAD

    async def main() -> list[str]:
        found: list[str] = []
        async with entered() as execution, aclosing(stream(body(), execution)) as items:
            async for item in items:
                if len(found) % ITEMS_AHEAD == 0:
                    await others_close_their_connections()
                found.append(item)
        return found

    assert "".join(asyncio.run(main())) == "".join(name * 2 * ITEMS_AHEAD for name in NAMES)


# In one worker


def opened() -> Any:
    """Begin to read rows, in the middle of which nothing is checked in; return the rest."""
    rows = iter(Item.objects.order_by("pk").iterator(chunk_size=1))
    next(rows)
    connections.checkin()
    return rows


def test_the_connection_of_an_iterator_stays_checked_out(thread: Any) -> None:
    owner, other = thread(), thread()
    rest = owner.run(opened)
    used = owner.run(lambda: connection.connection)

    assert other.run(use) is not used
    assert owner.run(lambda: [item.name for item in rest]) == ["b", "c"]


def test_what_is_left_of_an_iterator_is_closed_and_its_connection_is_not(thread: Any) -> None:
    owner: Thread = thread()
    rest = owner.run(opened)
    used = owner.run(lambda: connection.connection)

    owner.run(connections.close_abandoned)
    owner.run(connections.checkin)

    assert thread().run(use) is used
    del rest


@pytest.mark.postgres
def test_an_iterator_of_a_lost_connection_is_closed_with_it(thread: Any) -> None:
    owner: Thread = thread()
    rest = owner.run(opened)
    pid = owner.run(lambda: connection.connection.info.backend_pid)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    owner.run(connections.close_abandoned)

    assert open_connections() == 0
    with pytest.raises(OperationalError):
        owner.run(lambda: next(rest))
