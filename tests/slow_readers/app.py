"""What is read slowly, and what is asked for meanwhile?"""

import os
from collections.abc import Iterator

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.slow_readers.settings")
django.setup()

from fastapi import FastAPI  # noqa: E402
from fastapi.responses import FileResponse, StreamingResponse  # noqa: E402
from pydantic import BaseModel  # noqa: E402

from django_mullet import (  # noqa: E402
    APIRouter,
    mount_django,
)
from tests.slow_readers.bodies import exported, large_file, queried  # noqa: E402
from tests.testapp.models import Item  # noqa: E402

router = APIRouter()


class Line(BaseModel):
    """One line of a stream of JSON."""

    text: str


# Read slowly


@router.get("/file")
def file() -> FileResponse:
    return FileResponse(large_file())


@router.get("/stream")
def stream() -> StreamingResponse:
    return StreamingResponse(queried())


@router.get("/lines")
def lines() -> Iterator[Line]:
    for piece in queried():
        yield Line(text=piece.decode())


@router.get("/export")
def export() -> StreamingResponse:
    return StreamingResponse(exported())


@router.get("/export/lines")
def export_lines() -> Iterator[Line]:
    for piece in exported():
        yield Line(text=piece.decode())


# Asked for meanwhile


@router.get("/health")
async def health() -> str:
    return "ok"


@router.get("/items/{pk}")
def detail(pk: int) -> str:
    return Item.objects.get(pk=pk).name


@router.get("/async/items/{pk}")
async def adetail(pk: int) -> str:
    return (await Item.objects.aget(pk=pk)).name


app = FastAPI()
app.include_router(router, prefix="/api")
mount_django(app)
