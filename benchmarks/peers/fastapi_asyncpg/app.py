"""FastAPI with SQL written by hand, on asyncpg's pool."""

import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, Header, HTTPException, Request

import sql
from wire import (
    ArticleOut,
    ListedOut,
    PageOut,
    RowOut,
    SimulationOut,
    SimulationPatch,
    TagIn,
    TagOut,
)


def numbered(statement: str) -> str:
    """Return `statement` with the parameters that asyncpg knows."""
    numbers = count(1)
    return "".join(
        part if index == 0 else f"${next(numbers)}{part}"
        for index, part in enumerate(statement.split("{}"))
    )


USER, SIMULATION, SIMULATIONS, PATCH = map(
    numbered, (sql.USER, sql.SIMULATION, sql.SIMULATIONS, sql.PATCH)
)
ARTICLES, ARTICLE, TAGS = map(numbered, (sql.ARTICLES, sql.ARTICLE, sql.TAGS))
NEW_TAG, PAGE, COUNT = map(numbered, (sql.NEW_TAG, sql.PAGE, sql.COUNT))


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(
        host=os.environ["PGHOST"], user=os.environ["PGUSER"], database=os.environ["PGDATABASE"]
    ) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


async def get_connection(request: Request) -> AsyncIterator[Any]:
    async with request.app.state.pool.acquire() as connection:
        yield connection


Connection = Annotated[Any, Depends(get_connection)]


async def current_user(connection: Connection, x_api_key: Annotated[str, Header()]) -> int:
    pk = await connection.fetchval(USER, x_api_key)
    if pk is None:
        raise HTTPException(401, "X-API-Key is not known.")
    return pk  # type: ignore[no-any-return]


CurrentUser = Annotated[int, Depends(current_user)]


@app.get("/api/simulations/")
async def simulations(connection: Connection, user: CurrentUser) -> list[SimulationOut]:
    return [SimulationOut(**row) for row in await connection.fetch(SIMULATIONS, user)]


@app.get("/api/simulations/{pk}/")
async def simulation(pk: str, connection: Connection, user: CurrentUser) -> SimulationOut:
    row = await connection.fetchrow(SIMULATION, user, pk)
    if row is None:
        raise HTTPException(404, "Simulation not found.")
    return SimulationOut(**row)


@app.patch("/api/simulations/{pk}/")
async def patch_simulation(
    pk: str, body: SimulationPatch, connection: Connection, user: CurrentUser
) -> SimulationOut:
    row = await connection.fetchrow(PATCH, body.name, body.start_date, body.end_date, user, pk)
    if row is None:
        raise HTTPException(404, "Simulation not found.")
    return SimulationOut(**row)


async def nested(connection: Any, rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the articles of `rows` with their authors and tags."""
    tags: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for pk, *tag in await connection.fetch(TAGS, [row["id"] for row in rows]):
        tags[pk].append(dict(zip(("id", "name", "slug"), tag, strict=True)))
    return [
        {
            **row,
            "author": {"id": row["author_id"], "name": row["author_name"]},
            "tags": tags[row["id"]],
        }
        for row in rows
    ]


@app.get("/api/articles/")
async def articles(connection: Connection) -> list[ListedOut]:
    rows = await connection.fetch(ARTICLES)
    return [ListedOut(**article) for article in await nested(connection, rows)]


@app.get("/api/articles/{pk}/")
async def article(pk: int, connection: Connection) -> ArticleOut:
    row = await connection.fetchrow(ARTICLE, pk)
    if row is None:
        raise HTTPException(404, "Article not found.")
    [found] = await nested(connection, [row])
    return ArticleOut(**found)


@app.post("/api/tags/", status_code=201)
async def create_tag(body: TagIn, connection: Connection) -> TagOut:
    row = await connection.fetchrow(NEW_TAG, body.name, body.slug)
    if row is None:
        raise HTTPException(409, "There is such a tag.")
    return TagOut(**row)


@app.get("/api/search/")
async def search(
    connection: Connection, author: int, published: bool, limit: int = 20, offset: int = 0
) -> PageOut:
    rows = await connection.fetch(PAGE, author, published, limit, offset)
    total = await connection.fetchval(COUNT, author, published)
    return PageOut(items=[RowOut(**row) for row in rows], count=total)
