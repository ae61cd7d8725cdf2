"""A limit on the number of queries of a route: `max_queries()`."""

import logging
from collections.abc import Iterator
from typing import Any

from fastapi import Depends

from django_mullet import conf
from django_mullet.exceptions import TooManyQueries
from django_mullet.execution.query_log import QueryLog

__all__ = ["budget_of", "max_queries"]

logger = logging.getLogger("django_mullet.queries")


def max_queries(number: int) -> Any:
    """Return a dependency by which a route, or a router, makes at most `number` queries.

    `@router.get("/books/", dependencies=[max_queries(3)])`. One that makes more raises
    `TooManyQueries`, which lists them, and so rolls back; with `MULLET["LAZY_LOADS"]` set to
    "warn" they are logged, and with "allow" nothing happens. Queries of the response count too.
    """

    def budget() -> Iterator[None]:
        log = QueryLog()
        with log.recording():
            yield
        mode = conf.current().lazy_loads
        if len(log.statements) <= number or mode == "allow":
            return
        error = TooManyQueries(number, log.statements)
        if mode == "raise":
            raise error
        logger.warning("%s", error)

    budget.max_queries = number  # type: ignore[attr-defined]
    return Depends(budget, scope="function")


def budget_of(dependency: Any) -> int | None:
    """Return the number of `max_queries(number)`, of which `dependency` is the callable, if any."""
    number: int | None = getattr(dependency, "max_queries", None)
    return number
