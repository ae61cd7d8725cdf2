"""WebSockets whose endpoints and dependencies query in Django's workers.

FastAPI solves the dependencies and awaits the endpoint, on the event loop. For the length of
the connection there is one `Execution`: synchronous dependencies, the async ORM and
`sync_to_async` run in workers. Before its first query it has neither a worker nor a connection;
from then on it has both to its end, and counts among what lasts.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import WebSocket
from fastapi.routing import APIWebSocketRoute, get_websocket_app, websocket_session
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from django_mullet.dependencies.adaptation import adapted_dependencies
from django_mullet.dependencies.overrides import Overrides
from django_mullet.dependencies.route_options import without_marks
from django_mullet.error_handling.service_unavailable import (
    UNAVAILABLE_ERRORS,
    unavailable_websocket,
)
from django_mullet.execution.execution import Execution, Habits, Unit, current_execution
from django_mullet.middleware.route_option import middleware_of
from django_mullet.routing.connection_per import ConnectionPer, unit_of
from django_mullet.routing.websocket_origins import FORBIDDEN, is_foreign

__all__ = ["DjangoWebSocket", "run_in_django"]


def run_in_django(route: BaseRoute, overrides_provider: Any) -> None:
    """Have `route`, if it is a WebSocket's, run in Django's execution; once is enough.

    `overrides_provider` is the application, or whatever has its `dependency_overrides`.
    """
    if isinstance(route, APIWebSocketRoute) and not isinstance(route.app, DjangoWebSocket):
        route.app = DjangoWebSocket(route, overrides_provider)


class DjangoWebSocket:
    """The ASGI application of a WebSocket route."""

    def __init__(self, route: APIWebSocketRoute, overrides_provider: Any) -> None:
        self._unit: Unit = unit_of(route.dependant)
        self._habits = Habits()
        dependant = without_marks(route.dependant, ConnectionPer)
        if middleware_of(dependant) is None:  # else the mark itself refuses to run
            dependant = without_marks(dependant)
        dependant = adapted_dependencies(dependant)
        has_overrides = hasattr(overrides_provider, "dependency_overrides")
        overrides: Any = Overrides(overrides_provider if has_overrides else None)
        self._session = websocket_session(_or_try_again(get_websocket_app(dependant, overrides)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_foreign(scope):
            await FORBIDDEN(scope, receive, send)
            return
        execution = Execution(scope, habits=self._habits, unit=self._unit, lasts=True)
        leave = execution.enter(takes_orm=True)
        try:
            await self._session(scope, receive, send)
        finally:
            leave()
            await execution.aclose()


def _or_try_again(
    run: Callable[[WebSocket], Awaitable[None]],
) -> Callable[[WebSocket], Awaitable[None]]:
    """Return `run`, but for what it makes of a database that is away, and of a full queue."""

    async def app(websocket: WebSocket) -> None:
        try:
            await run(websocket)
        except UNAVAILABLE_ERRORS as error:
            unavailable = unavailable_websocket(error, current_execution.get(), websocket)
            if unavailable is None:
                raise
            raise unavailable from error

    return app
