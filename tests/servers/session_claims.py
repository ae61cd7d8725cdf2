"""What do FastAPI's endpoints and Django's views have in common that look at their connection?"""

import asyncio

from asgiref.sync import sync_to_async
from django.db import connection

from tests.servers.session_steps import execute
from tests.testapp.models import Item

__all__ = ["aclosed_by_hand", "agathered", "allowed_to_go_on", "backend_pid", "closed"]

closed = asyncio.Event()
allowed_to_go_on = asyncio.Event()


def backend_pid() -> int:
    return int(execute("SELECT pg_backend_pid()"))


async def agathered() -> list[int]:
    """Return the backends of queries that begin at once."""
    pids = (sync_to_async(backend_pid)() for _ in range(5))
    _, *found = await asyncio.gather(Item.objects.acount(), *pids)
    return found


def close() -> None:
    connection.close()  # that of the thread in which this runs


async def aclosed_by_hand() -> list[object]:
    """Return the backend before and after, and what is left of the session's settings."""
    first = await sync_to_async(backend_pid)()
    await sync_to_async(execute)("SET mullet.one = 'left'")
    await sync_to_async(close)()
    closed.set()
    await allowed_to_go_on.wait()
    second = await sync_to_async(backend_pid)()
    return [
        first,
        second,
        await sync_to_async(execute)("SELECT current_setting('mullet.one', true)"),
    ]
