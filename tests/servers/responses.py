"""What kinds of response do the servers of the tests serve?

Streams of every kind, each piece with a query, which may fail in the middle; files; background
tasks. The Django half is in `tests.servers.urls`.
"""

import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.servers.settings")
django.setup()

from django.db import transaction  # noqa: E402
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException  # noqa: E402
from fastapi.responses import FileResponse, StreamingResponse  # noqa: E402
from fastapi.sse import EventSourceResponse  # noqa: E402
from pydantic import BaseModel  # noqa: E402

from django_mullet import (  # noqa: E402
    APIRouter,
    Atomic,
    mount_django,
)
from tests.servers.pieces import Pieces, produced  # noqa: E402
from tests.servers.site import acount, count, health  # noqa: E402
from tests.testapp.models import Item  # noqa: E402

router = APIRouter()
router.get("/health")(health)
router.get("/def/count")(count)
router.get("/async/count")(acount)

both_workers = threading.Barrier(2)


class Piece(BaseModel):
    """A line, or an event."""

    text: str


@router.get("/both-workers")
def meet_in_both_workers() -> int:
    """Answer when two requests are each in a worker, and have queried."""
    both_workers.wait(timeout=5)
    return Item.objects.count()


@router.get("/produced")
async def number_of_pieces_produced() -> int:
    """How many pieces the latest stream has made so far."""
    return produced.number


PiecesOf = Annotated[Pieces, Depends(Pieces)]


@router.get("/def/stream")
def stream(pieces: PiecesOf) -> StreamingResponse:
    return StreamingResponse(pieces)


@router.get("/async/stream")
async def astream(pieces: PiecesOf) -> StreamingResponse:
    return StreamingResponse(aiter(pieces))


@router.get("/async/sync-stream")
async def stream_of_both(pieces: PiecesOf) -> StreamingResponse:
    return StreamingResponse(iter(pieces))


@router.get("/def/lines")
def lines(pieces: PiecesOf) -> Iterator[Piece]:
    for piece in pieces:
        yield Piece(text=piece)


@router.get("/async/lines")
async def alines(pieces: PiecesOf) -> AsyncIterator[Piece]:
    async for piece in pieces:
        yield Piece(text=piece)


@router.get("/def/events", response_class=EventSourceResponse)
def events(pieces: PiecesOf) -> Iterator[Piece]:
    for piece in pieces:
        yield Piece(text=piece)


@router.get("/async/events", response_class=EventSourceResponse)
async def aevents(pieces: PiecesOf) -> AsyncIterator[Piece]:
    async for piece in pieces:
        yield Piece(text=piece)


@router.get("/def/file")
def file(path: Path) -> FileResponse:
    Item.objects.count()
    return FileResponse(path)


@router.get("/async/file")
async def afile(path: Path) -> FileResponse:
    await Item.objects.acount()
    return FileResponse(path)


def later(name: str, *, fail: bool) -> None:
    Item.objects.create(name=name)
    if fail:
        raise LookupError("in a task")


async def alater(name: str, *, fail: bool) -> None:
    await Item.objects.acreate(name=name)
    if fail:
        raise LookupError("in a task")


@router.get("/def/tasks")
def tasks(tasks: BackgroundTasks, fail: bool = False) -> int:
    tasks.add_task(alater, "first", fail=False)
    tasks.add_task(later, "second", fail=fail)
    return Item.objects.count()


@router.get("/async/tasks")
async def atasks(tasks: BackgroundTasks, fail: bool = False) -> int:
    tasks.add_task(later, "first", fail=False)
    tasks.add_task(alater, "second", fail=fail)
    return await Item.objects.acount()


@router.get("/def/on-commit")
def tasks_on_commit(tasks: BackgroundTasks, _: Atomic, fail: bool = False) -> None:
    transaction.on_commit(lambda: tasks.add_task(later, "committed", fail=False))
    if fail:
        raise LookupError("in the endpoint")


@router.get("/def/error")
def error() -> None:
    Item.objects.count()
    raise LookupError("in the endpoint")


@router.get("/async/error")
async def aerror() -> None:
    await Item.objects.acount()
    raise LookupError("in the endpoint")


@router.get("/def/refused")
def refused(_: Atomic) -> None:
    Item.objects.create(name="refused")
    raise HTTPException(409)


@router.get("/async/refused")
async def arefused(_: Atomic) -> None:
    await Item.objects.acreate(name="refused")
    raise HTTPException(409)


@router.api_route("/def/methods", methods=["GET", "HEAD", "OPTIONS"])
def methods() -> int:
    return Item.objects.count()


@router.api_route("/async/methods", methods=["GET", "HEAD", "OPTIONS"])
async def amethods() -> int:
    return await Item.objects.acount()


app = FastAPI()
app.include_router(router, prefix="/api")
mount_django(app)
