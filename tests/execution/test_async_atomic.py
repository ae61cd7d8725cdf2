"""`async with atomic()` is a transaction, which needs a worker and a connection that long only."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from contextvars import ContextVar
from functools import partial
from typing import Annotated, Any, TypeVar

import httpx
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import IntegrityError, connection, connections, transaction
from django.db.transaction import TransactionManagementError
from django.test import TestCase
from django.utils.connection import ConnectionDoesNotExist
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import FastAPIError
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from django_mullet import APIRouter, Atomic, RolledBack, atomic
from django_mullet.execution.async_atomic import _Job
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.workers import pool
from tests.executing import entered
from tests.testapp.models import Author, Item
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

T = TypeVar("T")
Use = Callable[[], Coroutine[Any, Any, T]]


class Failed(Exception):
    pass


def in_request(use: Use[T]) -> T:
    """Return what `use` returns in a request."""

    async def main() -> T:
        async with entered():
            return await asyncio.wait_for(use(), 10)

    return asyncio.run(main())


def in_request_that_has_queried(use: Use[T]) -> T:
    async def main() -> T:
        async with entered():
            await Item.objects.acount()
            return await asyncio.wait_for(use(), 10)

    return asyncio.run(main())


def in_script(use: Use[T]) -> T:
    """Return what `use` returns outside of any request."""

    async def main() -> T:
        try:
            return await asyncio.wait_for(use(), 10)
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(main())


def in_command(use: Use[T]) -> T:
    """Return what `use` returns below `async_to_sync`, as in a management command."""
    return async_to_sync(use)()


everywhere = pytest.mark.parametrize(
    "anywhere", [in_request, in_request_that_has_queried, in_script, in_command]
)


async def depth(using: str = "default") -> int:
    """Return how many blocks are open on the connection of the async ORM."""
    return await sync_to_async(lambda: len(connections[using].atomic_blocks))()


def names(using: str = "default") -> list[str]:
    return list(Item.objects.using(using).order_by("pk").values_list("name", flat=True))


# What Django's does


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
        "atomic():' inside of it."
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


# Tasks


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
    "mix their savepoints. Write one block around what runs at once, as around "
    "'asyncio.gather()', or await one task before the other."
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
    "A task has opened 'async with atomic()' inside of this block and not left it: both are "
    "rolled back. Await the task before the end of the block."
)
ENDED = "The transaction of this 'async with atomic()' block has ended before it."


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


# Workers and connections


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
    with pytest.raises(ConnectionDoesNotExist, match="missing"):
        asyncio.run(refused())


async def refused() -> None:
    async with entered() as execution:
        try:
            async with atomic("missing"):
                pass
        finally:
            assert not execution.has_worker


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


# Routes


router = APIRouter()


@router.post("/block")
async def block(request: Request, fail: bool = False) -> int:
    async with atomic():
        await Item.objects.acreate(name="row")
        if fail:
            raise HTTPException(409)
        return await depth()


@router.post("/atomic")
async def atomic_block(_: Atomic, fail: bool = False) -> int:
    with suppress(Failed):
        async with atomic():
            await Item.objects.acreate(name="lost")
            raise Failed
    async with atomic():
        await Item.objects.acreate(name="row")
        found = await depth()
    if fail:
        raise HTTPException(409)
    return found


async def transaction_of_the_request() -> AsyncIterator[None]:
    async with atomic():
        yield


OfTheRequest = Annotated[None, Depends(transaction_of_the_request, scope="function")]


@router.post("/dependency")
async def dependency_block(_: OfTheRequest, fail: bool = False) -> int:
    await Item.objects.acreate(name="row")
    if fail:
        raise HTTPException(409)
    return await depth()


@router.post("/def")
def def_with_dependency(_: OfTheRequest, fail: bool = False) -> int:
    Item.objects.create(name="row")
    if fail:
        raise HTTPException(409)
    return len(connection.atomic_blocks)


@router.post("/decorated")
@atomic
async def decorated(fail: bool = False) -> int:
    await Item.objects.acreate(name="row")
    if fail:
        raise HTTPException(409)
    return await depth()


app = FastAPI()
app.include_router(router)
PATHS = {"/block": 1, "/atomic": 2, "/dependency": 1, "/def": 1, "/decorated": 1}


@pytest.mark.parametrize("atomic_requests", [False, True])
@pytest.mark.parametrize("path", PATHS)
def test_a_route_has_its_transaction(
    monkeypatch: pytest.MonkeyPatch, path: str, atomic_requests: bool
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic_requests)
    client = TestClient(app)

    assert client.post(path).json() == PATHS[path] + atomic_requests
    assert client.post(f"{path}?fail=true").status_code == 409
    assert names() == ["row"]


class Outlasting:
    """Closes after the answer what a request has opened, as containers of dependencies do."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as scope["stack"]:
            await self.app(scope, receive, send)


async def opened(request: Request) -> None:
    await request.scope["stack"].enter_async_context(atomic())


def test_it_may_be_left_by_middleware_after_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    outlasted = FastAPI(dependencies=[Depends(opened)])
    outlasted.include_router(router)
    outlasted.add_middleware(Outlasting)
    client = TestClient(outlasted)

    for path, count in PATHS.items():
        assert client.post(path).json() == count + 1

    assert names() == ["row"] * len(PATHS)
    assert [record.getMessage() for record in caplog.records if record.levelno > 20] == []


def test_it_is_not_taken_for_a_dependency() -> None:
    with pytest.raises(FastAPIError):
        APIRouter().get("/", dependencies=[Depends(atomic, scope="function")])(block)


class InTestCase(TestCase):
    def test_a_block_is_inside_of_the_test_s_transaction(self) -> None:
        for path in PATHS:
            assert TestClient(app).post(path).status_code == 200

        assert names() == ["row"] * len(PATHS)

    def test_nothing_is_left_of_it(self) -> None:
        assert names() == []

    async def test_an_async_test_may_have_one_around_its_requests(self) -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            with suppress(Failed):
                async with atomic():
                    for path in PATHS:
                        assert (await client.post(path)).status_code == 200
                    assert await Item.objects.acount() == len(PATHS)
                    raise Failed

        assert await Item.objects.acount() == 0

    def test_commit_hooks_are_captured(self) -> None:
        committed: list[str] = []

        async def use() -> None:
            async with atomic():
                await sync_to_async(transaction.on_commit)(partial(committed.append, "x"))

        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            in_request(use)
            async_to_sync(use)()

        assert len(callbacks) == 2
        assert committed == ["x", "x"]
