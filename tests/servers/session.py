"""Which FastAPI endpoints leave something in the database session?"""

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.servers.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from fastapi import BackgroundTasks, FastAPI, HTTPException, WebSocket  # noqa: E402
from fastapi.responses import StreamingResponse  # noqa: E402

from django_mullet import (  # noqa: E402
    APIRouter,
    mount_django,
)
from tests.servers.session_looks import (  # noqa: E402
    aline_by_line,
    apieces,
    asteps,
    line_by_line,
    pieces,
    steps,
)
from tests.servers.session_steps import STATES  # noqa: E402
from tests.servers.site import acount, count, health  # noqa: E402

router = APIRouter()
router.get("/health")(health)
router.get("/def/count")(count)
router.get("/async/count")(acount)

found_by_tasks: dict[str, list[Any]] = {}


@router.get("/def/{state}/{token}")
def in_def(state: str, token: str) -> list[Any]:
    return steps(state, token)


@router.get("/async/{state}/{token}")
async def in_async_def(state: str, token: str) -> list[Any]:
    return await asteps(state, token)


@router.get("/stream/{state}/{token}")
def in_stream(state: str, token: str) -> StreamingResponse:
    return StreamingResponse(line_by_line(state, token))


@router.get("/async-stream/{state}/{token}")
async def in_async_stream(state: str, token: str) -> StreamingResponse:
    return StreamingResponse(aline_by_line(state, token))


@router.get("/generator/{state}/{token}")
def in_generator(state: str, token: str) -> Iterator[Any]:
    yield from pieces(state, token)


@router.get("/async-generator/{state}/{token}")
async def in_async_generator(state: str, token: str) -> AsyncIterator[Any]:
    async for piece in apieces(state, token):
        yield piece


@router.get("/task/{state}/{token}", status_code=202)
def start(state: str, token: str, tasks: BackgroundTasks) -> None:
    tasks.add_task(later, state, token)


def later(state: str, token: str) -> None:
    try:
        found_by_tasks[token] = steps(state, token)
    except Exception as error:
        found_by_tasks[token] = [repr(error)]
        raise


@router.get("/async-task/{state}/{token}", status_code=202)
async def astart(state: str, token: str, tasks: BackgroundTasks) -> None:
    tasks.add_task(alater, state, token)


async def alater(state: str, token: str) -> None:
    try:
        found_by_tasks[token] = await asteps(state, token)
    except Exception as error:
        found_by_tasks[token] = [repr(error)]
        raise


@router.get("/found/{token}")
async def found(token: str) -> list[Any]:
    """Return what the background task of `token` has found; 404 until it has ended."""
    if token not in found_by_tasks:
        raise HTTPException(404)
    return found_by_tasks.pop(token)


@router.websocket("/socket/{state}/{token}")
async def socket(websocket: WebSocket, state: str, token: str) -> None:
    """Take a step for each message."""
    await websocket.accept()
    for step in STATES[state].steps:
        await websocket.receive_text()
        await websocket.send_json([await sync_to_async(step)(token)])


app = FastAPI()
app.include_router(router, prefix="/api")
mount_django(app)
