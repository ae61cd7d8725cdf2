"""Which streams of a tenant's rows last until their readers leave?"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

from fastapi import Depends
from fastapi.responses import StreamingResponse

from django_mullet import APIRouter
from tests.isolation.looks import Look, alook, line, look
from tests.isolation.tenancy import depend_on_tenant_and_reset

__all__ = ["router"]

router = APIRouter(prefix="/long", dependencies=[Depends(depend_on_tenant_and_reset)])

_FILLER = "x" * 32_000
_FILLERS = 8  # between two looks
_LOOKS = 100
"""More than the operating system takes off the server's hands."""


@router.get("/stream")
def stream() -> StreamingResponse:
    return StreamingResponse(map(line, _pieces()))


@router.get("/async-stream")
async def astream() -> StreamingResponse:
    return StreamingResponse(line(piece) async for piece in _apieces())


@router.get("/generator")
def generator() -> Iterator[Look | str]:
    yield from _pieces()


def _pieces() -> Iterator[Look | str]:
    for _ in range(_LOOKS):
        yield look()
        time.sleep(0.001)
        for _ in range(_FILLERS):
            yield _FILLER


async def _apieces() -> AsyncIterator[Look | str]:
    for _ in range(_LOOKS):
        yield await alook()
        await asyncio.sleep(0.001)
        for _ in range(_FILLERS):
            yield _FILLER
