"""Route options that are written as dependencies and change how a route runs.

It is a `Mark`: `DjangoMiddleware`, `ConnectionPer`. So it goes where dependencies go, into the
routers that a router includes, and the nearest to the route counts. FastAPI is not to solve it.
"""

from typing import Any, TypeVar

from fastapi.dependencies.models import Dependant

from django_mullet._compat.fastapi import changed_dependant

__all__ = ["Mark", "nearest", "without_marks"]


class Mark:
    """A dependency that says something about the routes that have it."""

    never_waits = True


M = TypeVar("M", bound=Mark)


def nearest(dependant: Dependant, kind: type[M]) -> M | None:
    """Return the mark of a kind that counts for the route that `dependant` belongs to, if any."""
    calls: list[Any] = [sub.call for sub in dependant.dependencies]
    return next((call for call in reversed(calls) if isinstance(call, kind)), None)


def without_marks(dependant: Dependant, *kinds: type[Mark]) -> Dependant:
    """Return `dependant`, a route's, without its marks of those `kinds`: by default, of all."""
    subs = [sub for sub in dependant.dependencies if not _is_mark(sub.call, kinds or (Mark,))]
    return changed_dependant(dependant, dependencies=subs)


def _is_mark(call: Any, kinds: tuple[type[Mark], ...]) -> bool:
    return isinstance(call, kinds)
