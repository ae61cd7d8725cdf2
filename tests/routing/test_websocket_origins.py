"""May only pages of the own host, and of trusted ones, open a WebSocket?"""

import logging
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from django_mullet import APIRouter, mount_django
from django_mullet.routing.websocket_origins import is_foreign

router = APIRouter()
solved: list[str] = []


def note() -> None:
    solved.append("dependency")


@router.websocket("/ws")
async def socket(websocket: WebSocket, _: Annotated[None, Depends(note)]) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    solved.clear()
    return TestClient(app)


@pytest.fixture(autouse=True)
def allowed_hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example", ".shops.example", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example", "https://*.partner.example"]


def is_let_in(client: TestClient, headers: dict[str, str], scheme: str = "ws") -> bool:
    url = f"{scheme}://shop.example/ws"
    try:
        with client.websocket_connect(url, headers=headers) as session:
            assert session.receive_text() == "hello"
    except WebSocketDisconnect:
        assert not solved
        return False
    return True


HOST = {"host": "shop.example"}

LET_IN: list[dict[str, str]] = [
    HOST,
    {"host": "unknown.example"},
    {**HOST, "origin": "http://shop.example"},
    {**HOST, "origin": "https://shop.example"},
    {**HOST, "origin": "https://SHOP.example"},
    {"host": "shop.example:443", "origin": "https://shop.example"},
    {"host": "shop.example:8000", "origin": "http://shop.example:8000"},
    {"host": "books.shops.example", "origin": "https://books.shops.example"},
    {"host": "[::1]:8000", "origin": "http://[::1]:8000"},
    {**HOST, "origin": "https://app.example"},
    {**HOST, "origin": "https://a.partner.example"},
    {"host": "unknown.example", "origin": "https://app.example"},
]

REFUSED: list[dict[str, str]] = [
    {**HOST, "origin": "https://other.example"},
    {**HOST, "origin": "https://shop.example.other.example"},
    {**HOST, "origin": "https://shop.example:8000"},
    {"host": "shop.example:8000", "origin": "https://shop.example"},
    {**HOST, "origin": "http://app.example"},
    {**HOST, "origin": "https://app.example:8000"},
    {**HOST, "origin": "http://a.partner.example"},
    {**HOST, "origin": "https://notpartner.example"},
    {**HOST, "origin": "https://shop.example@other.example"},
    {**HOST, "origin": "file://shop.example"},
    {**HOST, "origin": "null"},
    {**HOST, "origin": ""},
    {**HOST, "origin": "https://"},
    {**HOST, "origin": "https://[shop.example"},
    {**HOST, "origin": "https://shop.example:http"},
    {"host": "unknown.example", "origin": "https://unknown.example"},
    {"host": "other.example", "origin": "https://other.example"},
    {**HOST, "x-forwarded-host": "other.example", "origin": "https://other.example"},
]


@pytest.mark.parametrize("headers", LET_IN, ids=str)
@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_the_own_pages_trusted_ones_and_what_is_no_browser_are_let_in(
    client: TestClient, headers: dict[str, str], scheme: str
) -> None:
    assert is_let_in(client, headers, scheme)
    assert solved


@pytest.mark.parametrize("headers", REFUSED, ids=str)
def test_a_foreign_page_is_refused_before_anything_runs(
    client: TestClient, headers: dict[str, str]
) -> None:
    assert not is_let_in(client, headers)


def test_a_forwarded_host_counts_where_the_settings_say_so(
    client: TestClient, settings: Any
) -> None:
    settings.USE_X_FORWARDED_HOST = True
    headers = {"host": "inside:8000", "x-forwarded-host": "shop.example"}

    assert is_let_in(client, {**headers, "origin": "https://shop.example"})
    solved.clear()
    assert not is_let_in(client, {**headers, "origin": "http://inside:8000"})


def scope_with(*origins: bytes, query: bytes = b"") -> dict[str, Any]:
    headers = [(b"host", b"shop.example"), *[(b"origin", origin) for origin in origins]]
    return {"type": "websocket", "path": "/ws", "query_string": query, "headers": headers}


def test_two_origins_are_none() -> None:
    assert not is_foreign(scope_with(b"https://shop.example"))
    assert is_foreign(scope_with(b"https://shop.example", b"https://shop.example"))


def test_a_request_that_django_cannot_read_has_no_host() -> None:
    assert is_foreign(scope_with(b"https://shop.example", query=b"\xff"))
    assert not is_foreign(scope_with(b"https://app.example", query=b"\xff"))


def test_the_log_says_which_origin_it_was(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "django.security.csrf"):
        is_let_in(client, {**HOST, "origin": "https://other.example"})

    [record] = caplog.records
    assert record.getMessage() == (
        "Forbidden (Origin https://other.example is neither the host nor in "
        "CSRF_TRUSTED_ORIGINS): /ws"
    )
