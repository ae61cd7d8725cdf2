"""An application with one router, and what its endpoints take and tell."""

import threading
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from django_mullet import APIRouter
from tests.testapp.models import Item

__all__ = ["Named", "here", "serve"]


class Named(BaseModel):
    name: str
    n: int = 0


def here() -> str:
    """Return the name of the thread, and use the database in it."""
    Item.objects.count()
    return threading.current_thread().name


def serve(router: APIRouter, **options: Any) -> TestClient:
    app = FastAPI(**options)
    app.include_router(router)
    return TestClient(app)
