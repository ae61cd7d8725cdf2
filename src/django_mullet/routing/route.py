"""The route and router classes that run FastAPI's handlers as Django requests.

`DjangoRoute` leaves everything to FastAPI's own request handler, which `handler` adapts:
parameters, dependencies, validation, response. `request_run` decides where that handler runs.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import fastapi
from django.apps import apps
from fastapi import Depends, HTTPException
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import FastAPIError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from django_mullet.dependencies.adaptation import traits
from django_mullet.dependencies.route_options import without_marks
from django_mullet.error_handling.openapi_responses import Responses, with_known_errors
from django_mullet.execution.execution import Unit
from django_mullet.middleware.execution import MiddlewareBinding
from django_mullet.middleware.route_option import (
    DjangoMiddleware,
    middleware_of,
    without_django_wrapper,
)
from django_mullet.results.unshown_models import refuse_models
from django_mullet.routing.connection_per import ConnectionPer
from django_mullet.routing.fast_path import Handler
from django_mullet.routing.handler import adapted, dependant_of
from django_mullet.routing.request_run import RouteConfig, run_request
from django_mullet.routing.websockets import run_in_django

__all__ = ["APIRouter", "DjangoRoute"]


class DjangoRoute(APIRoute):
    """A FastAPI route each request of which is one Django request, on one connection."""

    _own_responses: Responses
    _is_defined = False

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        try:
            super().__init__(path, endpoint, **kwargs)
        except FastAPIError:
            refuse_models(endpoint, kwargs.get("response_model"))
            raise
        self._is_defined = True

    @property
    def responses(self) -> Responses:
        """What the OpenAPI document lists; for errors it asks models, which may not be ready."""
        if not self._is_defined or not apps.models_ready:
            return self._own_responses
        return with_known_errors(self.endpoint, self.dependant, self._own_responses)

    @responses.setter
    def responses(self, own: Responses) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        self._own_responses = own

    def get_route_handler(self) -> Handler:
        """Return FastAPI's handler of this route, run in a Django execution."""
        ordinary = super().get_route_handler()
        effective = dependant_of(ordinary)
        middleware = self._middleware_binding(effective)
        # A copy, since FastAPI and others look at the route's own: for the OpenAPI document, say.
        dependant = without_marks(effective)
        dependant.call = without_django_wrapper(dependant.call)
        facts = traits(dependant)
        handler = adapted(
            ordinary, dependant, self.response_model, is_event_stream=self.is_sse_stream
        )
        config = RouteConfig(
            self.endpoint,
            effective,
            facts,
            handler,
            middleware=middleware,
            response_model=self.response_model,
        )
        return partial(run_request, config)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse the method with those of all routes of the path (RFC 9110, 15.5.6)."""
        if self.methods and scope["method"] not in self.methods and "app" in scope:
            allowed = ", ".join(sorted(_methods_of_path(scope)))
            raise HTTPException(405, headers={"Allow": allowed})
        await super().handle(scope, receive, send)

    def _middleware_binding(self, dependant: Dependant) -> MiddlewareBinding | None:
        found = middleware_of(dependant)
        if found is None:
            return None
        return MiddlewareBinding(found, self.endpoint, dependant.path or self.path, self.name)


def _methods_of_path(scope: Scope) -> set[str]:
    """Return the methods of the routes that would answer the path, if it came with one of them."""
    routes = iter_route_contexts(scope["app"].routes)
    partial = [route for route in routes if route.matches(scope)[0] is Match.PARTIAL]
    return {method for route in partial for method in route.methods or ()}


class APIRouter(fastapi.APIRouter):
    """FastAPI's `APIRouter`, the routes of which run as Django requests.

    With `django_middleware`, Django's middleware runs around them, and around those of the
    routers that this one includes: `True` means `settings.MIDDLEWARE`, a list of dotted paths
    others, and `False` none, whatever the router that includes this one says.

    With `connection="call"` each call of a request may have another connection; see `lending`.
    """

    def __init__(
        self,
        *args: Any,
        route_class: type[APIRoute] = DjangoRoute,
        django_middleware: bool | Sequence[str] | None = None,
        connection: Unit | None = None,
        dependencies: Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if django_middleware is not None:
            dependencies = [Depends(DjangoMiddleware(django_middleware)), *(dependencies or ())]
        if connection is not None:
            dependencies = [Depends(ConnectionPer(connection)), *(dependencies or ())]
        super().__init__(*args, route_class=route_class, dependencies=dependencies, **kwargs)

    def add_api_websocket_route(self, *args: Any, **kwargs: Any) -> None:
        """Add a WebSocket route, which runs in a Django execution."""
        super().add_api_websocket_route(*args, **kwargs)
        run_in_django(self.routes[-1], self.dependency_overrides_provider)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Return whether a route answers, when this router is included in an application."""
        match, child_scope = super().matches(scope)
        if "route" in child_scope:
            # That of a WebSocket FastAPI has made anew, for this inclusion.
            run_in_django(child_scope["route"], scope.get("app"))
        return match, child_scope
