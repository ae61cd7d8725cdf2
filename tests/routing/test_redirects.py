"""Do redirects to the path with or without the slash name no host?"""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from fastapi.testclient import TestClient

from django_mullet import APIRouter, mount_django

FOREIGN = {"host": "foreign.example"}
COMMON = ["django.middleware.common.CommonMiddleware"]


@pytest.fixture
def client(tmp_path: Any) -> Iterator[TestClient]:
    app, router = FastAPI(), APIRouter(prefix="/api", django_middleware=COMMON)
    below = FastAPI()

    @router.get("/books/")
    @router.get("/books/{title}/")
    @router.get("/authors")
    def found(title: str = "") -> str:
        return title

    @router.get("/elsewhere")
    def elsewhere(request: Request) -> RedirectResponse:
        return RedirectResponse("https://other.example/api/elsewhere/")

    @app.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    @below.get("/items/")
    def items() -> None: ...

    @app.get("/{path:path}/end/")
    def anything(path: str) -> None: ...

    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "index.html").write_text("index")
    app.include_router(router)
    app.mount("/below", below)
    app.mount("/files", StaticFiles(directory=tmp_path, html=True))
    mount_django(app)
    with TestClient(app, follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("/api/books", "/api/books/"),
        ("/api/authors/", "/api/authors"),
        ("/api/books?q=a%20b&c=%C3%A9", "/api/books/?q=a%20b&c=%C3%A9"),
        ("/api/books/a%3Fb%23c%25d%20%C3%A9", "/api/books/a%3Fb%23c%25d%20%C3%A9/"),
        ("/below/items", "/below/items/"),
        ("/files/folder", "/files/folder/"),
    ],
)
@pytest.mark.parametrize("headers", [{}, FOREIGN])
def test_a_redirect_names_no_host(
    client: TestClient, url: str, location: str, headers: dict[str, str]
) -> None:
    answer = client.get(url, headers=headers)

    assert (answer.status_code, answer.headers["location"]) == (307, location)


def test_a_path_that_looks_like_a_host_stays_a_path(client: TestClient) -> None:
    answer = client.get("http://testserver//foreign.example/end")

    assert (answer.status_code, answer.headers["location"]) == (307, "/%2Fforeign.example/end/")


def test_behind_the_redirect_a_foreign_host_is_refused(client: TestClient, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]

    assert client.get("/api/books/").status_code == 200
    assert client.get("/api/books/", headers=FOREIGN).status_code == 400


def test_a_redirect_of_an_endpoint_leads_where_it_says(client: TestClient) -> None:
    answer = client.get("/api/elsewhere")

    assert answer.headers["location"] == "https://other.example/api/elsewhere/"


def test_websockets_pass(client: TestClient) -> None:
    with client.websocket_connect("/socket"):
        pass
