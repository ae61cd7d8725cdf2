"""FastAPI's request handler of a route, adapted, and the fast path in its place.

FastAPI makes the handler of a route, with all that an inclusion of its router adds. It stays as it
is, and calls what `dependencies` has adapted in place of what the route names. A route of plain
parameters has a second one: `fast_path` finds them, and FastAPI's functions make a response of what
the endpoint returns, without what FastAPI does for other routes in between.
"""

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

import fastapi.dependencies.utils
import fastapi.routing
from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.utils import is_body_allowed_for_status_code

from django_mullet._compat.fastapi import (
    endpoint_context,
    handler_variable,
    is_traced,
    require_sole_references,
    without_validation,
)
from django_mullet._compat.fastapi_structure import (
    unknown_in_handler,
    unknown_in_library,
    unknown_in_tree,
)
from django_mullet.callables import dotted_name, is_written_in
from django_mullet.dependencies.adaptation import Kind, adapted_tree, below, kind
from django_mullet.dependencies.overrides import Overrides
from django_mullet.results.lazy_reads import reading_in_worker, refusing_queries
from django_mullet.results.presenting import (
    Present,
    holds_models,
    holds_querysets,
    listed,
    presenter,
    shown_schemas,
)
from django_mullet.results.unshown_models import Encoded, evaluated
from django_mullet.routing.fast_path import Handler, Solve, solver
from django_mullet.schemas.validation import are_of

__all__ = ["Adapted", "adapted", "dependant_of"]

logger = logging.getLogger("django_mullet.routing")


@dataclass(frozen=True, slots=True)
class Adapted:
    """Handlers of a route: FastAPI's, whose callables run where Django wants, and a plain one."""

    overrides: Overrides
    _ordinary: Handler
    _plain: Handler | None

    def __call__(self, request: Request) -> Coroutine[Any, Any, Response]:
        if self._plain is None or self.overrides or _is_observed(request):
            return self._ordinary(request)
        return self._plain(request)


def _steps() -> tuple[Any, ...]:
    routing: Any = fastapi.routing
    return routing.solve_dependencies, routing.run_endpoint_function, routing.serialize_response


_STEPS = _steps()
_ARE_FASTAPI_S = is_written_in(fastapi.dependencies.utils.__file__, _STEPS[0]) and is_written_in(
    fastapi.routing.__file__, *_STEPS[1:]
)


def _is_observed(request: Request) -> bool:
    """Return whether somebody notes how FastAPI answers `request`.

    By FastAPI's telemetry, or as Logfire does in place of FastAPI's functions.
    """
    return is_traced(request.scope) or _steps() != _STEPS


def dependant_of(handler: Handler) -> Dependant:
    """Return what FastAPI's `handler` depends on."""
    dependant: Dependant = handler_variable(handler, "dependant").cell_contents
    return dependant


def adapted(
    ordinary: Handler, dependant: Dependant, response_model: Any, *, is_event_stream: bool
) -> Adapted:
    """Return the handlers of a route for `dependant` adapted: `ordinary`, which is changed."""
    assert dependant.call is not None
    require_sole_references(ordinary)
    of_result = presenter(response_model)
    present = _shown_by(ordinary, dependant.call, of_result, is_event_stream=is_event_stream)
    field = _field_for(ordinary, dependant.call, of_result, response_model)
    if of_result is not None and present is of_result and kind(dependant.call) is Kind.ASYNC:
        present, field = reading_in_worker(of_result, field)
    _fill(ordinary, response_field=field)
    tree = adapted_tree(
        dependant,
        present=present,
        is_concerned=holds_querysets if present is listed else holds_models,
        is_event_stream=is_event_stream,
    )
    body_field = _variable(ordinary, "body_field")
    overrides = Overrides(_variable(ordinary, "dependency_overrides_provider"))
    _fill(ordinary, dependant=tree, dependency_overrides_provider=overrides)
    if kind(dependant.call) is Kind.SYNC:
        _fill(ordinary, is_coroutine=True)
    solve = solver(tree, body_field, ordinary) if _is_known(ordinary, tree) else None
    plain = None if solve is None else _PlainHandler.like(ordinary, solve, dependant)
    return Adapted(overrides, ordinary, plain)


def _is_known(handler: Any, tree: Dependant) -> bool:
    """Return whether FastAPI's `handler` does for a route what the fast path would do, and no more.

    What it does besides is logged once, as the same is true of all routes.
    """
    # Sentry, for one, wraps the handler: that is to be called.
    if not (_ARE_FASTAPI_S and is_written_in(fastapi.routing.__file__, handler)):
        return False
    unknown = [
        *unknown_in_library(),
        *unknown_in_handler(handler.__code__),
        *unknown_in_tree([tree, *below(tree)]),
    ]
    if unknown and not _TOLD:
        _TOLD.extend(unknown)
        # A warning, as there is something to do, and nobody would look for it otherwise.
        logger.warning(_SLOWER, fastapi.__version__, "; ".join(unknown))
    return not unknown


_TOLD: list[str] = []
"""What was logged."""

_SLOWER = (
    "This release of django-mullet does not know all of FastAPI %s: %s. FastAPI's own handler "
    "answers the routes concerned, correctly but more slowly. Upgrade django-mullet."
)


def _field_for(
    handler: Handler, endpoint: Any, of_result: Present | None, response_model: Any
) -> Any:
    """Return what `handler` has to have as the field of its response."""
    field = _variable(handler, "response_field")
    if (are_shown := are_of(response_model)) is not None:
        return without_validation(field, are_shown)
    if of_result is not None or shown_schemas(response_model):
        return refusing_queries(field, dotted_name(endpoint))
    return field


def _shown_by(
    handler: Handler, endpoint: Any, present: Present | None, *, is_event_stream: bool
) -> Present | None:
    """Return what a result, or each item, goes through; have `handler` refuse unshown models."""
    found, encoded = kind(endpoint), Encoded(endpoint)
    if found in (Kind.GENERATOR, Kind.ASYNC_GENERATOR):
        if is_event_stream:
            return encoded.event if _has_item_field(handler) else encoded.item
        is_untyped = _variable(handler, "is_json_stream") and not _has_item_field(handler)
        return encoded if is_untyped else None
    if _variable(handler, "response_field") is not None:
        return present or listed
    # The class itself, as FastAPI would have a field write JSON where it is left to FastAPI.
    response_class = _variable(handler, "actual_response_class")
    _fill(handler, response_field=encoded, response_class=response_class)
    return evaluated if found is Kind.ASYNC else None


def _has_item_field(handler: Handler) -> bool:
    return _variable(handler, "stream_item_field") is not None


@dataclass(frozen=True, slots=True)
class _PlainHandler:
    """Answers a request of a plain route, as FastAPI's handler of the route would."""

    solve: Solve
    endpoint: Callable[..., Any]
    path: str
    serialize: Callable[..., Coroutine[Any, Any, Any]]
    respond: Callable[[Any], Response]

    @classmethod
    def like(cls, handler: Handler, solve: Solve, dependant: Dependant) -> "_PlainHandler":
        """Return the handler that has `solve` find and call what `handler` would."""
        assert dependant.call is not None
        assert dependant.path is not None
        field = _variable(handler, "response_field")
        is_json = isinstance(_variable(handler, "response_class"), DefaultPlaceholder)
        dumps = is_json and field is not None
        serialize = partial(
            fastapi.routing.serialize_response,
            field=field,
            dump_json=dumps,
            **{name: _variable(handler, f"response_model_{name}") for name in _OPTIONS},
        )
        status = _variable(handler, "status_code")
        arguments = {"background": None, **({"status_code": status} if status else {})}
        respond = (
            partial(Response, media_type="application/json", **arguments)
            if dumps
            else partial(_variable(handler, "actual_response_class"), **arguments)
        )
        return cls(solve, dependant.call, dependant.path, serialize, respond)

    async def __call__(self, request: Request) -> Response:
        """Return what the endpoint returned, if that is a response, or one with it."""
        result = await self.solve(request)
        if isinstance(result, Response):
            return result
        context = endpoint_context(self.endpoint, self.path, request)
        content = await self.serialize(response_content=result, endpoint_ctx=context)
        response = self.respond(content)
        if not is_body_allowed_for_status_code(response.status_code):
            response.body = b""
        return response


_OPTIONS = (
    "include",
    "exclude",
    "by_alias",
    "exclude_unset",
    "exclude_defaults",
    "exclude_none",
)
"""How a result is serialized, in the words of `FastAPI.get(response_model_…)`."""


def _variable(handler: Handler, name: str) -> Any:
    return handler_variable(handler, name).cell_contents


def _fill(handler: Handler, **contents: Any) -> None:
    for name, content in contents.items():
        handler_variable(handler, name).cell_contents = content
