"""Do clients, 405s, telemetry, middleware and WebSockets work as in FastAPI?"""

import asyncio
from typing import Any

import httpx
import pytest
from django.db import connection
from fastapi import FastAPI, Request, WebSocket
from fastapi.testclient import TestClient

from django_mullet import APIRouter
from tests.routing.serving import here, serve
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db


def test_an_asynchronous_client_is_served(router: APIRouter) -> None:
    @router.get("/sync")
    def sync() -> int:
        return Item.objects.count()

    @router.get("/async")
    async def asynch() -> int:
        return await Item.objects.acount()

    Item.objects.create(name="fish")
    app = FastAPI()
    app.include_router(router)

    async def main() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            paths = ["/sync", "/async"] * 5
            return [r.json() for r in await asyncio.gather(*map(client.get, paths))]

    assert asyncio.run(main()) == [1] * 10


def serve_methods() -> TestClient:
    """Serve `/api/items/{id}` with methods in two routers and in the application."""
    app, outer, inner = FastAPI(), APIRouter(), APIRouter()
    inner.get("/items/{id}")(lambda: None)
    inner.delete("/items/new")(lambda: None)
    outer.api_route("/items/{id}", methods=["PUT", "PATCH"])(lambda: None)
    outer.include_router(inner)
    app.include_router(outer, prefix="/api")
    app.delete("/api/items/{id}")(lambda: None)
    app.websocket("/api/items/{id}")(lambda websocket: None)
    return TestClient(app)


def test_a_405_names_the_methods_of_all_routes_of_the_path() -> None:
    client = serve_methods()

    answer, head = client.post("/api/items/1"), client.head("/api/items/1")

    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["allow"] == head.headers["allow"] == "DELETE, GET, PATCH, PUT"


def test_a_405_of_a_mounted_application_names_its_own_methods() -> None:
    inner, outer = FastAPI(), FastAPI()
    router = APIRouter()
    router.get("/items")(lambda: None)
    router.post("/items")(lambda: None)
    inner.include_router(router)
    outer.delete("/items")(lambda: None)
    outer.mount("/v1", inner)

    assert TestClient(outer).put("/v1/items").headers["allow"] == "GET, POST"


def test_a_router_without_an_application_answers_405(router: APIRouter) -> None:
    router.get("/items")(lambda: None)

    answer = TestClient(router).put("/items")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_telemetry_may_be_off(router: APIRouter) -> None:
    @router.get("/sync")
    def sync() -> str:
        return here()

    @router.get("/async")
    async def asynch() -> int:
        return await Item.objects.acount()

    client = serve(router, telemetry={"tracing": False, "metrics": False, "logs": False})

    assert client.get("/sync").json().startswith("mullet-")
    assert client.get("/async").json() == 0


def test_a_request_is_answered_with_debugging_on(router: APIRouter) -> None:
    @router.get("/")
    def endpoint() -> None:
        raise KeyError(here())

    app = FastAPI(debug=True)
    app.include_router(router)
    response = TestClient(app, raise_server_exceptions=False).get("/")

    assert response.status_code == 500
    assert "KeyError" in response.text


def test_middleware_of_the_application_sees_every_request(router: APIRouter) -> None:
    @router.get("/")
    def endpoint(request: Request) -> str:
        here()
        return str(request.state.seen)

    app = FastAPI()
    app.include_router(router)

    @app.middleware("http")
    async def middleware(request: Request, call_next: Any) -> Any:
        request.state.seen = "seen"
        response = await call_next(request)
        response.headers["X-Seen"] = "1"
        return response

    response = TestClient(app).get("/")

    assert (response.json(), response.headers["X-Seen"]) == ("seen", "1")


def test_websockets_are_fastapi_s(router: APIRouter) -> None:
    @router.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text())[::-1])
        await websocket.close()

    with serve(router).websocket_connect("/ws") as session:
        session.send_text("fish")

        assert session.receive_text() == "hsif"


def test_the_worker_uses_the_test_s_connection(router: APIRouter) -> None:
    @router.get("/")
    def endpoint() -> bool:
        return connection.in_atomic_block

    assert serve(router).get("/").json() is True
