"""What do the servers of the tests serve to a thousand requests at once?

Endpoints whose queries take their time, on one database or on two, and others without any.
"""

import os
import time
from typing import Literal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.servers.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.db import connections  # noqa: E402
from fastapi import FastAPI  # noqa: E402

from django_mullet import (  # noqa: E402
    APIRouter,
    mount_django,
)
from tests.servers.site import health  # noqa: E402

Alias = Literal["default", "other"]

router = APIRouter()
router.get("/health")(health)


def query(alias: Alias, seconds: float) -> None:
    """Have the connection to `alias` busy for so long."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_sleep(%s)", [seconds])
        else:
            cursor.execute("SELECT 1")
            time.sleep(seconds)


@router.get("/def/one")
def one(alias: Alias, seconds: float) -> None:
    """Query twice, so that a request does not end with its first query."""
    query(alias, seconds)
    query(alias, seconds)


@router.get("/async/one")
async def aone(alias: Alias, seconds: float) -> None:
    await sync_to_async(query)(alias, seconds)
    await sync_to_async(query)(alias, seconds)


@router.get("/def/two")
def two(first: Alias, second: Alias, seconds: float) -> None:
    query(first, seconds)
    query(second, seconds)


@router.get("/async/two")
async def atwo(first: Alias, second: Alias, seconds: float) -> None:
    await sync_to_async(query)(first, seconds)
    await sync_to_async(query)(second, seconds)


@router.get("/def/nothing")
def nothing() -> str:
    return "nothing"


@router.get("/async/nothing")
async def anothing() -> str:
    return "nothing"


app = FastAPI()
app.include_router(router, prefix="/api")
mount_django(app)
