"""Requests that run again after a serialization failure or a deadlock: `retry_on_conflict()`.

Of transactions that stand in each other's way the database fails one: by a deadlock, or because
they cannot be put one after the other. That is nobody's mistake, and the same request may succeed
a moment later. Only who writes an endpoint knows whether it may run twice.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from django.db import OperationalError

from django_mullet.execution.handoff import to_loop
from django_mullet.schemas.lazy_loads import begin_anew

__all__ = ["is_conflict", "retries_of", "retry_on_conflict", "run_with_retries"]

T = TypeVar("T")
EndpointT = TypeVar("EndpointT", bound=Callable[..., Any])

logger = logging.getLogger("django.request")

_RETRIES_ATTRIBUTE = "mullet_retries"

_SQLSTATES = {"40001", "40P01"}
"""`serialization_failure` and `deadlock_detected`, of PostgreSQL's documentation, appendix A."""

_SQLITE_CODES = {5, 6}
"""`SQLITE_BUSY` and `SQLITE_LOCKED`, without what their extended codes say more."""

_MAX_FIRST_PAUSE = 0.01  # seconds, at most, before the first time; twice as long each time after


def retry_on_conflict(times: int = 3) -> Callable[[EndpointT], EndpointT]:
    """Have the request run again, up to `times` times, when its transaction met another.

    Decorates an endpoint whose whole work is one transaction: each time all of it is rolled back
    and runs anew, dependencies included, before anything is sent. After that the answer is 409.
    Raises `TypeError` or `ValueError` if `times` is not a number above 0.
    """
    if isinstance(times, bool) or not isinstance(times, int):
        raise TypeError(
            f"'times' must be a number, not {times!r}: write '@retry_on_conflict(times=3)'."
        )
    if times < 1:
        raise ValueError(
            f"'times' must be at least 1, not {times}: leave '@retry_on_conflict' out where a "
            "request must not run again."
        )

    def marked(endpoint: EndpointT) -> EndpointT:
        setattr(endpoint, _RETRIES_ATTRIBUTE, times)
        return endpoint

    return marked


def retries_of(endpoint: Callable[..., Any]) -> int:
    """Return how many times a request for `endpoint` may run again."""
    times: int = getattr(endpoint, _RETRIES_ATTRIBUTE, 0)
    return times


def is_conflict(error: OperationalError) -> bool:
    """Return whether the database raised `error` because of another transaction.

    On PostgreSQL for a serialization failure and a deadlock, on SQLite for a lock.
    """
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in _SQLSTATES:
        return True
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF in _SQLITE_CODES


async def run_with_retries(times: int, attempt: Callable[[], Awaitable[T]]) -> T:
    """Return what `attempt` returns, the first time or one of `times` more."""
    for number in range(times):
        try:
            return await attempt()
        except OperationalError as error:
            if not is_conflict(error):
                raise
            logger.warning("Conflict, trying again (%d of %d): %s", number + 1, times, error)
        begin_anew()
        await to_loop()
        # A random while, so that those who have met do not meet again.
        await asyncio.sleep(random.uniform(0, _MAX_FIRST_PAUSE * 2**number))  # noqa: S311
    return await attempt()
