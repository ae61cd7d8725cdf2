"""The choice of one connection for a request, or one for each of its calls.

A request does, as in Django. Where sockets live for hours, and between two queries a minute
passes, each call can have a connection of its own instead, which serves others meanwhile. What
the session was told is forgotten each time.
"""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from fastapi.dependencies.models import Dependant

from django_mullet.dependencies.adaptation import Kind, below, kind
from django_mullet.dependencies.route_options import Mark, nearest
from django_mullet.execution import connections
from django_mullet.execution.execution import Unit
from django_mullet.routing.transaction import atomic_request

__all__ = ["ConnectionPer", "unit_of"]


class ConnectionPer(Mark):
    """Says, as a dependency, what has a connection to itself: a "request" or a "call".

    `APIRouter(connection="call")` adds it to the dependencies of its routes and WebSockets; for a
    single one write `dependencies=[Depends(ConnectionPer("call"))]`. The nearest to the route
    counts. Raises `ValueError` for anything else.
    """

    def __init__(self, unit: Unit) -> None:
        if unit not in ("request", "call"):
            raise ValueError(f"'connection' must be 'request' or 'call', not {unit!r}.")
        self.unit: Unit = unit

    async def __call__(self) -> None:
        """Refuse to run: FastAPI calls this only where nothing acts on it."""
        raise ImproperlyConfigured(
            "A route with 'connection' must run as a Django request: use 'from django_mullet "
            "import APIRouter', or 'route_class=DjangoRoute'."
        )


def unit_of(dependant: Dependant) -> Unit:
    """Return what has a connection to itself in the route that `dependant` belongs to.

    Raises `ImproperlyConfigured` where its calls cannot have one each.
    """
    mark = nearest(dependant, ConnectionPer)
    if mark is None or mark.unit == "request":
        return "request"
    _check_calls(dependant)
    return mark.unit


def _check_calls(dependant: Dependant) -> None:
    for alias, backend in connections.backends_with_state():
        raise ImproperlyConfigured(
            f"'connection' cannot be 'call' with the backend '{backend}' of database '{alias}': "
            "it keeps state for the length of a request, which would be lost between two calls. "
            'Write connection="request".'
        )
    for name in _generators(dependant):
        raise ImproperlyConfigured(
            f"'connection' cannot be 'call' where '{name}' is a dependency: the code before its "
            "'yield' and the code after it need the same connection. Write 'async with atomic():' "
            "around the calls that belong together."
        )


def _generators(dependant: Dependant) -> Iterator[str]:
    for sub in below(dependant):
        call: Any = sub.call
        if call is atomic_request:
            yield "Atomic"
        elif kind(call) is Kind.GENERATOR:
            yield getattr(call, "__name__", type(call).__name__)
