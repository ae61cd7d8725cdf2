"""The application that is measured, with one router class or the other."""

import os
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Annotated

import django
import fastapi

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.routes.settings")
django.setup()

from django.db import transaction
from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel, ConfigDict

import django_mullet.routing.route
from benchmarks.routes.models import Item

__all__ = ["ROUTERS", "build"]

ROUTERS: dict[str, type[fastapi.APIRouter]] = {
    "plain": fastapi.APIRouter,
    "mullet": django_mullet.routing.route.APIRouter,
}


class Summary(BaseModel):
    """The response of what makes no query, and the body of the POST."""

    name: str
    amount: int
    active: bool
    tags: list[str]


class ItemOut(BaseModel):
    """The response made of a row."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    amount: int
    active: bool
    created_at: datetime


def limit_of(limit: int = 20) -> int:
    """Dependency: a value of the query string."""
    return min(limit, 100)


def tenant_of(x_tenant: Annotated[str, Header()] = "goatfish") -> str:
    """Dependency: a value of a header."""
    return x_tenant.lower()


Limit = Annotated[int, Depends(limit_of)]
Tenant = Annotated[str, Depends(tenant_of)]


def build(router_class: type[fastapi.APIRouter]) -> FastAPI:
    """Return the application with the routes of a `router_class`."""
    router = router_class()

    @router.get("/dependencies")
    def dependencies(limit: Limit, tenant: Tenant) -> Summary:
        return Summary(name=tenant, amount=limit, active=True, tags=["a", "b", "c"])

    @router.get("/items/{pk}", response_model=ItemOut)
    def item(pk: int, limit: Limit, tenant: Tenant) -> Item:
        return Item.objects.get(pk=pk)

    @router.get("/async")
    async def never_touches_django() -> Summary:
        return Summary(name="async", amount=1, active=True, tags=["a", "b", "c"])

    @router.get("/sync")
    def no_dependencies() -> Summary:
        return Summary(name="sync", amount=1, active=True, tags=["a", "b", "c"])

    @router.get("/items", response_model=list[ItemOut])
    def items() -> Sequence[Item]:
        return list(Item.objects.order_by("pk")[:20])

    @router.post("/body")
    def body(summary: Summary) -> Summary:
        return summary

    # What is compared here is django-mullet without the middleware and with it.
    is_plain = router_class is fastapi.APIRouter
    around = django_mullet.routing.route.APIRouter(django_middleware=not is_plain)

    @around.get("/middleware")
    def with_middleware() -> Summary:
        return Summary(name="sync", amount=1, active=True, tags=["a", "b", "c"])

    add_exports(router)

    app = FastAPI()
    app.include_router(router)
    app.include_router(around)

    @app.get("/cpu")
    async def cpu() -> float:
        return time.process_time()

    return app


def add_exports(router: fastapi.APIRouter) -> None:
    """Add what `benchmarks.routes.export` measures: every row, as JSON lines."""

    @router.get("/export")
    def export() -> Iterator[ItemOut]:
        yield from Item.objects.iterator()  # type: ignore[misc]

    @router.get("/export/transaction")
    def export_in_transaction() -> Iterator[ItemOut]:
        with transaction.atomic():
            yield from Item.objects.iterator()  # type: ignore[misc]

    @router.get("/export/async")
    async def aexport() -> AsyncIterator[ItemOut]:
        async for item in Item.objects.aiterator():
            yield item  # type: ignore[misc]
