"""Endpoints that yield: their items pulled into a stream, and their end."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any

from django_mullet._compat.fastapi import request_stack
from django_mullet.callables import in_file_of
from django_mullet.exceptions import Overloaded
from django_mullet.execution.execution import Execution, current_execution
from django_mullet.streaming.bodies import stream

__all__ = ["closed", "closed_events", "pulled"]

Endpoint = Callable[..., Any]
Present = Callable[[Any], Any] | None
"""What each item goes through."""


def pulled(endpoint: Endpoint) -> Endpoint:
    """Return an async generator function of the items of `endpoint`, which are made in a worker."""

    async def pulled(**values: Any) -> AsyncIterator[Any]:
        async with aclosing(stream(endpoint(**values), current_execution.get())) as items:
            async for item in items:
                yield item

    return pulled


def closed(endpoint: Endpoint, present: Present = None) -> Endpoint:
    """Close the generator that `endpoint` gives when its request ends.

    Else that of a client which left is closed by the garbage collector: at any time, and within
    the execution of whichever request runs then.
    """
    if present is None:
        return in_file_of(endpoint, lambda **values: _call_and_close(endpoint, **values))
    return in_file_of(endpoint, lambda **values: _call_and_present(endpoint, present, **values))


def closed_events(endpoint: Endpoint, present: Callable[[Any], Any]) -> Endpoint:
    """As `closed()`, for an async generator of the events of a stream."""
    return in_file_of(endpoint, lambda **values: _call_until_refused(endpoint, present, **values))


def _call_until_refused(endpoint: Endpoint, present: Callable[[Any], Any], /, **values: Any) -> Any:
    items = _call_and_present(endpoint, present, **values)
    return _call_and_close(_until_refused, items=items)


async def _until_refused(items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield `items`, and no more where they get no connection.

    FastAPI makes an error of an event stream cancel its request. Who sends it looks whether it was
    refused, and answers 503.
    """
    try:
        async for item in items:
            yield item
    except Overloaded:
        if current_execution.get().refusal is None:
            raise


def _call_and_present(endpoint: Endpoint, present: Callable[[Any], Any], /, **values: Any) -> Any:
    items = _call_and_close(endpoint, **values)
    if hasattr(items, "__aiter__"):
        return _call_and_close(partial(_presented_async, items, present))
    return _presented(items, present)


def _presented(items: Iterator[Any], present: Callable[[Any], Any]) -> Iterator[Any]:
    for item in items:
        yield present(item)


async def _presented_async(
    items: AsyncIterator[Any], present: Callable[[Any], Any]
) -> AsyncIterator[Any]:
    async for item in items:
        yield present(item)


def _call_and_close(endpoint: Endpoint, /, **values: Any) -> Any:
    items = endpoint(**values)
    execution = current_execution.get()
    if hasattr(items, "aclose"):
        request_stack(execution.scope).push_async_callback(items.aclose)
    elif isinstance(items, Generator):
        request_stack(execution.scope).push_async_callback(_close_in_worker, items, execution)
    return items


async def _close_in_worker(items: Generator[Any, Any, Any], execution: Execution) -> None:
    if getattr(items, "gi_frame", items) is not None:  # it has not come to its end
        await execution.run(items.close)
