"""The FastAPI half of what the isolation test calls."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from asgiref.sync import sync_to_async
from django.conf import settings
from fastapi import BackgroundTasks, Depends, Header, HTTPException, WebSocket
from fastapi.responses import StreamingResponse

from django_mullet import APIRouter
from tests.isolation.looks import Look, alook, alooks, apieces, line, looks, pieces
from tests.isolation.tenancy import (
    depend_on_tenant,
    depend_on_tenant_and_reset,
    reset_tenant,
    set_tenant,
    tenant_set,
)

__all__ = ["outside", "router"]

_tenancy = settings.TENANCY
_dependency = depend_on_tenant_and_reset if _tenancy.yields else depend_on_tenant

router = APIRouter(
    prefix="/api",
    django_middleware=list(_tenancy.around_routes) or None,
    dependencies=[] if _tenancy.around_routes else [Depends(_dependency)],
)
"""Routes whose tenant somebody sets."""

outside = APIRouter()
"""Routes whose tenant nobody sets."""

TenantName = Annotated[str, Header(alias="X-Tenant")]

_found_by_tasks: dict[str, list[Look]] = {}


@router.get("/def")
def short() -> list[Look]:
    return looks()


@router.get("/async")
@outside.get("/unset/async")
async def ashort() -> list[Look]:
    return await alooks()


@router.get("/stream")
def stream() -> StreamingResponse:
    return StreamingResponse(map(line, pieces()))


@router.get("/async-stream")
async def astream() -> StreamingResponse:
    return StreamingResponse(line(piece) async for piece in apieces())


@router.get("/generator")
def generator() -> Iterator[Look | str]:
    yield from pieces()


@router.get("/async-generator")
async def agenerator() -> AsyncIterator[Look | str]:
    async for piece in apieces():
        yield piece


@router.get("/task", status_code=202)
def start(tasks: BackgroundTasks, tenant: TenantName, token: str) -> None:
    tasks.add_task(later, tenant, token)


def later(tenant: str, token: str) -> None:
    if not _tenancy.around_routes:
        _found_by_tasks[token] = looks()
        return
    with tenant_set(tenant):  # the middleware has reset it before the answer was sent
        _found_by_tasks[token] = looks()


@router.get("/async-task", status_code=202)
async def astart(tasks: BackgroundTasks, tenant: TenantName, token: str) -> None:
    tasks.add_task(alater, tenant, token)


async def alater(tenant: str, token: str) -> None:
    if not _tenancy.around_routes:
        _found_by_tasks[token] = await alooks()
        return
    await sync_to_async(set_tenant)(tenant)
    try:
        _found_by_tasks[token] = await alooks()
    finally:
        await sync_to_async(reset_tenant)()


@outside.get("/found/{token}")
async def found(token: str) -> list[Look]:
    """Return what the background task of `token` has seen; 404 until it has ended."""
    if token not in _found_by_tasks:
        raise HTTPException(404)
    return _found_by_tasks.pop(token)


@outside.get("/health")
async def health() -> str:
    return "ok"


async def socket(websocket: WebSocket) -> None:
    """Answer each message with a look."""
    await websocket.accept()
    async for _ in websocket.iter_text():
        await websocket.send_json(await alook())


if not _tenancy.around_routes:
    router.websocket("/socket")(socket)
