"""The HTTP errors that the source code of an endpoint raises.

Read from the code, and so neither all that can happen nor certain to happen: what
`raise HTTPException(404)`, `get_object_or_404()` and their like say in an endpoint, in its
dependencies and in the functions of the same package that those call by name.
"""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from types import CodeType, FunctionType
from typing import Any

from django_mullet.callables import dotted_name, layers

__all__ = ["named_errors"]

STATUS_OF = {
    "BadRequest": 400,
    "SuspiciousOperation": 400,
    "Http404": 404,
    "aget_list_or_404": 404,
    "aget_object_or_404": 404,
    "aget_or_404": 404,
    "get_list_or_404": 404,
    "get_object_or_404": 404,
    "get_or_404": 404,
    "PermissionDenied": 403,
}
"""What is answered where a function names one of these, see `error_handling.handlers`."""

STATUS_NAME = re.compile(r"HTTP_(4\d\d)_")
"""As `fastapi.status` names them."""


def named_errors(calls: Iterable[Any]) -> dict[int, str]:
    """Return the statuses from 400 to 499 that the code of `calls` names, and where it does."""
    found: dict[int, str] = {}
    seen: set[CodeType] = set()
    waiting = [layer for call in calls for layer in layers(call)]
    for function in waiting:
        if not isinstance(function, FunctionType) or function.__code__ in seen:
            continue
        seen.add(function.__code__)
        for status in _statuses(function.__code__):
            found.setdefault(status, dotted_name(function))
        waiting += _called(function)
    return found


def _statuses(code: CodeType) -> Iterator[int]:
    names = set(code.co_names)
    yield from (STATUS_OF[name] for name in names & STATUS_OF.keys())
    yield from (int(match[1]) for name in names if (match := STATUS_NAME.match(name)))
    said: list[Any] = []
    if "HTTPException" in names:
        said += code.co_consts
    if "HTTPStatus" in names:
        said += [HTTPStatus[name] for name in names & HTTPStatus.__members__.keys()]
    yield from (int(each) for each in said if isinstance(each, int) and 400 <= each < 500)


def _called(function: FunctionType) -> Iterator[FunctionType]:
    package = function.__module__.partition(".")[0]
    for name in function.__code__.co_names:
        named = function.__globals__.get(name)
        if isinstance(named, FunctionType) and named.__module__.partition(".")[0] == package:
            yield named
