"""Names of FastAPI beyond public API: its request handler, the tree of dependencies, the scope.

Where one of them is not there, `UnsupportedFastAPI` is raised: when this module is imported, or
when a route is defined. What FastAPI has besides turns off the fast path, see `fastapi_structure`.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from copy import copy
from dataclasses import fields
from functools import cached_property, partial
from types import CellType, CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import fastapi.routing
from fastapi import Request
from starlette.types import Scope

from django_mullet._compat.fastapi_structure import (
    HANDLER_VARIABLES,
    WEBSOCKET_SIGNATURES,
    signature_of,
)
from django_mullet._compat.names import Name, code_of, require, what_to_install
from django_mullet.exceptions import UnsupportedFastAPI

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant

__all__ = [
    "RELIED_ON",
    "changed_dependant",
    "endpoint_context",
    "function_stack",
    "handler_variable",
    "is_traced",
    "replace_function_stack",
    "replace_request_stack",
    "request_stack",
    "require_sole_references",
    "without_validation",
]


def _has_nothing_derived(found: Any) -> bool:
    # A copy with another callable would keep what was derived from the first.
    return all(field.init for field in fields(found))


def _has_signature(known: str, found: Any) -> bool:
    return signature_of(found) == known


def _has_variable(variable: str, make_handler: Any) -> bool:
    code = code_of(make_handler)
    if code is None or code.co_filename != fastapi.routing.__file__:
        return True  # of an instrument; when a route is defined, it will be seen
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return any(variable in each.co_freevars for each in inner)


_HANDLER = "fastapi.routing.get_request_handler"

RELIED_ON = (
    *(
        Name(
            f"{_HANDLER}.{variable}",
            "What `include_router()` and the application add to a route is in this variable of its "
            "handler alone; the callables are replaced there by those that run in workers.",
            "passing the effective route to `APIRoute.get_route_handler()`, as a comment of "
            "FastAPI's plans",
            used_in=_HANDLER,
            is_as_known=partial(_has_variable, variable),
        )
        for variable in (
            "actual_response_class",
            "body_field",
            "dependant",
            "dependency_overrides_provider",
            "is_coroutine",
            "is_json_stream",
            "response_class",
            "response_field",
            "response_model_by_alias",
            "response_model_exclude",
            "response_model_exclude_defaults",
            "response_model_exclude_none",
            "response_model_exclude_unset",
            "response_model_include",
            "status_code",
            "stream_item_field",
        )
    ),
    Name(
        "fastapi.dependencies.models.Dependant",
        "The tree of dependencies is copied, with adapted callables in it.",
        "a hook for how a dependency is called",
        is_as_known=_has_nothing_derived,
    ),
    Name(
        "fastapi.dependencies.utils.get_typed_signature",
        "What an override depends on is adapted as well.",
        "a hook for how an override is called",
    ),
    *(
        Name(
            f"fastapi.routing.{function}",
            "FastAPI's handler is made of it, and the fast path in its place; tools replace it, "
            "which turns the fast path off.",
            "a handler of which the steps can be chosen",
        )
        for function in ("run_endpoint_function", "serialize_response", "solve_dependencies")
    ),
    *(
        Name(
            f"fastapi.routing.{function}",
            "The application of a WebSocket is made again, of adapted dependencies.",
            "`APIWebSocketRoute.get_route_handler()`",
            is_as_known=partial(_has_signature, known),
        )
        for function, known in WEBSOCKET_SIGNATURES.items()
    ),
    Name(
        "fastapi.routing._extract_endpoint_context",
        "FastAPI's errors about a response say where the endpoint stands in the source.",
        "a public name for it",
    ),
    *(
        Name(
            f"scope.{key}",
            "`yield` dependencies wait on this stack for their exit, in the order of FastAPI's.",
            "a public name for the stack",
            used_in="fastapi.routing.request_response",
        )
        for key in ("fastapi_function_astack", "fastapi_inner_astack")
    ),
    Name(
        "scope.fastapi.telemetry",
        "With it FastAPI's own handler answers, which notes each of its steps.",
        "a way to ask whether a request is traced",
        used_in="fastapi.telemetry._api._route_selected",
    ),
    Name(
        "fastapi._compat.ModelField",
        "Its `validate()` validates a parameter, on the fast path as on FastAPI's.",
        "a public way to a parameter's validation",
    ),
)

require(RELIED_ON)

_TELEMETRY = "fastapi.telemetry"
_REQUEST_STACK = "fastapi_inner_astack"
_FUNCTION_STACK = "fastapi_function_astack"


def handler_variable(handler: Callable[..., Any], name: str) -> CellType:
    """Return the cell of `name` in FastAPI's request handler; its contents may be replaced.

    The handler may be wrapped, as Sentry's SDK does by patching `get_request_handler()`.
    """
    cells = _variables(handler, name)
    if name in cells:
        return cells[name]
    raise UnsupportedFastAPI(f"FastAPI's request handler has no variable '{name}'. {_INSTALL}")


_INSTALL = what_to_install("FastAPI")


def _variables(handler: Callable[..., Any], name: str) -> dict[str, CellType]:
    """Return the free variables of FastAPI's function at, or in, `handler` that has `name`."""
    candidates = [handler]
    for function in candidates:
        if isinstance(function, FunctionType):
            cells = dict(
                zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
            )
            if name in cells and function.__module__ == "fastapi.routing":
                return cells
            filled = [cell.cell_contents for cell in cells.values() if cell != CellType()]
            candidates += [held for held in filled if isinstance(held, FunctionType)]
    return {}


def require_sole_references(handler: Callable[..., Any]) -> None:
    """Raise `UnsupportedFastAPI` if a variable that is not known holds what is to be replaced.

    To fill the known ones would not do then: FastAPI would call what was not adapted.
    """
    cells = _variables(handler, "dependant")
    dependant = cells["dependant"].cell_contents
    replaced: list[Any] = [dependant, dependant.call, *dependant.dependencies]
    replaced += [cells[name].cell_contents for name in _REPLACED]
    sought = {id(each) for each in replaced if each is not None}
    for name in cells.keys() - HANDLER_VARIABLES:
        if _leads_to(sought, cells[name].cell_contents, steps=4):
            raise UnsupportedFastAPI(
                f"The variable '{name}' of FastAPI's request handler has what a route depends on, "
                f"and django-mullet does not know it. {_INSTALL}"
            )


_REPLACED = ("dependency_overrides_provider", "response_field")


def _leads_to(sought: set[int], value: Any, steps: int) -> bool:
    """Return whether one of `sought` can be called, or read, by way of `value`."""
    if id(value) in sought:
        return True
    return steps > 0 and any(_leads_to(sought, part, steps - 1) for part in _parts(value))


def _parts(value: Any) -> list[Any]:
    if isinstance(value, FunctionType):
        cells = [cell for cell in value.__closure__ or () if cell != CellType()]
        return [*(cell.cell_contents for cell in cells), *(value.__defaults__ or ())]
    if isinstance(value, MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list | tuple | set | frozenset) else []


def changed_dependant(dependant: "Dependant", **changes: Any) -> "Dependant":
    """Return a copy of `dependant` with `changes`, and with all else that FastAPI has put there.

    But for what it has only kept: that was of the callable before.
    """
    changed = copy(dependant)
    own: dict[str, Any] = getattr(changed, "__dict__", {})
    for name in [name for name in own if isinstance(_of_class(changed, name), cached_property)]:
        del own[name]
    for name, value in changes.items():
        setattr(changed, name, value)
    return changed


def _of_class(instance: Any, name: str) -> Any:
    return getattr(type(instance), name, None)


def endpoint_context(endpoint: Callable[..., Any], path: str, request: Request) -> Any:
    """Return what FastAPI's errors tell of where they arose: an `EndpointContext`."""
    mounted_at = request.scope.get("root_path", "").rstrip("/")
    path = f"{request.method} {mounted_at}{path}"
    return {**fastapi.routing._extract_endpoint_context(endpoint), "path": path}


def without_validation(field: Any, is_valid: Callable[[Any], bool]) -> Any:
    """Return a copy of FastAPI's response `field`, which validates what is not valid already."""
    field = copy(field)
    validate = field.validate

    def validate_others(value: Any, *args: Any, **kwargs: Any) -> Any:
        return (value, None) if is_valid(value) else validate(value, *args, **kwargs)

    field.validate = validate_others
    return field


def is_traced(scope: Scope) -> bool:
    """Return whether FastAPI's telemetry notes how the request is answered."""
    return scope.get(_TELEMETRY) is not None


def request_stack(scope: Scope) -> AsyncExitStack:
    """Return the stack that exits after the response is sent."""
    stack: AsyncExitStack = scope[_REQUEST_STACK]
    return stack


def function_stack(scope: Scope) -> AsyncExitStack:
    """Return the stack that exits before the response is sent."""
    stack: AsyncExitStack = scope[_FUNCTION_STACK]
    return stack


def replace_request_stack(scope: Scope, stack: AsyncExitStack) -> None:
    """Have `yield` dependencies of request scope wait for their exit on `stack`."""
    scope[_REQUEST_STACK] = stack


def replace_function_stack(scope: Scope, stack: AsyncExitStack) -> None:
    """Have `yield` dependencies of function scope wait for their exit on `stack`."""
    scope[_FUNCTION_STACK] = stack
