"""Parameter parsing for plain routes, in place of FastAPI's `solve_dependencies()`.

FastAPI learns anew in every request what each parameter of each dependency is. Of plain ones, from
the path, the query, the headers, the cookies or a JSON body, all of that is known in advance: so
they are read and validated first, by FastAPI's own fields, and then the dependencies are called in
FastAPI's order. Where one is missing or not valid, nothing has been called yet, and FastAPI's own
handler says what is wrong.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import partial
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from fastapi import Request, Response, params
from fastapi.dependencies.models import Dependant
from pydantic import Json

from django_mullet._compat.fastapi_structure import PARAMETER_MARKERS
from django_mullet.dependencies.adaptation import (
    Kind,
    below,
    is_limited,
    kind,
    never_waits,
    original,
)

__all__ = ["Handler", "Solve", "read_body", "solver"]

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
"""FastAPI's of a route, and what stands in its place."""

Solve = Callable[[Request], Coroutine[Any, Any, Any]]
"""Awaits what the endpoint returns for `request`, or the response of FastAPI's handler."""

_SCALARS = (str, int, float, bool, Decimal, date, datetime, time, timedelta, UUID)

_SOURCES = {
    "path_params": "path_params",
    "query_params": "query_params",
    "header_params": "headers",
    "cookie_params": "cookies",
}
"""What a `Dependant` calls its parameters by where they are, and what a request calls that."""

_JSON = "application/json"

_MISSING: Any = object()


@dataclass(frozen=True, slots=True)
class _Parameter:
    """How one value is found in what the request has of a kind: its headers, for instance."""

    name: str
    alias: str
    loc: tuple[str, ...]
    default: Any
    """What it is if the request has none; `_MISSING` if that is an error."""
    validate: Callable[..., tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class _Step:
    """One call, of a dependency or the endpoint, and where its arguments come from."""

    call: Callable[..., Any]
    request_names: list[str]
    """Its arguments that are the request itself."""
    results: list[tuple[str, int]]
    """Its arguments that are results of earlier steps, by their position."""
    parameters: list[tuple[str, list[_Parameter]]]
    """Those that are found in what the request has under a name, as far as there are any."""
    body: _Parameter | None


def solver(tree: Dependant, body_field: Any, handler: Handler) -> Solve | None:
    """Return what finds the arguments of `tree`, a route's, and calls it.

    `None` if it is not plain. `handler` answers the requests that have something unusual.
    """
    subs = list(below(tree))
    kinds = [kind(original(sub.call)) for sub in (tree, *subs)]
    is_plain = (
        kinds[0] in (Kind.SYNC, Kind.ASYNC)
        and Kind.ASYNC_GENERATOR not in kinds
        and all(map(_is_plain, (tree, *subs)))
        and not any(map(_may_change_requests, subs))
        and _is_plain_body(tree, body_field)
    )
    if not is_plain:
        return None
    steps: list[_Step] = []
    _add(tree, steps, {})
    return partial(_solve, steps, handler)


async def _solve(steps: list[_Step], handler: Handler, request: Request) -> Any:
    """Return what the last step does, or what `handler` does if a value is missing or not valid."""
    given = []
    for step in steps:
        arguments: dict[str, Any] = dict.fromkeys(step.request_names, request)
        for source, parameters in step.parameters:
            if not _read(parameters, getattr(request, source), arguments):
                return await handler(request)
        if step.body is not None and not await _read_body(step.body, request, arguments):
            return await handler(request)
        given.append(arguments)
    results: list[Any] = []
    for step, arguments in zip(steps, given, strict=True):
        for name, position in step.results:
            arguments[name] = results[position]
        results.append(await step.call(**arguments))
    return results[-1]


def _read(parameters: list[_Parameter], values: Any, found: dict[str, Any]) -> bool:
    """Add what `values` has for `parameters` to `found`; return whether all are valid."""
    for parameter in parameters:
        value = values.get(parameter.alias)
        if value is None:
            if parameter.default is _MISSING:
                return False
            found[parameter.name] = parameter.default
            continue
        found[parameter.name], errors = parameter.validate(value, found, loc=parameter.loc)
        if errors:
            return False
    return True


async def _read_body(parameter: _Parameter, request: Request, found: dict[str, Any]) -> bool:
    if request.headers.get("content-type") != _JSON:
        return False
    await read_body(request)
    try:
        value = await request.json()
    except Exception:
        return False  # FastAPI's handler meets the same
    found[parameter.name], errors = parameter.validate(value, found, loc=parameter.loc)
    return not errors


async def read_body(request: Request) -> None:
    """Read the body on the loop; an error is left for FastAPI's handler to answer."""
    try:
        await request.body()
    except Exception as error:
        failure = error

        async def body() -> bytes:
            raise failure

        request.body = body  # type: ignore[method-assign]


# Before the first request


def _is_plain(dependant: Dependant) -> bool:
    """Return whether `dependant` takes nothing but requests and single values from them."""
    others = (
        dependant.websocket_param_name,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
        dependant.own_oauth_scopes,
        dependant.parent_oauth_scopes,
        is_limited(dependant),
    )
    fields = [field for source in _SOURCES for field in getattr(dependant, source)]
    return not any(others) and all(map(_is_plain_field, fields))


def _may_change_requests(dependant: Dependant) -> bool:
    """Return whether the dependency might put a parameter there for those after it."""
    return bool(_request_names(dependant)) and not never_waits(original(dependant.call))


def _request_names(dependant: Dependant) -> list[str]:
    names = dependant.request_param_name, dependant.http_connection_param_name
    return [name for name in names if name is not None]


def _is_plain_field(field: Any) -> bool:
    info = field.field_info
    is_named = info.validation_alias in (None, field.alias)
    has_plain_default = info.is_required() or (
        info.default_factory is None
        and not info.validate_default
        and isinstance(info.default, (NoneType, *_SCALARS, Enum))
    )
    is_known = type(info) in PARAMETER_MARKERS and field.mode == "validation" and not field.config
    is_json = any(type(item) is Json for item in info.metadata)
    return (
        is_known and is_named and has_plain_default and not is_json and _is_scalar(info.annotation)
    )


def _is_scalar(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return all(map(_is_scalar, get_args(annotation)))
    is_class = isinstance(annotation, type) and get_origin(annotation) is None
    return is_class and (annotation in (*_SCALARS, NoneType) or issubclass(annotation, Enum))


def _is_plain_body(tree: Dependant, body_field: Any) -> bool:
    """Return whether `tree` takes no body, or one JSON value as a whole, which it must have."""
    if any(sub.body_params for sub in below(tree)):
        return False
    if not tree.body_params:
        return body_field is None
    [first, *others] = tree.body_params
    return (
        not others
        and body_field is first
        and type(first.field_info) is params.Body
        and not first.field_info.embed
        and bool(first.field_info.is_required())
    )


def _add(dependant: Dependant, steps: list[_Step], known: dict[Any, int]) -> int:
    """Add the steps of `dependant` that are not known yet; return the position of its own."""
    found = [(sub.name, _add(sub, steps, known)) for sub in dependant.dependencies]
    key = dependant.call, dependant.scope
    if dependant.use_cache and key in known:
        return known[key]
    assert dependant.call is not None
    step = _Step(
        dependant.call,
        _request_names(dependant),
        results=[(name, position) for name, position in found if name is not None],
        parameters=[
            (source, [_parameter(field) for field in fields])
            for name, source in _SOURCES.items()
            if (fields := getattr(dependant, name))
        ],
        body=_body(dependant.body_params[0]) if dependant.body_params else None,
    )
    steps.append(step)
    position = len(steps) - 1
    known.setdefault(key, position)
    return position


def _parameter(field: Any) -> _Parameter:
    info = field.field_info
    default = _MISSING if info.is_required() else info.default
    loc = (info.in_.value, field.alias)
    return _Parameter(field.name, field.alias, loc, default, field.validate)


def _body(field: Any) -> _Parameter:
    return _Parameter(field.name, field.alias, ("body",), _MISSING, field.validate)
