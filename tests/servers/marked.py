"""What if a receiver of `connection_created` leaves in each connection what can be there once?"""

import asyncio
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.servers.settings")
django.setup()

from asgiref.sync import sync_to_async  # noqa: E402
from django.db.backends.signals import connection_created  # noqa: E402
from django.dispatch import receiver  # noqa: E402
from fastapi import FastAPI  # noqa: E402

from django_mullet import (  # noqa: E402
    APIRouter,
    mount_django,
)
from tests.servers.session_claims import agathered, backend_pid  # noqa: E402
from tests.servers.session_steps import execute  # noqa: E402
from tests.servers.site import health  # noqa: E402

router = APIRouter()
router.get("/health")(health)
router.get("/gathered")(agathered)

created: list[int] = []


@receiver(connection_created)
def mark(connection: Any, **kwargs: Any) -> None:
    created.append(connection.connection.info.backend_pid)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE marked ()")


@router.get("/created")
async def list_created() -> list[int]:
    return created


def marked() -> int:
    """Return the backend's process id, if the connection is marked."""
    execute("SELECT count(*) FROM marked")
    return backend_pid()


@router.get("/def/marked")
def def_marked() -> list[int]:
    return [marked()]


@router.get("/async/marked")
async def async_marked() -> list[int]:
    first = await sync_to_async(marked)()
    await asyncio.sleep(0.002)
    return [first, await sync_to_async(marked)()]


app = FastAPI()
app.include_router(router, prefix="/api")
mount_django(app)
