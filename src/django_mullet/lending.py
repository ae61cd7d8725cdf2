"""Does a request have its connection to itself, or each of its calls?

A request does, as in Django. Where sockets live for hours, and between two queries a minute
passes, each call can have a connection of its own instead, which serves others meanwhile. What
the session was told is forgotten each time.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from fastapi.dependencies.models import Dependant

from django_mullet import databases
from django_mullet.dependencies import Kind, below, kind
from django_mullet.execution import Unit
from django_mullet.transaction import atomic_request

__all__ = ["ConnectionPer", "unit_of", "without_units"]


class ConnectionPer:
    """Says, as a dependency, what has a connection to itself: a "request" or a "call".

    `APIRouter(connection="call")` adds it to the dependencies of its routes and WebSockets; for a
    single one write `dependencies=[Depends(ConnectionPer("call"))]`. The nearest to the route
    counts. Raises `ValueError` for anything else.
    """

    never_waits = True

    def __init__(self, unit: Unit) -> None:
        if unit not in ("request", "call"):
            raise ValueError(f"'connection' must be 'request' or 'call', not {unit!r}.")
        self.unit: Unit = unit

    async def __call__(self) -> None:
        """Refuse to run: FastAPI calls this only where nobody heeds it."""
        raise ImproperlyConfigured(
            "A route with 'connection' must run as a Django request: use 'APIRouter' of "
            "'django_mullet.routing', or 'route_class=DjangoRoute'."
        )


def unit_of(dependant: Dependant) -> Unit:
    """Return what has a connection to itself in the route that `dependant` belongs to.

    Raises `ImproperlyConfigured` where its calls cannot have one each.
    """
    unit: Unit = "request"
    for sub in dependant.dependencies:
        if isinstance(sub.call, ConnectionPer):
            unit = sub.call.unit
    if unit == "call":
        _check_calls(dependant)
    return unit


def without_units(dependant: Dependant) -> Dependant:
    """Return `dependant`, a route's, as FastAPI is to solve it."""
    subs = [sub for sub in dependant.dependencies if not isinstance(sub.call, ConnectionPer)]
    return replace(dependant, dependencies=subs)


def _check_calls(dependant: Dependant) -> None:
    for alias, backend in databases.backends_with_state():
        raise ImproperlyConfigured(
            f"'connection' cannot be 'call' with the backend '{backend}' of database '{alias}': "
            "what it keeps of a request would be lost between two calls."
        )
    for name in _generators(dependant):
        raise ImproperlyConfigured(
            f"'connection' cannot be 'call' where '{name}' is a dependency: what comes before its "
            "'yield' belongs on the same connection as what comes after it. Write 'async with "
            "atomic():' around the calls that belong together."
        )


def _generators(dependant: Dependant) -> Iterator[str]:
    for sub in below(dependant):
        call: Any = sub.call
        if call is atomic_request:
            yield "Atomic"
        elif kind(call) is Kind.GENERATOR:
            yield getattr(call, "__name__", type(call).__name__)
