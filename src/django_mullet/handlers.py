"""Which handler of FastAPI's answers a request of a route?

FastAPI makes the handler of a route, with all that an inclusion of its router adds. It stays as it
is, and calls what `dependencies` has adapted in place of what the route names. A route of plain
parameters has a second one, which takes none: what it calls finds them by `solving`.
"""

import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import fastapi.routing
from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import solve_dependencies

from django_mullet._compat import handler_variable, without_validation
from django_mullet.dependencies import Kind, adapted_tree, in_place_of, kind
from django_mullet.overrides import Overrides
from django_mullet.results import presenter
from django_mullet.solving import Handler, solver
from django_mullet.validating import are_of

__all__ = ["Adapted", "adapted", "dependant_of"]


@dataclass(frozen=True, slots=True)
class Adapted:
    """FastAPI's handlers of a route, the callables of which run where Django wants them."""

    overrides: Overrides
    _ordinary: Handler
    _plain: Handler | None

    def __call__(self, request: Request) -> Coroutine[Any, Any, Response]:
        if self._plain is None or self.overrides or _is_observed():
            return self._ordinary(request)
        return self._plain(request)


def _is_observed() -> bool:
    """Return whether somebody notes how FastAPI finds the arguments of the running request.

    By FastAPI's telemetry, or as Logfire does in place of its function.
    """
    telemetry = sys.modules.get("fastapi.telemetry")  # since FastAPI 0.16x
    return (
        fastapi.routing.solve_dependencies is not solve_dependencies  # type: ignore[attr-defined]
        or (telemetry is not None and telemetry.get_telemetry_data() is not None)
    )


def dependant_of(handler: Handler) -> Dependant:
    """Return what FastAPI's `handler` depends on."""
    dependant: Dependant = handler_variable(handler, "dependant").cell_contents
    return dependant


def adapted(
    ordinary: Handler,
    another: Callable[[], Handler],
    dependant: Dependant,
    response_model: Any,
    *,
    is_event_stream: bool,
) -> Adapted:
    """Return the handlers of a route for `dependant` adapted: `ordinary`, which is changed.

    `another` makes one more like it.
    """
    assert dependant.call is not None
    present = presenter(response_model)
    tree = adapted_tree(dependant, present=present, is_event_stream=is_event_stream)
    overrides = Overrides(_variable(ordinary, "dependency_overrides_provider"))
    body_field = _variable(ordinary, "body_field")
    common: dict[str, Any] = {"dependency_overrides_provider": overrides}
    if (are_shown := are_of(response_model)) is not None:
        field = _variable(ordinary, "response_field")
        common["response_field"] = without_validation(field, are_shown)
    if kind(dependant.call) is Kind.SYNC:
        common["is_coroutine"] = True
    _fill(ordinary, dependant=tree, **common)
    plain = None
    if (solve := solver(tree, body_field, ordinary)) is not None:
        plain = another()
        root = Dependant(call=in_place_of(dependant.call, solve), path=tree.path)
        root.request_param_name = "request"
        _fill(plain, dependant=root, body_field=None, **common)
    return Adapted(overrides, ordinary, plain)


def _variable(handler: Handler, name: str) -> Any:
    return handler_variable(handler, name).cell_contents


def _fill(handler: Handler, **contents: Any) -> None:
    for name, content in contents.items():
        handler_variable(handler, name).cell_contents = content
