"""`async with atomic()` is what Django's `with atomic()` is, across awaits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from django_mullet import RolledBack, atomic
from tests.executing import entered
from tests.execution.transactions import (
    Failed,
    Use,
    depth,
    everywhere,
    in_request,
    in_script,
    names,
)
from tests.testapp.models import Author, Item

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


@everywhere
def test_a_block_commits(anywhere: Callable[[Use[int]], int]) -> None:
    async def use() -> int:
        async with atomic():
            item = await Item.objects.acreate(name="one")
            await asyncio.sleep(0)
            item.name = "two"
            await item.asave()
            assert (await Item.objects.aget(pk=item.pk)).name == "two"
            assert [row.name async for row in Item.objects.all()] == ["two"]
            return await depth()

    assert anywhere(use) == 1
    assert names() == ["two"]


@everywhere
def test_an_exception_rolls_a_block_back(anywhere: Callable[[Use[int]], int]) -> None:
    async def use() -> int:
        await fails()
        return await depth()

    async def fails() -> None:
        with suppress(Failed):
            async with atomic():
                await Item.objects.acreate(name="lost")
                raise Failed

    assert anywhere(use) == 0
    assert names() == []


@everywhere
def test_a_block_within_another_is_a_savepoint(anywhere: Callable[[Use[None]], None]) -> None:
    async def use() -> None:
        async with atomic():
            await Item.objects.acreate(name="before")
            with suppress(Failed):
                async with atomic():
                    await Item.objects.acreate(name="lost")
                    raise Failed
            await Item.objects.acreate(name="after")

    anywhere(use)

    assert names() == ["before", "after"]


def test_without_a_savepoint_the_inner_block_takes_the_outer_with_it() -> None:
    async def use() -> None:
        async with atomic():
            with suppress(Failed):
                async with atomic(savepoint=False):
                    raise Failed
            with pytest.raises(TransactionManagementError):
                await Item.objects.acreate(name="lost")

    with pytest.raises(RolledBack):
        in_request(use)

    assert names() == []


def test_a_durable_block_is_the_outermost() -> None:
    async def use() -> None:
        async with atomic(durable=True):
            await Item.objects.acreate(name="kept")
            with pytest.raises(RuntimeError, match="durable atomic block cannot be nested"):
                async with atomic(durable=True):
                    pass

    in_request(use)

    assert names() == ["kept"]


def test_a_block_is_of_one_database() -> None:
    async def use() -> list[int]:
        async with atomic("other"):
            await Item.objects.using("other").acreate(name="lost")
            await Item.objects.acreate(name="kept")
            found = [await depth("other"), await depth()]
            await sync_to_async(transaction.set_rollback)(True, using="other")
        return found

    assert in_request(use) == [1, 0]
    assert names() == ["kept"]
    assert names("other") == []


@everywhere
def test_an_error_of_the_database_breaks_the_transaction(
    anywhere: Callable[[Use[None]], None],
) -> None:
    async def use() -> None:
        async with atomic():
            await Author.objects.acreate(name="Ann")
            with suppress(IntegrityError):
                await Author.objects.acreate(name="Ann")
            with pytest.raises(TransactionManagementError, match="An error occurred"):
                await Author.objects.acount()

    with pytest.raises(RolledBack):
        anywhere(use)

    assert not Author.objects.exists()


@pytest.mark.parametrize("robust", [False, True])
def test_what_is_to_run_on_commit_runs_after_the_outermost_block(robust: bool) -> None:
    order: list[str] = []
    seen: ContextVar[str] = ContextVar("seen")

    def note(name: str) -> None:
        seen.set(name)
        order.append(f"{name} {connection.in_atomic_block}")

    async def on_commit(name: str) -> None:
        await sync_to_async(transaction.on_commit)(partial(note, name), robust=robust)

    async def use() -> str:
        async with atomic():
            async with atomic():
                await on_commit("inner")
            with suppress(Failed):
                async with atomic():
                    await on_commit("lost")
                    raise Failed
            order.append("end")
        return seen.get()

    assert in_request(use) == "inner"
    assert order == ["end", "inner False"]


def test_an_error_on_commit_is_raised_unless_it_is_robust(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise Failed

    async def use(robust: bool) -> None:
        async with atomic():
            await Item.objects.acreate(name="kept")
            await sync_to_async(transaction.on_commit)(fail, robust=robust)

    in_request(partial(use, True))
    with pytest.raises(Failed):
        in_request(partial(use, False))

    assert names() == ["kept", "kept"]


def test_it_decorates_functions() -> None:
    @atomic
    async def bare(name: str) -> int:
        await Item.objects.acreate(name=name)
        return await depth()

    @atomic(using="other", savepoint=False)
    async def called(name: str) -> int:
        await Item.objects.using("other").acreate(name=name)
        raise Failed

    @atomic
    def plain(name: str) -> int:
        Item.objects.create(name=name)
        return len(connection.atomic_blocks)

    async def use() -> list[int]:
        found = [await bare("one"), await bare(name="two"), await sync_to_async(plain)("three")]
        with suppress(Failed):
            await called("lost")
        return found

    assert in_request(use) == [1, 1, 1]
    assert bare.__name__ == "bare"
    assert names() == ["one", "two", "three"]
    assert names("other") == []


def test_it_does_not_decorate_an_async_generator() -> None:
    with pytest.raises(TypeError) as caught:

        @atomic
        async def rows() -> AsyncIterator[int]:
            yield 1

    assert str(caught.value) == (
        "'atomic' cannot decorate the async generator "
        "'test_it_does_not_decorate_an_async_generator.<locals>.rows': write 'async with "
        "atomic():' inside it."
    )


def test_it_is_django_s_in_synchronous_code() -> None:
    with atomic(), suppress(Failed), atomic():
        Item.objects.create(name="lost")
        raise Failed
    with atomic():
        Item.objects.create(name="kept")

    assert names() == ["kept"]


def test_one_block_may_be_entered_by_many_at_once() -> None:
    block = atomic()

    async def write(number: int) -> None:
        async with entered():
            with suppress(Failed):
                async with block, block:
                    await Item.objects.acreate(name=str(number))
                    await asyncio.sleep(0.001 * (number % 3))
                    if number % 2:
                        raise Failed

    async def main() -> None:
        await asyncio.gather(*(asyncio.create_task(write(number)) for number in range(8)))

    if connection.vendor == "postgresql":
        asyncio.run(main())
        assert sorted(names()) == ["0", "2", "4", "6"]
    else:  # SQLite in memory: each worker has a database of its own
        in_request(partial(write, 0))
        assert names() == ["0"]


def test_it_is_left_where_the_context_is_another() -> None:
    block = atomic()

    async def use() -> int:
        await asyncio.create_task(block.__aenter__())
        await asyncio.create_task(block.__aexit__(None, None, None))
        return await depth()

    assert in_request(use) == 0


def test_on_the_event_loop_it_needs_async() -> None:
    async def use() -> None:
        with pytest.raises(SynchronousOnlyOperation), atomic():
            pass

    in_script(use)
