"""The floor: prepared statements, binary results, one thread hop, a bare Starlette route."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import orjson
import psycopg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import sql

USER, SIMULATION, SIMULATIONS, PATCH, ARTICLES, ARTICLE, TAGS, NEW_TAG, PAGE, COUNT = (
    statement.replace("{}", "%s")
    for statement in (
        sql.USER,
        sql.SIMULATION,
        sql.SIMULATIONS,
        sql.PATCH,
        sql.ARTICLES,
        sql.ARTICLE,
        sql.TAGS,
        sql.NEW_TAG,
        sql.PAGE,
        sql.COUNT,
    )
)

threads = ThreadPoolExecutor(8)
local = threading.local()

Rows = list[tuple[Any, ...]]
Answer = tuple[int, object]


def run(statement: str, *parameters: object) -> Rows:
    """Return the rows; the statement is prepared once in each connection."""
    try:
        cursor = local.cursor
    except AttributeError:
        # Name and address of the database are in libpq's variables.
        local.connection = psycopg.connect(autocommit=True, prepare_threshold=0)
        cursor = local.cursor = local.connection.cursor(binary=True)
    return cursor.execute(statement, parameters).fetchall()  # type: ignore[no-any-return]


def simulations(key: str) -> Answer:
    if not (users := run(USER, key)):
        return 401, None
    names = ("id", "name", "start_date", "end_date")
    rows = run(SIMULATIONS, users[0][0])
    return 200, [dict(zip(names, row, strict=True)) for row in rows]


def simulation(key: str, pk: str) -> Answer:
    if not (users := run(USER, key)):
        return 401, None
    return one(run(SIMULATION, users[0][0], pk))


def patch_simulation(key: str, pk: str, body: bytes) -> Answer:
    if not (users := run(USER, key)):
        return 401, None
    new = orjson.loads(body)
    start, end = (
        date.fromisoformat(new[name]) if name in new else None
        for name in ("start_date", "end_date")
    )
    return one(run(PATCH, new.get("name"), start, end, users[0][0], pk))


def one(rows: Rows) -> Answer:
    if not rows:
        return 404, None
    return 200, dict(zip(("id", "name", "start_date", "end_date"), rows[0], strict=True))


def articles() -> Answer:
    return 200, nested(run(ARTICLES))


def article(pk: int) -> Answer:
    rows = run(ARTICLE, pk)
    return (200, nested(rows)[0]) if rows else (404, None)


def nested(rows: Rows) -> list[dict[str, Any]]:
    tags: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for pk, *tag in run(TAGS, [row[0] for row in rows]):
        tags[pk].append({"id": tag[0], "name": tag[1], "slug": tag[2]})
    return [
        {
            "id": row[0],
            "title": row[1],
            "slug": row[2],
            "published_at": row[3],
            "author": {"id": row[4], "name": row[5]},
            "tags": tags[row[0]],
            **({"body": row[6]} if len(row) > 6 else {}),
        }
        for row in rows
    ]


def create_tag(body: bytes) -> Answer:
    new = orjson.loads(body)
    rows = run(NEW_TAG, new["name"], new["slug"])
    if not rows:
        return 409, None
    return 201, dict(zip(("id", "name", "slug"), rows[0], strict=True))


def search(author: int, published: bool, limit: int, offset: int) -> Answer:
    names = ("id", "title", "slug", "published_at", "author_id")
    rows = run(PAGE, author, published, limit, offset)
    [[count]] = run(COUNT, author, published)
    return 200, {"items": [dict(zip(names, row, strict=True)) for row in rows], "count": count}


async def in_thread(function: Callable[..., Answer], *arguments: object) -> Response:
    """Answer with what `function` returns; the JSON is made in its thread."""

    def answer() -> Response:
        status, content = function(*arguments)
        return Response(
            orjson.dumps(content, option=orjson.OPT_UTC_Z), status, media_type="application/json"
        )

    return await asyncio.get_running_loop().run_in_executor(threads, answer)


async def get_simulations(request: Request) -> Response:
    return await in_thread(simulations, request.headers["x-api-key"])


async def get_simulation(request: Request) -> Response:
    return await in_thread(simulation, request.headers["x-api-key"], request.path_params["pk"])


async def update_simulation(request: Request) -> Response:
    pk, body = request.path_params["pk"], await request.body()
    return await in_thread(patch_simulation, request.headers["x-api-key"], pk, body)


async def get_articles(request: Request) -> Response:
    return await in_thread(articles)


async def get_article(request: Request) -> Response:
    return await in_thread(article, request.path_params["pk"])


async def post_tag(request: Request) -> Response:
    return await in_thread(create_tag, await request.body())


async def get_page(request: Request) -> Response:
    query = request.query_params
    return await in_thread(
        search,
        int(query["author"]),
        query["published"] == "true",
        int(query.get("limit", 20)),
        int(query.get("offset", 0)),
    )


app = Starlette(
    routes=[
        Route("/api/simulations/", get_simulations),
        Route("/api/simulations/{pk}/", get_simulation),
        Route("/api/simulations/{pk}/", update_simulation, methods=["PATCH"]),
        Route("/api/articles/", get_articles),
        Route("/api/articles/{pk:int}/", get_article),
        Route("/api/tags/", post_tag, methods=["POST"]),
        Route("/api/search/", get_page),
    ]
)
