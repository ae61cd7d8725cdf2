"""What does the server of the soak test serve?

Writes in every kind of transaction, `def` and `async def`, uploads, reads, streams, a WebSocket,
Django's views, and what tenants see; and what the soak test asks a process about itself.
"""

import asyncio
import hashlib
import os
import sys
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.soak.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.db import transaction  # noqa: E402
from fastapi import (  # noqa: E402
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    Response,
    UploadFile,
    WebSocket,
    WebSocketDisconnect,
)
from fastapi.responses import JSONResponse, StreamingResponse  # noqa: E402

from django_mullet import (  # noqa: E402  # noqa: E402
    AlreadyCommitted,
    APIRouter,
    Atomic,
    OutcomeUnknown,
    atomic,
    mount_django,
    retry_on_conflict,
)
from django_mullet.error_handling import handlers  # noqa: E402
from django_mullet.execution.connection_share import share  # noqa: E402
from django_mullet.execution.connection_slots import slots_of  # noqa: E402
from django_mullet.execution.workers import pool  # noqa: E402
from tests.isolation import routes  # noqa: E402
from tests.soak import tenants_app  # noqa: E402
from tests.soak.writing import Crashed, Order, awrite, count, rows, write  # noqa: E402
from tests.testapp.models import Item  # noqa: E402

router = APIRouter()

by_itself = transaction.non_atomic_requests
"""ATOMIC_REQUESTS is on; what is decorated with this sees to its transaction itself."""


def transaction_of_the_endpoint() -> Iterator[None]:
    with transaction.atomic():
        yield


async def on_the_loop() -> None:
    await asyncio.sleep(0)


OfTheEndpoint = Annotated[None, Depends(transaction_of_the_endpoint, scope="function")]
OnTheLoop = Annotated[None, Depends(on_the_loop)]


def end(order: Order) -> Response:
    """Answer as the order says, after the writes."""
    if order.outcome == "conflict":
        raise HTTPException(403)
    if order.outcome == "crash":
        raise Crashed
    return JSONResponse({"token": order.token}, 422 if order.outcome == "refuse" else 200)


# Writes


@router.post("/def/setting")
def def_setting(order: Order) -> Response:
    write(order)
    return end(order)


@router.post("/def/setting/loop")
def def_setting_loop(order: Order, _: OnTheLoop) -> Response:
    write(order)
    return end(order)


@router.post("/def/setting/background")
def def_setting_background(order: Order, tasks: BackgroundTasks) -> Any:
    write(order)
    tasks.add_task(rows, order.token)
    if order.outcome != "keep":
        return end(order)
    return {"token": order.token}


@router.post("/def/atomic")
@by_itself
def def_atomic(order: Order, _: Atomic) -> Response:
    write(order)
    return end(order)


@router.post("/def/dependency")
@by_itself
def def_dependency(order: Order, _: OfTheEndpoint, __: OnTheLoop) -> Response:
    write(order)
    return end(order)


@router.post("/def/block")
@by_itself
def def_block(order: Order) -> Response:
    with transaction.atomic():
        write(order)
        return end(order)


@router.post("/def/savepoint")
def def_savepoint(order: Order) -> Response:
    try:
        with transaction.atomic():
            write(Order(token=order.token))
            raise Crashed
    except Crashed:
        write(order)
    return end(order)


@router.post("/def/stream")
def def_write_and_stream(order: Order) -> Response:
    write(order)
    if order.outcome != "keep":
        return end(order)

    def lines() -> Iterator[str]:
        for n in rows(order.token):
            yield f"{n}\n"

    return StreamingResponse(lines())


@router.post("/def/told")
@by_itself
def def_told(order: Order) -> Response:
    with atomic():
        write(order)
    return end(order)


@router.post("/async/told")
@by_itself
async def async_told(order: Order) -> Response:
    async with atomic():
        await awrite(order)
    return end(order)


@router.post("/async/setting")
async def async_setting(order: Order) -> Response:
    await awrite(order)
    return end(order)


@router.post("/async/atomic")
@by_itself
async def async_atomic(order: Order, _: Atomic) -> Response:
    await awrite(order)
    return end(order)


@router.post("/async/dependency")
@by_itself
async def async_dependency(order: Order, _: OfTheEndpoint, __: OnTheLoop) -> Response:
    await awrite(order)
    return end(order)


@router.post("/async/block")
@by_itself
async def async_block(order: Order) -> Response:
    def write_both() -> Response:
        with transaction.atomic():
            write(order)
            return end(order)

    return await sync_to_async(write_both)()


# Writes that run again where they meet another


@router.post("/def/retry")
@by_itself
@retry_on_conflict()
def def_retry(order: Order, _: Atomic) -> Response:
    count(order)
    write(order)
    return end(order)


@router.post("/async/retry")
@by_itself
@retry_on_conflict()
async def async_retry(order: Order, _: Atomic) -> Response:
    await sync_to_async(count)(order)
    await awrite(order)
    return end(order)


# Uploads


@router.post("/def/upload")
def def_upload(file: UploadFile, token: str) -> str:
    digest = hashlib.sha256(file.file.read()).hexdigest()
    write(Order(token=token))
    return digest


@router.post("/async/upload")
@by_itself
async def async_upload(request: Request, token: str, _: Atomic) -> str:
    digest = hashlib.sha256()
    async for piece in request.stream():
        digest.update(piece)
    await awrite(Order(token=token))
    return digest.hexdigest()


# Reads, streams and what needs no database


@router.get("/def/rows/{token}")
@by_itself
def def_rows(token: str) -> list[int]:
    return rows(token)


@router.get("/async/rows/{token}")
async def async_rows(token: str) -> list[int]:
    return [item.n async for item in Item.objects.filter(name=token).order_by("n")]


@router.get("/def/stream")
def def_stream(count: int, pause: float) -> StreamingResponse:
    def lines() -> Iterator[str]:
        for item in Item.objects.order_by("pk")[:count].iterator(chunk_size=100):
            yield f"{item.name}\n"
        time.sleep(pause)
        yield f"{Item.objects.filter(pk=0).exists()}\n"

    return StreamingResponse(lines())


@router.get("/async/stream")
@by_itself
async def async_stream(count: int, pause: float) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        async for item in Item.objects.order_by("pk")[:count]:
            yield f"{item.name}\n"
        await asyncio.sleep(pause)
        yield f"{await Item.objects.filter(pk=0).aexists()}\n"

    return StreamingResponse(lines())


@router.get("/def/sleep")
@by_itself
def def_sleep(pause: float) -> None:
    time.sleep(pause)


@router.get("/async/sleep")
@by_itself
async def async_sleep(pause: float) -> None:
    await asyncio.sleep(pause)


app = FastAPI()
handlers.install_exception_handlers(app)
app.include_router(router, prefix="/api")
for tenants in (routes.router, routes.outside, tenants_app.router):
    app.include_router(tenants, prefix="/tenants")


@app.exception_handler(OutcomeUnknown)
@app.exception_handler(AlreadyCommitted)
async def say_which(request: Request, error: Exception) -> Response:
    """Tell the client more than a 500 does: what it has to find in the database."""
    return JSONResponse({"detail": type(error).__name__}, 500)


@app.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass


@app.get("/api/health")
async def health() -> str:
    return "ok"


@app.get("/api/state")
async def state() -> dict[str, Any]:
    """Say what this process does, on the event loop: also when no worker is free."""
    connections = slots_of("default")
    return {
        "pid": os.getpid(),
        "workers": pool.size,
        "busy": pool.size - len(pool._idle),
        "jobs waiting": pool.waiting,
        "connections counted": connections.open,
        "jobs waiting for a connection": len(connections._waiting),
        "share of what lasts": share.count,
        "connections out of reach": connections.open - len(connections._idle),
        "tasks": len(asyncio.all_tasks()),
    }


@app.get("/api/stacks")
async def stacks() -> str:
    """Say where each thread of this process is."""
    frames = sys._current_frames().values()
    return "\n\n".join("".join(traceback.format_stack(frame)[-8:]) for frame in frames)


mount_django(app)
