"""The refusal of lazy loads while Pydantic reads a result.

A plan has loaded what a schema shows before Pydantic sees it. Where several schemas may show an
object it is Pydantic that chooses, by reading the object with each: in a worker, and not with a
query for each of many objects.
"""

from contextvars import ContextVar
from copy import copy
from typing import Any

from django.db.models import Model

from django_mullet.results.presenting import Present, holds_models
from django_mullet.schemas.lazy_loads import refused

__all__ = ["reading_in_worker", "refusing_queries"]

_read: ContextVar[tuple[Any, Any] | None] = ContextVar("mullet_read", default=None)
"""A result of the request that was read in a worker, and what FastAPI's field says of it."""


def refusing_queries(field: Any, what: str) -> Any:
    """Return a copy of FastAPI's response `field`, which raises `LazyLoad` where reading queries.

    But for a single object, which may load what it needs.
    """
    field = copy(field)
    validate = field.validate

    def validate_loaded(value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, Model) or not holds_models(value):
            return validate(value, *args, **kwargs)
        with refused(what):
            return validate(value, *args, **kwargs)

    field.validate = validate_loaded
    return field


def reading_in_worker(present: Present, field: Any) -> tuple[Present, Any]:
    """Return `present` so that it has `field`, FastAPI's, read what is left, and so a copy of that.

    FastAPI asks it on the event loop, of an `async def` endpoint.
    """
    field = copy(field)
    validate = field.validate

    def present_and_read(result: Any) -> Any:
        shown = present(result)
        if holds_models(shown):
            _read.set((shown, validate(shown, {}, loc=("response",))))
        return shown

    def validate_unread(value: Any, *args: Any, **kwargs: Any) -> Any:
        known = _read.get()
        if known is not None and known[0] is value:
            return known[1]
        return validate(value, *args, **kwargs)

    field.validate = validate_unread
    return present_and_read, field
