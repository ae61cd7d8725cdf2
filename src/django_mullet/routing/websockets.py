"""WebSockets whose endpoints and dependencies query in Django's workers.

FastAPI solves the dependencies and awaits the endpoint, on the event loop. For the length of
the connection there is one `Execution`: synchronous dependencies, the async ORM and
`sync_to_async` run in workers. Before its first query it has neither a worker nor a connection;
from then on it has both to its end, and counts among what lasts.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import HTTPException, WebSocket, WebSocketException
from fastapi.routing import APIWebSocketRoute, get_websocket_app, websocket_session
from starlette.routing import BaseRoute
from starlette.status import WS_1013_TRY_AGAIN_LATER
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketState

from django_mullet import conf
from django_mullet.dependencies.adaptation import adapted_dependencies
from django_mullet.dependencies.overrides import Overrides
from django_mullet.dependencies.route_options import without_marks
from django_mullet.error_handling.unavailable import NOT_AVAILABLE, reason_of
from django_mullet.execution.execution import Execution, Habits, Unit, current_execution
from django_mullet.middleware.chain import mark
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
        if mark(dependant) is None:  # else the mark itself refuses to run
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
        except NOT_AVAILABLE as error:
            reason = reason_of(error, current_execution.get())
            if reason is None:
                raise
            raise _try_again(websocket, reason) from error

    return app


def _try_again(websocket: WebSocket, reason: str) -> Exception:
    """Return what answers 503 to a handshake, and closes an accepted connection with 1013."""
    is_handshake = websocket.application_state is WebSocketState.CONNECTING
    if is_handshake and "websocket.http.response" in websocket.scope.get("extensions", {}):
        retry_after = {"Retry-After": str(conf.current().retry_after)}
        return HTTPException(503, detail=reason, headers=retry_after)
    return WebSocketException(WS_1013_TRY_AGAIN_LATER, reason)
