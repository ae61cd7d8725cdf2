"""What a backend that is not Django's own keeps on its wrapper is that of one request only."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, cast

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.test import override_settings
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from pytest_django import DjangoDbBlocker

from django_mullet import APIRouter, atomic
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.workers import pool
from tests.executing import entered
from tests.foreign.tenants import told
from tests.load import answers
from tests.waiting import until

router = APIRouter()
app = FastAPI()
seen: list[Any] = []

TENANTS = [f"tenant-{number}" for number in range(40)]


@pytest.fixture(autouse=True)
def as_in_production(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Have the workers use the backend that tells each session of its tenant."""
    monkeypatch.delattr(mail, "outbox")
    engine = f"tests.foreign.{connection.vendor}"
    monkeypatch.setitem(connections.settings["default"], "ENGINE", engine)
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", None)
    pool.stop()
    slots_of.cache_clear()
    told.clear()
    seen.clear()
    with django_db_blocker.unblock():
        yield
        until(lambda: len(pool._idle) == pool.size)
        assert len(slots_of("default")._idle) == slots_of("default").open
        pool.stop()
        assert slots_of("default").open == 0


def wrapper() -> Any:
    return connections["default"]


def session() -> str:
    """Return the tenant that the session knows of, or the wrapper where it has no such place."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT current_setting('mullet.tenant', true)")
        else:
            cursor.execute("SELECT 1")
        found = cursor.fetchone()[0]
    last = [tenant for raw, tenant in told if raw is connection.connection][-1]
    assert connection.vendor != "postgresql" or found == last
    return last


def choose(tenant: str) -> str:
    """Do what middleware does that has found out the tenant."""
    before: str = wrapper().tenant
    wrapper().set_tenant(tenant)
    return before


Chosen = Annotated[str, Depends(choose)]


@router.get("/def")
def in_def(before: Chosen) -> list[str]:
    return [before, session(), session()]


@router.get("/async")
async def in_async(before: Chosen, first: Annotated[str, Depends(session)]) -> list[str]:
    await asyncio.sleep(0.001)
    return [before, first, await asession()]


async def asession() -> str:
    return await sync_to_async(session)()


@router.get("/without-queries")
async def without_queries(before: Chosen) -> list[str]:
    await asyncio.sleep(0.001)
    return [before, await asession(), await asession()]


@router.get("/stream")
def stream(before: Chosen) -> StreamingResponse:
    def body() -> Iterator[str]:
        yield before
        for _ in range(2):
            yield "," + session()

    return StreamingResponse(body())


@router.get("/async-stream")
async def astream(before: Chosen) -> StreamingResponse:
    async def body() -> AsyncIterator[str]:
        yield before
        for _ in range(2):
            yield "," + await asession()

    return StreamingResponse(body())


@router.get("/task")
def task(before: Chosen, tenant: str, tasks: BackgroundTasks) -> list[str]:
    tasks.add_task(lambda: seen.append([tenant, before, session()]))
    tasks.add_task(arecord, tenant, before)
    return []


async def arecord(tenant: str, before: str) -> None:
    seen.append([tenant, before, await asession()])


def opened(before: Chosen) -> Iterator[list[str]]:
    found = [before, session()]
    yield found
    seen.append([found[1], "public", session()])


@router.get("/dependency")
async def dependency(opened: Annotated[list[str], Depends(opened)]) -> list[str]:
    return [*opened, await asession()]


@router.websocket("/socket")
async def socket(websocket: WebSocket, before: Chosen) -> None:
    await websocket.accept()
    await websocket.send_json([before, await asession()])
    while await websocket.receive_text() != "end":
        await websocket.send_json(await asession())


app.include_router(router)


def asked(path: str) -> list[Any]:
    """Return what `path` answers to as many requests at once as there are tenants, sorted."""
    paths = [f"{path}?tenant={tenant}" for tenant in TENANTS]
    found = answers(app, paths, concurrency=len(paths))
    assert {answer.status for answer in found} == {200}
    return sorted(cast("list[Any]", [answer.body for answer in found]))


LIMITS = [{"CONNECTIONS": 2, "THREADS": 2}, {"CONNECTIONS": 3}, {"CONNECTIONS": 1}, {}]


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("path", ["/def", "/async", "/without-queries", "/dependency"])
def test_each_request_has_its_own_tenant(path: str, limits: dict[str, int]) -> None:
    with override_settings(MULLET={**limits, "CONNECTION_TIMEOUT": 10}):
        for _ in range(2):
            assert asked(path) == [["public", tenant, tenant] for tenant in sorted(TENANTS)]
    assert all(tenant == session for tenant, _, session in seen)


@pytest.mark.parametrize("limits", LIMITS)
def test_so_have_background_tasks(limits: dict[str, int]) -> None:
    with override_settings(MULLET={**limits, "CONNECTION_TIMEOUT": 10}):
        asked("/task")
        until(lambda: len(seen) == 2 * len(TENANTS))

    assert sorted(seen) == sorted([tenant, "public", tenant] for tenant in TENANTS * 2)


@pytest.mark.parametrize("path", ["/stream", "/async-stream"])
def test_so_have_streams(path: str) -> None:
    async def main() -> list[str]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            gets = (client.get(path, params={"tenant": tenant}, timeout=30) for tenant in TENANTS)
            return [answer.text for answer in await asyncio.gather(*gets)]

    with override_settings(MULLET={"CONNECTIONS": 40, "LASTING": 40}):
        found = asyncio.run(main())

    assert found == [f"public,{tenant},{tenant}" for tenant in TENANTS]


def test_so_have_sockets() -> None:
    with (
        TestClient(app) as client,
        client.websocket_connect("/socket?tenant=a") as a,
        client.websocket_connect("/socket?tenant=b") as b,
    ):
        assert a.receive_json() == ["public", "a"]
        assert b.receive_json() == ["public", "b"]
        for _ in range(3):
            a.send_text("")
            b.send_text("")
            assert client.get("/def?tenant=c").json() == ["public", "c", "c"]
            assert [a.receive_json(), b.receive_json()] == ["a", "b"]
        for each in (a, b):
            each.send_text("end")


def in_requests(*requests: list[Callable[[], Any]]) -> list[list[Any]]:
    """Return what the functions of each request return; one request after the other."""

    async def main() -> list[list[Any]]:
        found = []
        for functions in requests:
            async with entered({"type": "http", "path": "/"}) as execution:
                found.append([await execution.run(function) for function in functions])
        return found

    return asyncio.run(asyncio.wait_for(main(), 20))


def test_the_worker_is_kept_from_the_first_job_on() -> None:
    async def main() -> None:
        async with entered() as execution:
            await execution.run(lambda: None)
            assert execution.has_worker
            first = await execution.run(wrapper)
            assert await execution.run(wrapper) is first
        assert not execution.has_worker

    asyncio.run(main())


def test_a_connection_that_is_used_by_the_next_is_told_anew() -> None:
    [[_, first, used], [_, second, again]] = in_requests(
        [lambda: choose("a"), session, lambda: connection.connection],
        [lambda: choose("b"), session, lambda: connection.connection],
    )

    assert [first, second] == ["a", "b"]
    assert used is again
    assert told == [(used, "a"), (used, "b")]


def test_so_is_one_that_the_next_needs_no_tenant_for() -> None:
    in_requests([lambda: choose("a"), session])

    assert in_requests([session]) == [["public"]]


def set_up(connection: Any, **kwargs: Any) -> None:
    """Receive `connection_created`: query, as those do that set an option of the session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@pytest.fixture
def is_set_up() -> Iterator[None]:
    connection_created.connect(set_up)
    yield
    connection_created.disconnect(set_up)


@pytest.mark.parametrize("limits", LIMITS)
def test_so_is_one_that_is_told_while_it_is_opened(is_set_up: None, limits: dict[str, int]) -> None:
    with override_settings(MULLET={**limits, "CONNECTION_TIMEOUT": 10}):
        for _ in range(2):
            assert asked("/async") == [["public", tenant, tenant] for tenant in sorted(TENANTS)]


def test_so_is_one_that_another_worker_takes_over(is_set_up: None) -> None:
    """As it parks for a worker that chooses its tenant before it has a connection."""

    async def main() -> list[Any]:
        with override_settings(MULLET={"CONNECTIONS": 1}):
            first = entered({"type": "http", "path": "/"})
            second = entered({"type": "http", "path": "/"})
            async with second as execution:
                await execution.run(lambda: choose("b"))
                async with first as other:
                    await other.run(lambda: choose("a"))
                    found = [await other.run(session)]
                return [*found, await execution.run(session)]

    assert asyncio.run(asyncio.wait_for(main(), 20)) == ["a", "b"]


@override_settings(MULLET={"THREADS": 1})
def test_a_task_that_goes_on_has_the_tenant_of_nobody() -> None:
    scope = {"type": "http", "path": "/"}

    async def main() -> list[Any]:
        async with entered(scope) as over:
            found = [await over.run(lambda: choose("a")), await over.run(session)]
        async with entered(scope) as other:
            await other.run(lambda: choose("b"))
            await other.run(session)
        return [*found, await over.run(session), await over.run(session)]

    found = asyncio.run(asyncio.wait_for(main(), 20))

    assert found == ["public", "a", "public", "public"]


@override_settings(MULLET={"THREADS": 1})
def test_a_task_that_goes_on_keeps_its_tenant_in_a_transaction() -> None:
    async def main() -> list[Any]:
        async with entered({"type": "http", "path": "/"}) as execution:
            await execution.run(lambda: choose("a"))
            ended = asyncio.Event()
            task = asyncio.create_task(go_on(ended))
            while not seen:
                await asyncio.sleep(0.002)
        ended.set()
        return await task

    async def go_on(ended: asyncio.Event) -> list[Any]:
        async with atomic():
            seen.append(await asession())
            await ended.wait()
            found = [await asession(), await asession()]
        return [*found, await asession()]

    assert asyncio.run(asyncio.wait_for(main(), 20)) == ["a", "a", "public"]
