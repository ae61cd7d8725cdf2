"""What WebSockets do the servers of the tests serve?"""

import os
from collections.abc import Iterator
from typing import Annotated

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.servers.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from fastapi import Depends, FastAPI, WebSocket, WebSocketDisconnect  # noqa: E402

from django_mullet import (  # noqa: E402
    APIRouter,
    mount_django,
)
from tests.servers.site import count, health, sleep  # noqa: E402
from tests.testapp.models import Item  # noqa: E402

router = APIRouter()
router.get("/health")(health)
router.get("/def/count")(count)
router.get("/sleep")(sleep)


def counted() -> Iterator[int]:
    yield Item.objects.count()
    Item.objects.create(name="exit")


def in_transaction() -> Iterator[None]:
    with transaction.atomic():
        yield


Counted = Annotated[int, Depends(counted)]


@router.websocket("/echo")
async def echo(websocket: WebSocket, counted: Counted) -> None:
    """Store each message, and answer with it; note in the end that the client has left."""
    await websocket.accept()
    try:
        async for message in websocket.iter_text():
            item = await Item.objects.acreate(name=message)
            await websocket.send_text(item.name)
            if message == "fail":
                raise LookupError("in the middle")
    finally:
        await Item.objects.acreate(name="finally")


@router.websocket("/transaction", dependencies=[Depends(in_transaction)])
async def in_one_transaction(websocket: WebSocket) -> None:
    await websocket.accept()
    while True:
        item = await Item.objects.acreate(name=await websocket.receive_text())
        await websocket.send_text(item.name)


@router.websocket("/flood")
async def flood(websocket: WebSocket) -> None:
    """Send without end; the client may be slow."""
    await websocket.accept()
    try:
        while True:
            await websocket.send_text("x" * 10_000 + str(await Item.objects.acount()))
    except WebSocketDisconnect:
        await Item.objects.acreate(name="flood ended")


@router.websocket("/late")
async def late(websocket: WebSocket) -> None:
    """Use the database only after the handshake."""
    await websocket.accept()
    await Item.objects.acount()


@router.websocket("/backend")
async def backend(websocket: WebSocket) -> None:
    """Answer each message with the process id of the connection's backend."""
    await websocket.accept()
    async for _ in websocket.iter_text():
        await websocket.send_text(str(await sync_to_async(backend_pid)()))


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    return int(pid)


app = FastAPI()
app.include_router(router, prefix="/api")
mount_django(app)
