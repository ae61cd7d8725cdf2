"""A site of two halves: views of Django's, and an application that is mounted over them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient

from django_mullet import APIRouter, mount_django
from tests.executing import here
from tests.testapp.models import Item
from tests.urls import urlpatterns as admin_urlpatterns

# The Django half


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.method} {request.path} {Item.objects.count()} {here()}")


async def async_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{await Item.objects.acount()} rows")


async def together(request: HttpRequest) -> HttpResponse:
    async with asyncio.timeout(5):
        await meeting.wait()
    return HttpResponse(f"{await Item.objects.acount()} {here()}")


async def hanging(request: HttpRequest) -> HttpResponse:
    try:
        entered.set()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        left.append("cancelled")
        raise
    return HttpResponse()


def below_the_api(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"django": request.path})


def prefix(request: HttpRequest) -> JsonResponse:
    from django.urls import get_script_prefix

    return JsonResponse([get_script_prefix(), request.path, request.path_info], safe=False)


@csrf_exempt
def upload(request: HttpRequest) -> JsonResponse:
    file = request.FILES["file"]
    return JsonResponse({"name": file.name, "size": file.size, "n": request.POST["n"]})


@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.body)


def rows(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[str]:
        for item in Item.objects.order_by("pk"):
            yield f"{item.name} {here()}\n"

    return StreamingHttpResponse(body())


def async_rows(request: HttpRequest) -> StreamingHttpResponse:
    async def body() -> AsyncIterator[str]:
        async for item in Item.objects.order_by("pk"):
            yield f"{item.name} async\n"

    return StreamingHttpResponse(body())


def endless(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            left.append(here())

    return StreamingHttpResponse(body())


def broken_rows(request: HttpRequest) -> StreamingHttpResponse:
    def body() -> Iterator[bytes]:
        yield b"x"
        raise LookupError("in the middle")

    return StreamingHttpResponse(body())


def this_file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"))


def create_and_fail(request: HttpRequest) -> HttpResponse:
    Item.objects.create(name="row")
    raise KeyError("after the row")


def create(request: HttpRequest) -> HttpResponse:
    Item.objects.create(name="row")
    return HttpResponse(str(connection.in_atomic_block))


@transaction.non_atomic_requests
def create_without_a_transaction(request: HttpRequest) -> HttpResponse:
    return create(request)


left: list[str] = []
meeting = asyncio.Barrier(50)
entered = asyncio.Event()

urlpatterns = [
    *admin_urlpatterns,
    path("page", page),
    path("async-page", async_page),
    path("together", together),
    path("hanging", hanging),
    path("api/legacy/", below_the_api),
    path("prefix", prefix),
    path("upload", upload),
    path("echo", echo),
    path("rows", rows),
    path("async-rows", async_rows),
    path("endless", endless),
    path("broken-rows", broken_rows),
    path("file", this_file),
    path("create", create),
    path("create-and-fail", create_and_fail),
    path("exempt", create_without_a_transaction),
]

# The FastAPI half

router = APIRouter()


@router.get("/items")
def items() -> int:
    return Item.objects.count()


@router.get("/slash/")
def slash() -> str:
    return "slash"


@router.get("/taken")
def taken() -> str:
    return "fastapi"


@router.websocket("/ws")
async def ws(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("fastapi")
    await websocket.close()


def make_app(**options: Any) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url="/api/openapi.json", **options)
    app.include_router(router, prefix="/api")
    mount_django(app)
    return app


app = make_app()
client = TestClient(app)
lenient = TestClient(app, raise_server_exceptions=False)
