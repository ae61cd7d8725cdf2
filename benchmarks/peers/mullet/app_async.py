"""This library with `async def` endpoints."""

import os
from typing import Annotated, Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

from django.db.models import QuerySet
from fastapi import Depends, FastAPI, Header, HTTPException

from django_mullet import APIRouter, Atomic, Create, Patch, mount_django
from models import SavedTag
from queries import (
    all_articles,
    all_rows,
    articles_of,
    locked_simulation_of,
    simulations_of,
    users_of,
)
from schemas import (
    ArticleSchema,
    Listed,
    Page,
    SimulationSchema,
    TagSchema,
    UnplannedRow,
    WideRow,
)
from shop.models import Article, Simulation, User, Wide

router = APIRouter(prefix="/api")


async def current_user(x_api_key: Annotated[str, Header()]) -> User:
    """Dependency: who asks."""
    user = await users_of(x_api_key).afirst()
    if user is None:
        raise HTTPException(401, "X-API-Key is not known.")
    return user


CurrentUser = Annotated[User, Depends(current_user)]


@router.get("/simulations/", response_model=list[SimulationSchema])
async def simulations(user: CurrentUser) -> QuerySet[Simulation]:
    return simulations_of(user.pk)


@router.get("/simulations/{pk}/")
async def simulation(pk: str, user: CurrentUser) -> SimulationSchema:
    return await SimulationSchema.aget_or_404(simulations_of(user.pk), pk=pk)


@router.patch("/simulations/{pk}/")
async def patch_simulation(
    pk: str, body: Patch[SimulationSchema], user: CurrentUser, _: Atomic
) -> SimulationSchema:
    found = await locked_simulation_of(user.pk, pk).afirst()
    if found is None:
        raise HTTPException(404, "Simulation not found.")
    await body.update(found).asave()
    return SimulationSchema.from_model(found)


@router.get("/articles/", response_model=list[Listed])
async def articles() -> QuerySet[Article]:
    return all_articles()[:20]


@router.get("/articles/{pk}/")
async def article(pk: int) -> ArticleSchema:
    return await ArticleSchema.aget_or_404(all_articles(), pk=pk)


@router.post("/tags/", status_code=201)
async def create_tag(body: Create[TagSchema]) -> TagSchema:
    tag = body.update(SavedTag())
    await tag.asave()
    return TagSchema.from_model(tag)


@router.get("/search/", response_model=Page)
async def search(author: int, published: bool, limit: int = 20, offset: int = 0) -> dict[str, Any]:
    found = articles_of(author, published)
    return {"items": found[offset : offset + limit], "count": await found.acount()}


@router.get("/wide/", response_model=list[WideRow])
async def wide() -> QuerySet[Wide]:
    return all_rows()


@router.get("/wide/unplanned/")
async def wide_unplanned() -> list[UnplannedRow]:
    rows = Wide.objects.order_by("id")
    return [UnplannedRow.model_validate(row) async for row in rows]


app = FastAPI()
app.include_router(router)
mount_django(app)
