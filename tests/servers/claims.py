"""Which endpoints tell whose connection they have, and until when?"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.servers.settings")
django.setup()

from django.db import connection  # noqa: E402
from fastapi import FastAPI  # noqa: E402

from django_mullet import (  # noqa: E402
    APIRouter,
    mount_django,
)
from tests.servers.session_claims import (  # noqa: E402
    aclosed_by_hand,
    agathered,
    allowed_to_go_on,
    backend_pid,
    closed,
)
from tests.servers.site import count, health  # noqa: E402

router = APIRouter()
router.get("/health")(health)
router.get("/def/count")(count)
router.get("/gathered")(agathered)
router.get("/closed-by-hand")(aclosed_by_hand)


@router.get("/def/closed-by-hand")
def closed_by_hand() -> list[int]:
    pids = [backend_pid()]
    connection.close()
    return [*pids, backend_pid()]


@router.get("/closed")
async def wait_until_closed() -> None:
    await closed.wait()


@router.get("/go-on")
async def go_on() -> None:
    allowed_to_go_on.set()


app = FastAPI()
app.include_router(router, prefix="/api")
mount_django(app)
