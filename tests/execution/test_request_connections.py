"""A request keeps its worker, with its connections, as long as it has a reason to."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections, transaction

from django_mullet.execution import worker_lease
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.execution import Execution
from django_mullet.execution.workers import pool
from tests.executing import entered, execute
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def thread() -> str:
    return threading.current_thread().name


def test_an_execution_keeps_its_worker_from_its_first_query_on() -> None:
    async def main() -> tuple[list[str], str]:
        async with entered() as execution, entered() as other:
            await execution.run(thread)
            assert not execution.has_worker
            await execution.run(Item.objects.count)
            assert execution.has_worker
            mine = [await execution.run(thread)]
            elsewhere = await other.run(thread)
            mine.append(await execution.run(thread))
        assert not execution.has_worker
        return mine, elsewhere

    (first, second), other = asyncio.run(main())

    assert first == second != other


@pytest.mark.postgres  # SQLite keeps a database in memory open
@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_an_execution_that_closes_its_connections_lets_its_worker_go() -> None:
    def query() -> None:
        for alias in ("default", "other"):
            Item.objects.using(alias).count()

    async def use(execution: Execution) -> list[bool]:
        await execution.run(query)
        held = [execution.has_worker]
        for alias in ("default", "other"):
            await execution.run(lambda alias=alias: connections[alias].close())  # type: ignore[misc]
            held.append(execution.has_worker)
        return held

    assert execute(use) == [True, True, False]


def test_calls_of_an_execution_run_one_after_the_other_on_one_connection() -> None:
    running: list[int] = []
    most: list[int] = []

    def call() -> int:
        running.append(0)
        most.append(len(running))
        Item.objects.count()
        time.sleep(0.01)
        running.pop()
        return id(connection.connection)

    async def use(execution: Execution) -> set[int]:
        return set(await asyncio.gather(*(sync_to_async(call)() for _ in range(5))))

    assert len(execute(use)) == 1
    assert set(most) == {1}


def test_a_transaction_that_is_left_open_keeps_its_worker() -> None:
    async def main() -> None:
        async with entered() as execution, entered() as other:
            block = transaction.atomic()
            await execution.run(block.__enter__)
            mine = await execution.run(thread)
            assert await other.run(thread) != mine
            assert await execution.run(thread) == mine
            assert await execution.run(lambda: connection.in_atomic_block)
            assert not await other.run(lambda: connection.in_atomic_block)
            await execution.run(lambda: Item.objects.create(name="row"))
            await execution.run(lambda: transaction.set_rollback(True))
            await execution.run(lambda: block.__exit__(None, None, None))

    asyncio.run(main())

    assert not Item.objects.exists()


def test_a_transaction_that_is_never_ended_is_undone_with_the_request() -> None:
    async def use(execution: Execution) -> None:
        await execution.run(transaction.atomic().__enter__)
        await execution.run(lambda: Item.objects.create(name="lost"))

    async def look(execution: Execution) -> list[Any]:
        return await execution.run(lambda: [connection.in_atomic_block, Item.objects.count()])

    execute(use)

    assert execute(look) == [False, 0]


def test_a_query_that_fails_does_not_mean_that_the_database_is_away() -> None:
    def fail() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM missing")

    async def use(execution: Execution) -> bool:
        with suppress(Exception):
            await execution.run(fail)
        return execution.connection_lost

    assert execute(use) is False


def test_a_database_that_is_away_is_noted() -> None:
    pool.stop()  # none of its connections is there to be taken over
    slots_of.cache_clear()

    def fail() -> None:
        wrapper = connections["default"]
        right = wrapper.settings_dict
        wrapper.settings_dict = {**right, "NAME": "/missing/directory/database"}
        try:
            wrapper.close()
            wrapper.connection = None  # SQLite keeps a database in memory open
            wrapper.ensure_connection()
        finally:
            wrapper.settings_dict = right

    async def use(execution: Execution) -> bool:
        with pytest.raises(OperationalError):
            await execution.run(fail)
        return execution.connection_lost

    assert execute(use) is True


def test_what_a_task_has_begun_to_read_and_forgotten_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_lease, "RECHECK_SECONDS", 0.01)
    Item.objects.bulk_create(Item(name="row") for _ in range(4))
    reading: list[Iterator[Item]] = []

    def begin_to_read() -> None:
        reading.append(iter(Item.objects.iterator(chunk_size=1)))
        next(reading[0])

    async def main() -> bool:
        async with entered() as execution:
            pass
        await execution.run(begin_to_read)
        was_held = execution.has_worker
        reading.clear()
        gc.collect()
        await asyncio.to_thread(until, lambda: not execution.has_worker)
        return was_held

    assert asyncio.run(asyncio.wait_for(main(), 25)) is True


def test_looking_again_takes_no_connection_from_a_request_that_is_a_unit() -> None:
    async def main() -> list[bool]:
        async with entered() as execution:
            await execution.run(Item.objects.count)
            kept = [execution.has_worker]
            await execution.run(execution.lease.look_again)
            return [*kept, execution.has_worker]

    assert asyncio.run(main()) == [True, True]
