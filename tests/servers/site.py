"""What do the servers of the tests serve?

Every colour of endpoint with a query in it, and what goes wrong in production: endpoints that
hang, bodies that nobody reads.
"""

import os
import time
from collections.abc import Iterator
from typing import Annotated

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.servers.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.urls import reverse  # noqa: E402
from fastapi import Body, Depends, FastAPI  # noqa: E402
from fastapi.responses import PlainTextResponse, StreamingResponse  # noqa: E402

from django_mullet import (  # noqa: E402
    APIRouter,
    Atomic,
    mount_django,
)
from tests.testapp.models import Item  # noqa: E402

LARGE = 8_000_000  # bytes, more than the buffers between server and client hold

router = APIRouter()


def transaction_of_the_request() -> Iterator[None]:
    with transaction.atomic():
        yield


async def on_the_loop() -> None:
    """Nothing; but who depends on it needs the event loop and a worker in turn."""


def query(seconds: float) -> int:
    """Query twice, `seconds` apart in the database; return the backend's process id."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid(), pg_sleep(%s)", [seconds])
        [pid, _] = cursor.fetchone()
    Item.objects.filter(pk=0).exists()
    return int(pid)


@router.get("/health")
async def health() -> str:
    return "ok"


@router.get("/def/count", name="def-count")
def count() -> int:
    return Item.objects.count()


@router.get("/async/count")
async def acount() -> int:
    return await Item.objects.acount()


@router.post("/def/items")
def create(name: Annotated[str, Body()], _: Atomic, n: Annotated[int, Body()] = 0) -> None:
    Item.objects.create(name=name, n=n)


@router.post("/async/items")
async def acreate(name: Annotated[str, Body()], _: Atomic, n: Annotated[int, Body()] = 0) -> None:
    await Item.objects.acreate(name=name, n=n)


@router.get("/def/query")
def def_query(seconds: float = 0) -> int:
    return query(seconds)


@router.get("/def/atomic/query")
def def_atomic_query(_: Atomic, seconds: float = 0) -> int:
    return query(seconds)


@router.get("/def/dependency/query")
def def_dependency_query(
    _: Annotated[None, Depends(transaction_of_the_request)], seconds: float = 0
) -> int:
    return query(seconds)


@router.get("/def/loop/query")
def def_loop_query(_: Annotated[None, Depends(on_the_loop)], seconds: float = 0) -> int:
    return query(seconds)


@router.get("/async/query")
async def async_query(seconds: float = 0) -> int:
    return await sync_to_async(query)(seconds)


@router.get("/async/atomic/query")
async def async_atomic_query(_: Atomic, seconds: float = 0) -> int:
    await Item.objects.acount()
    return await sync_to_async(query)(seconds)


@router.get("/links")
def links() -> dict[str, str]:
    return {"django": reverse("count"), "api": reverse("def-count")}


@router.get("/sleep")
def sleep(seconds: float) -> None:
    time.sleep(seconds)


@router.get("/query-and-sleep")
def query_and_sleep(seconds: float) -> None:
    Item.objects.count()
    time.sleep(seconds)


@router.get("/large")
def large() -> PlainTextResponse:
    return PlainTextResponse(b"x" * LARGE)


@router.get("/large/stream")
def large_stream() -> StreamingResponse:
    def pieces() -> Iterator[bytes]:
        Item.objects.count()
        for _ in range(LARGE // 1000):
            yield b"x" * 1000

    return StreamingResponse(pieces())


app = FastAPI()
app.include_router(router, prefix="/api")
mount_django(app)
