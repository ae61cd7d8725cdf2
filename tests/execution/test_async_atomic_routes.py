"""A route may use `async with atomic()` wherever it may be written."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Annotated

import httpx
import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connection, connections, transaction
from django.test import TestCase
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import FastAPIError
from fastapi.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from django_mullet import APIRouter, Atomic, atomic
from tests.execution.transactions import Failed, depth, in_request, names
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


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
