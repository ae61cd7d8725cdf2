"""How long does `async with atomic()` keep its worker and connection?"""

import asyncio
from contextlib import suppress

import pytest
from django.db import transaction
from django.utils.connection import ConnectionDoesNotExist

from django_mullet import atomic
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.workers import pool
from tests.executing import entered
from tests.execution.transactions import Failed, in_request, names
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


@pytest.mark.parametrize("fails", [False, True])
def test_a_worker_is_held_while_the_outermost_block_is_open(fails: bool) -> None:
    async def main() -> list[bool]:
        async with entered() as execution:
            await Item.objects.acount()
            held = [execution.has_worker]
            with suppress(Failed):
                async with atomic():
                    held.append(execution.has_worker)
                    async with atomic():
                        pass
                    held.append(execution.has_worker)
                    if fails:
                        raise Failed
            return [*held, execution.has_worker]

    assert asyncio.run(main()) == [True, True, True, True]
    until(lambda: len(pool._idle) == pool.size)


def test_a_worker_is_given_back_where_a_block_is_refused() -> None:
    async def main() -> bool:
        async with entered() as execution:
            with pytest.raises(ConnectionDoesNotExist, match="missing"):
                async with atomic("missing"):
                    pass
            return execution.has_worker

    assert asyncio.run(main()) is False


def test_a_request_keeps_its_worker_after_the_block() -> None:
    async def main() -> bool:
        async with entered() as execution:
            async with atomic():
                pass
            return execution.has_worker

    assert asyncio.run(main())


def test_a_transaction_that_was_left_open_keeps_its_worker_until_it_ends() -> None:
    async def main() -> list[bool]:
        async with entered() as execution:
            block = transaction.atomic()
            await execution.run(block.__enter__)
            async with atomic():
                await Item.objects.acreate(name="row")
            held = [execution.has_worker]
            await execution.run(lambda: block.__exit__(None, None, None))
            return [*held, execution.has_worker]

    assert asyncio.run(main()) == [True, True]
    assert names() == ["row"]


def test_the_connection_is_there_for_others_after_the_request() -> None:
    async def use() -> bool:
        async with atomic():
            await Item.objects.acount()
        return bool(slots_of("default")._idle)

    pool.stop()
    slots_of.cache_clear()

    assert in_request(use) is False
    assert len(slots_of("default")._idle) == 1
