"""How does a test run a coroutine where `async with atomic()` may be written?"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import connections

from tests.executing import entered
from tests.testapp.models import Item

__all__ = ["Failed", "Use", "depth", "everywhere", "in_request", "in_script", "names"]

T = TypeVar("T")
Use = Callable[[], Coroutine[Any, Any, T]]


class Failed(Exception):
    pass


def in_request(use: Use[T]) -> T:
    """Return what `use` returns in a request."""

    async def main() -> T:
        async with entered():
            return await asyncio.wait_for(use(), 10)

    return asyncio.run(main())


def in_request_that_has_queried(use: Use[T]) -> T:
    async def main() -> T:
        async with entered():
            await Item.objects.acount()
            return await asyncio.wait_for(use(), 10)

    return asyncio.run(main())


def in_script(use: Use[T]) -> T:
    """Return what `use` returns outside of any request."""

    async def main() -> T:
        try:
            return await asyncio.wait_for(use(), 10)
        finally:
            await sync_to_async(connections.close_all)()

    return asyncio.run(main())


def in_command(use: Use[T]) -> T:
    """Return what `use` returns below `async_to_sync`, as in a management command."""
    return async_to_sync(use)()


everywhere = pytest.mark.parametrize(
    "anywhere", [in_request, in_request_that_has_queried, in_script, in_command]
)


async def depth(using: str = "default") -> int:
    """Return how many blocks are open on the connection of the async ORM."""
    return await sync_to_async(lambda: len(connections[using].atomic_blocks))()


def names(using: str = "default") -> list[str]:
    return list(Item.objects.using(using).order_by("pk").values_list("name", flat=True))
