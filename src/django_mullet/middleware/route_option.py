"""The option of a route, or a router, to run Django's middleware around it: `django_middleware`."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.views.decorators import csrf
from fastapi.dependencies.models import Dependant
from fastapi.requests import HTTPConnection

from django_mullet.dependencies.route_options import Mark, nearest
from django_mullet.error_handling.hints import websocket_middleware_hint

__all__ = ["DjangoMiddleware", "middleware_of", "without_django_wrapper"]


class DjangoMiddleware(Mark):
    """Marks routes, as a dependency, as those around which Django's middleware runs.

    `APIRouter(django_middleware=...)` adds it to the dependencies of its routes; so it goes
    where dependencies go, into the routers that a router includes. The nearest to the route
    counts. For a whole application: `FastAPI(dependencies=[Depends(DjangoMiddleware())])`.
    """

    def __init__(self, middleware: bool | Sequence[str] = True) -> None:
        if isinstance(middleware, str):
            raise TypeError(
                "'django_middleware' must be True, False or a list of dotted paths, not "
                f"'{middleware}': write ['{middleware}']."
            )
        self._middleware = middleware

    async def __call__(self, connection: HTTPConnection) -> None:
        """Refuse to run: FastAPI calls this only where nobody runs the middleware."""
        if connection.scope["type"] == "websocket":
            raise ImproperlyConfigured(
                " ".join(websocket_middleware_hint(connection.scope["path"]))
            )
        raise ImproperlyConfigured(
            "A route with 'django_middleware' must run as a Django request: use 'from "
            "django_mullet import APIRouter', or 'route_class=DjangoRoute'."
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """The dotted paths of the middleware, the outermost first."""
        if isinstance(self._middleware, bool):
            return tuple(settings.MIDDLEWARE) if self._middleware else ()
        return tuple(self._middleware)

    def __bool__(self) -> bool:
        return bool(self._middleware)


def middleware_of(dependant: Dependant) -> DjangoMiddleware | None:
    """Return the mark of the route that `dependant` belongs to, if Django's middleware runs."""
    return nearest(dependant, DjangoMiddleware) or None


def without_django_wrapper(endpoint: Any) -> Any:
    """Return what `@csrf_exempt` was put on, for FastAPI to call.

    Django's wrapper only marks a view, but calls it with a request that an endpoint need not
    have as a parameter.
    """
    defined_in = getattr(endpoint, "__globals__", {}).get("__name__")
    return endpoint.__wrapped__ if defined_in == csrf.__name__ else endpoint
