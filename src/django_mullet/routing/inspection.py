"""What is known of each route of an application before its first request."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, APIWebSocketRoute, RouteContext, iter_route_contexts
from fastapi.security.base import SecurityBase

from django_mullet.callables import dotted_name, layers
from django_mullet.dependencies.adaptation import Kind, below, kind
from django_mullet.dependencies.route_options import Mark
from django_mullet.execution.execution import Unit
from django_mullet.middleware.route_option import middleware_of
from django_mullet.routing.connection_per import unit_of
from django_mullet.routing.query_budget import budget_of
from django_mullet.routing.route import DjangoRoute
from django_mullet.routing.transaction import atomic_aliases, atomic_request
from django_mullet.routing.websockets import DjangoWebSocket

__all__ = ["RouteFacts", "calls_of", "refusing_scheme", "route_facts"]

WEBSOCKET = "WEBSOCKET"
"""Stands for a method where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteFacts:
    """What is known of a route."""

    path: str
    name: str
    methods: list[str]
    endpoint: str
    """The dotted path of the endpoint, or of the application that is mounted."""
    is_async: bool
    security: list[str]
    """The names of the security schemes that ask who calls, with the scopes they ask for."""
    dependencies: list[str]
    """The dotted paths of the dependencies of the route itself, but for schemes and facts below."""
    is_django_request: bool
    django_middleware: bool
    atomic: list[str]
    """The databases on which a request is a transaction."""
    connection: Unit | None
    """What has a connection to itself, in a Django request: a "request" or a "call"."""
    max_queries: int | None


def route_facts(app: FastAPI) -> Iterator[RouteFacts]:
    """Yield the facts of each route of `app`, in the order in which a request tries them."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute | APIWebSocketRoute):
            yield _api_route(context)
        else:
            yield _plain_route(context)


def _api_route(context: RouteContext) -> RouteFacts:
    route: Any = context.original_route
    is_websocket = isinstance(route, APIWebSocketRoute)
    is_ours = isinstance(route, DjangoRoute) or isinstance(route.app, DjangoWebSocket)
    # The oldest FastAPI that is supported does not know where it includes a WebSocket.
    endpoint: Any = context.endpoint or route.endpoint
    dependant: Dependant = getattr(context, "dependant", None) or route.dependant
    calls = [sub.call for sub in below(dependant)]
    budgets = [number for call in calls if (number := budget_of(call)) is not None]
    atomic = atomic_aliases(endpoint) if is_ours and not is_websocket else []
    if atomic_request in calls:
        atomic = list(dict.fromkeys([*atomic, DEFAULT_DB_ALIAS]))
    return RouteFacts(
        path=context.path or route.path,
        name=context.name or route.name,
        methods=[WEBSOCKET] if is_websocket else sorted(context.methods or ()),
        endpoint=dotted_name(endpoint),
        is_async=kind(endpoint) in (Kind.ASYNC, Kind.ASYNC_GENERATOR),
        security=_security(dependant),
        dependencies=list(dict.fromkeys(_named_dependencies(dependant))),
        is_django_request=is_ours,
        django_middleware=not is_websocket and middleware_of(dependant) is not None,
        atomic=atomic,
        connection=unit_of(dependant) if is_ours else None,
        max_queries=min(budgets, default=None),
    )


def _plain_route(context: RouteContext) -> RouteFacts:
    route: Any = context.original_route
    answers = context.endpoint or getattr(route, "app", route)
    return RouteFacts(
        path=context.path or "",
        name=context.name or "",
        methods=sorted(context.methods or ()),
        endpoint=dotted_name(answers),
        is_async=kind(answers) is Kind.ASYNC,
        security=[],
        dependencies=[],
        is_django_request=False,
        django_middleware=False,
        atomic=[],
        connection=None,
        max_queries=None,
    )


def calls_of(dependant: Dependant) -> list[Any]:
    """Return the endpoint of `dependant`, a route's, and all that it depends on."""
    return [dependant.call, *(sub.call for sub in below(dependant))]


def refusing_scheme(dependant: Dependant) -> str | None:
    """Return the name of a security scheme that by itself refuses who does not say who calls."""
    schemes = [scheme for call in calls_of(dependant) for scheme in _schemes(call)]
    refusing = [scheme.scheme_name for scheme in schemes if getattr(scheme, "auto_error", False)]
    return refusing[0] if refusing else None


def _security(dependant: Dependant) -> list[str]:
    """Return the names of the security schemes of `dependant`, a route's, with their scopes."""
    schemes: dict[str, dict[str, None]] = {}
    for sub in below(dependant):
        for scheme in _schemes(sub.call):
            scopes = [*(sub.parent_oauth_scopes or ()), *(sub.own_oauth_scopes or ())]
            schemes.setdefault(scheme.scheme_name, {}).update(dict.fromkeys(scopes))
    return [f"{name}[{' '.join(scopes)}]" if scopes else name for name, scopes in schemes.items()]


def _schemes(call: Any) -> list[SecurityBase]:
    return [layer for layer in layers(call) if isinstance(layer, SecurityBase)]


def _named_dependencies(dependant: Dependant) -> Iterator[str]:
    calls: list[Any] = [sub.call for sub in dependant.dependencies]
    for call in calls:
        is_fact = call is atomic_request or isinstance(call, Mark) or budget_of(call) is not None
        if not is_fact and not _schemes(call):
            yield dotted_name(call)
