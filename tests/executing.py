"""How does a test run code as a request does, without one?"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from django_mullet.execution.execution import Execution

__all__ = ["entered", "execute", "here"]

T = TypeVar("T")


def here() -> str:
    """Return the kind of the calling thread: "mullet" is a worker."""
    return threading.current_thread().name.split("-")[0]


@asynccontextmanager
async def entered(scope: Any = None, **options: Any) -> AsyncIterator[Execution]:
    """Yield an execution, the current one of the calling task."""
    execution = Execution(scope or {"type": "http"}, **options)
    leave = execution.enter(takes_orm=True)
    try:
        yield execution
    finally:
        leave()
        await execution.aclose()


def execute(use: Callable[[Execution], Coroutine[Any, Any, T]], **options: Any) -> T:
    """Return what `use` returns with an execution of its own."""

    async def main() -> T:
        async with entered(**options) as execution:
            return await asyncio.wait_for(use(execution), 10)

    return asyncio.run(main())
