"""Names, decorator layers and source files of the callables that routes are given."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import FunctionType
from typing import Any

from django_mullet._compat.python import moved_to_file

__all__ = ["dotted_name", "in_file_of", "is_written_in", "layers"]


def dotted_name(call: Any) -> str:
    """Return the dotted path of `call`; of an instance, that of its class."""
    while isinstance(call, partial):
        call = call.func
    named = call if hasattr(call, "__qualname__") else type(call)
    return f"{named.__module__}.{named.__qualname__}"


def request_name(scope: Any) -> str:
    """Return what a log entry calls the request of `scope`, with its endpoint if it has one."""
    named = f"'{scope.get('method', 'WebSocket')} {scope['path']}'"
    endpoint = scope.get("endpoint")
    return named if endpoint is None else f"{named} of '{dotted_name(endpoint)}'"


def layers(call: Any) -> Iterator[Any]:
    """Yield `call` and what it wraps: by a partial, a decorator or as a callable instance."""
    yield call
    if isinstance(call, partial):
        yield from layers(call.func)
    elif not inspect.isroutine(call):
        yield from layers(type(call).__call__)
    wrapped = getattr(call, "__wrapped__", None)
    if wrapped is not None:
        yield from layers(wrapped)


def is_written_in(file: str, *functions: Any) -> bool:
    """Return whether `functions` are the very ones in `file`, and no wrappers in their place."""
    return all(
        isinstance(function, FunctionType) and function.__code__.co_filename == file
        for function in functions
    )


def in_file_of(endpoint: Callable[..., Any], adapted: Any) -> Callable[..., Any]:
    """Return `adapted`, a lambda around `endpoint`, as FastAPI's errors want it.

    They name the file of its code, and the line of what it wraps, if that has one. The code has
    no part in tracebacks: it has returned when what it returns is awaited.
    """
    with suppress(TypeError, OSError):
        file = inspect.getfile(endpoint)
        moved_to_file(adapted, file)
    adapted.__wrapped__ = endpoint  # by which FastAPI knows an async generator, too
    return adapted  # type: ignore[no-any-return]
