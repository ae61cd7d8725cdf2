"""This library with `def` endpoints."""

import os
from typing import Annotated, Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
django.setup()

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
from shop.models import User, Wide

router = APIRouter(prefix="/api")


def current_user(x_api_key: Annotated[str, Header()]) -> User:
    """Dependency: who asks."""
    user = users_of(x_api_key).first()
    if user is None:
        raise HTTPException(401, "X-API-Key is not known.")
    return user


CurrentUser = Annotated[User, Depends(current_user)]


@router.get("/simulations/")
def simulations(user: CurrentUser) -> list[SimulationSchema]:
    return SimulationSchema.from_qs(simulations_of(user.pk))


@router.get("/simulations/{pk}/")
def simulation(pk: str, user: CurrentUser) -> SimulationSchema:
    return SimulationSchema.get_or_404(simulations_of(user.pk), pk=pk)


@router.patch("/simulations/{pk}/")
def patch_simulation(
    pk: str, body: Patch[SimulationSchema], user: CurrentUser, _: Atomic
) -> SimulationSchema:
    found = locked_simulation_of(user.pk, pk).first()
    if found is None:
        raise HTTPException(404, "Simulation not found.")
    body.update(found).save()
    return SimulationSchema.from_model(found)


@router.get("/articles/")
def articles() -> list[Listed]:
    return Listed.from_qs(all_articles()[:20])


@router.get("/articles/{pk}/")
def article(pk: int) -> ArticleSchema:
    return ArticleSchema.get_or_404(all_articles(), pk=pk)


@router.post("/tags/", status_code=201)
def create_tag(body: Create[TagSchema]) -> TagSchema:
    tag = body.update(SavedTag())
    tag.save()
    return TagSchema.from_model(tag)


@router.get("/search/", response_model=Page)
def search(author: int, published: bool, limit: int = 20, offset: int = 0) -> dict[str, Any]:
    found = articles_of(author, published)
    return {"items": found[offset : offset + limit], "count": found.count()}


@router.get("/wide/")
def wide() -> list[WideRow]:
    return WideRow.from_qs(all_rows())


@router.get("/wide/unplanned/")
def wide_unplanned() -> list[UnplannedRow]:
    rows = Wide.objects.order_by("id")
    return [UnplannedRow.model_validate(row) for row in rows]


app = FastAPI()
app.include_router(router)
mount_django(app)
