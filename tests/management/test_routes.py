"""Does `manage.py routes` tell which routes there are, who may call them, and how they run?"""

import json
from collections.abc import Iterator
from functools import partial
from io import StringIO
from typing import Annotated, Any

import fastapi
import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from fastapi import Depends, FastAPI, Request, Security, WebSocket
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from pytest_django import Settings
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

from django_mullet import APIRouter, Atomic, DjangoRequest, max_queries, mount_django

api_key = APIKeyHeader(name="X-API-Key")
oauth2 = OAuth2PasswordBearer("token", scopes={"books": "Books", "staff": "Everything"})

APIKey = Annotated[str, Security(api_key)]


def get_user(key: APIKey) -> str:
    return key


def get_staff(token: Annotated[str, Security(oauth2, scopes=["staff"])]) -> str:
    return token


def get_page(number: int = 1) -> Iterator[int]:
    yield number


CurrentUser = Annotated[str, Depends(get_user)]

router = APIRouter(prefix="/books", dependencies=[max_queries(9)])


@router.get("/", name="book-list", dependencies=[max_queries(3)])
def books(user: CurrentUser, page: Annotated[int, Depends(get_page)]) -> list[int]:
    return [page]


@router.post("/", name="book-create")
async def create(key: APIKey, _: Atomic) -> str:
    return key


@router.api_route("/{book_id:int}/", name="book", methods=["PUT", "PATCH"])
def change(book_id: int, user: Annotated[str, Security(get_staff, scopes=["books"])]) -> str:
    return user


asynchronous = APIRouter()


@asynchronous.get("/pages/{book_id}/", name="pages")
async def pages(book_id: int) -> list[str]:
    return []


@asynchronous.websocket("/news/", name="news")
async def news(websocket: WebSocket) -> None: ...


sessions = APIRouter(prefix="/sessions", django_middleware=True)


@sessions.get("/me/", name="me")
def me(request: DjangoRequest) -> str:
    return str(request.user)


def home(title: str) -> str:
    return title


async def robots(request: Request) -> PlainTextResponse:
    return PlainTextResponse("")


def get_app() -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.include_router(router, prefix="/api")
    app.include_router(asynchronous)
    app.include_router(sessions, prefix="/api")
    app.add_api_route("/plain/", partial(home, "Home"), name="plain")
    app.add_route("/robots.txt", robots, name="robots")
    app.mount("/files", Starlette(), name="files")
    mount_django(app)
    return app


app = get_app()
unmounted: Any = fastapi.APIRouter()


@pytest.fixture(autouse=True)
def project(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.app"
    for alias in connections.settings:
        monkeypatch.setitem(connections.settings[alias], "CONN_MAX_AGE", None)


def routes(*arguments: str, **options: Any) -> str:
    output = StringIO()
    call_command("routes", *arguments, stdout=output, **options)
    return output.getvalue()


def facts(*arguments: str) -> dict[str, Any]:
    [found] = json.loads(routes(*arguments, "--json"))
    return dict(found)


NAMES = "tests.management.test_routes."


def test_the_table_has_every_route_in_the_order_in_which_they_are_tried() -> None:
    rows = [line.split("  ") for line in routes().splitlines()]

    assert [[cell.strip() for cell in row if cell.strip()] for row in rows] == [
        ["METHODS", "PATH", "NAME", "ENDPOINT", "CALLERS", "NOTES"],
        [
            "GET",
            "/api/books/",
            "book-list",
            f"def {NAMES}books",
            "APIKeyHeader (get_user, get_page)",
            "at most 3 queries",
        ],
        [
            "POST",
            "/api/books/",
            "book-create",
            f"async def {NAMES}create",
            "APIKeyHeader",
            "atomic, at most 9 queries",
        ],
        [
            "PATCH,PUT",
            "/api/books/{book_id:int}/",
            "book",
            f"def {NAMES}change",
            "OAuth2PasswordBearer[books staff] (get_staff)",
            "at most 9 queries",
        ],
        ["GET", "/pages/{book_id}/", "pages", f"async def {NAMES}pages", "anyone"],
        ["WEBSOCKET", "/news/", "news", f"async def {NAMES}news", "anyone"],
        [
            "GET",
            "/api/sessions/me/",
            "me",
            f"def {NAMES}me",
            "django_request",
            "Django's middleware",
        ],
        ["GET", "/plain/", "plain", f"def {NAMES}home", "anyone", "not a Django request"],
        [
            "GET,HEAD",
            "/robots.txt",
            "robots",
            f"async def {NAMES}robots",
            "anyone",
            "not a Django request",
        ],
        [
            "*",
            "/files",
            "files",
            "async def starlette.applications.Starlette",
            "anyone",
            "not a Django request",
        ],
    ]


def test_the_columns_are_aligned() -> None:
    [headings, *rows] = routes("book").splitlines()

    for heading in ("PATH", "NAME", "ENDPOINT"):
        assert {row[headings.index(heading) - 1] for row in rows} == {" "}
        assert " " not in {row[headings.index(heading)] for row in rows}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--path", "/api/books/{"], ["book"]),
        (["--path", "books"], []),
        (["ook-"], ["book-list", "book-create"]),
        (["test_routes.books"], ["book-list"]),
        (["--method", "put"], ["book"]),
        (["--method", "websocket"], ["news"]),
        (["/me", "--path", "/api", "--method", "GET"], ["me"]),
    ],
)
def test_routes_can_be_asked_for(arguments: list[str], names: list[str]) -> None:
    assert [found["name"] for found in json.loads(routes(*arguments, "--json"))] == names


def test_nothing_that_matches_is_an_error() -> None:
    with pytest.raises(CommandError) as caught:
        routes("author")

    assert str(caught.value) == "None of the 9 routes matches: 'manage.py routes'."


def test_json_has_all_that_is_known() -> None:
    assert facts("book-list") == {
        "path": "/api/books/",
        "name": "book-list",
        "methods": ["GET"],
        "endpoint": f"{NAMES}books",
        "is_async": False,
        "security": ["APIKeyHeader"],
        "dependencies": [f"{NAMES}get_user", f"{NAMES}get_page"],
        "is_django_request": True,
        "django_middleware": False,
        "atomic": [],
        "connection": "request",
        "max_queries": 3,
    }


def test_transactions_of_every_database_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["other"], "ATOMIC_REQUESTS", True)

    assert facts("plain")["atomic"] == facts("news")["atomic"] == []
    assert facts("book-list")["atomic"] == ["other"]
    assert facts("book-create")["atomic"] == ["other", "default"]
    assert "atomic on other and default" in routes("book-create")


def test_a_setting_that_is_wrong_is_reported(settings: Settings) -> None:
    settings.ASGI_APPLICATION = f"{__name__}.unmounted"

    with pytest.raises(CommandError, match="must name a FastAPI instance, not 'APIRouter'"):
        routes()
