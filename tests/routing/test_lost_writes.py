"""An answer of 200 means that the rows are there, and any other that they are not."""

import asyncio
import time
from collections.abc import Iterator
from typing import Annotated

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections, transaction
from fastapi import Depends, FastAPI

from django_mullet import APIRouter, Atomic
from tests.load import answers
from tests.testapp.models import Item

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

ROUNDS = 3
CONCURRENCY = 32


class Failed(Exception):
    """What every other request raises after its write."""


def transaction_of_the_request() -> Iterator[None]:
    with transaction.atomic():
        yield


def pause() -> None:
    time.sleep(0.002)


Pause = Annotated[None, Depends(pause)]
OfTheRequest = Annotated[None, Depends(transaction_of_the_request)]

router = APIRouter()


def write(*, fail: bool) -> bool:
    """Create a row; return whether that happened inside a transaction."""
    time.sleep(0.003)
    in_transaction = connection.in_atomic_block
    Item.objects.create(name="written")
    if fail:
        raise Failed
    return in_transaction


async def awrite(*, fail: bool) -> bool:
    """Create a row by the async ORM; return whether that happened inside a transaction."""
    await Item.objects.acreate(name="written")
    await asyncio.sleep(0.003)
    if fail:
        raise Failed
    return await sync_to_async(lambda: connection.in_atomic_block)()


@router.get("/def/atomic")
def with_atomic(fail: bool, _: Pause, __: Atomic) -> bool:
    return write(fail=fail)


@router.get("/def/dependency")
def with_dependency(fail: bool, _: Pause, __: OfTheRequest) -> bool:
    return write(fail=fail)


@router.get("/def/setting")
def with_setting(fail: bool, _: Pause) -> bool:
    return write(fail=fail)


@router.get("/async/atomic")
async def awith_atomic(fail: bool, _: Pause, __: Atomic) -> bool:
    return await awrite(fail=fail)


@router.get("/async/dependency")
async def awith_dependency(fail: bool, _: Pause, __: OfTheRequest) -> bool:
    return await awrite(fail=fail)


@router.get("/async/setting")
async def awith_setting(fail: bool, _: Pause) -> bool:
    return await awrite(fail=fail)


app = FastAPI()
app.include_router(router)


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    settings = connections.settings["default"]
    settings["ATOMIC_REQUESTS"] = True
    yield
    settings["ATOMIC_REQUESTS"] = False


def check(path: str) -> None:
    for _ in range(ROUNDS):
        Item.objects.all().delete()

        found = answers(
            app,
            [f"{path}?fail={number % 2 == 0}" for number in range(CONCURRENCY)],
            concurrency=CONCURRENCY,
        )

        assert sorted({answer.status for answer in found}) == [200, 500]
        successes = [answer for answer in found if answer.status == 200]
        assert len(successes) == CONCURRENCY // 2
        assert all(answer.body is True for answer in successes)
        assert Item.objects.count() == len(successes)


@pytest.mark.parametrize("colour", ["def", "async"])
@pytest.mark.parametrize("path", ["atomic", "dependency"])
def test_a_transaction_holds_exactly_the_writes_of_its_request(colour: str, path: str) -> None:
    check(f"/{colour}/{path}")


@pytest.mark.parametrize("colour", ["def", "async"])
@pytest.mark.usefixtures("atomic_requests")
def test_atomic_requests_hold_exactly_the_writes_of_their_request(colour: str) -> None:
    check(f"/{colour}/setting")
