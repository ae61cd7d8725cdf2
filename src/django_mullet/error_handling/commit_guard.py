"""Guards against error responses that contradict what was committed.

One of success means that what the request wrote is stored, and one that asks for the request again,
a 409 of a conflict or a 503, that it is not. Where that is not so the answer is an error, a 500.
"""

import logging
from collections.abc import Awaitable, Callable

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from django_mullet.callables import request_name
from django_mullet.error_handling.retries import is_conflict
from django_mullet.exceptions import AlreadyCommitted, OutcomeUnknown, RolledBack
from django_mullet.execution.execution import Execution

__all__ = ["guard_commit", "require_ended", "require_uncommitted"]

_REFUSALS = (HTTPException, ValidationError, DataError, IntegrityError)
"""What is answered by a status that tells the client that its request has changed nothing."""

logger = logging.getLogger("django.request")


async def guard_commit(
    execution: Execution, respond: Callable[[], Awaitable[Response]]
) -> Response:
    """Return what `respond` returns, in one attempt to answer the request of `execution`.

    Raises `RolledBack` where that is a success and nothing is stored, and `AlreadyCommitted` where
    it meets another transaction after something is stored, or is refused by what runs then.
    """
    outcome = execution.outcome
    outcome.await_()
    try:
        response = await respond()
    except _REFUSALS as error:
        if error is outcome.late_error:
            require_uncommitted(execution, error)
        if isinstance(error, HTTPException):
            _require_committed(execution, error.status_code)
        raise
    except OutcomeUnknown as error:
        logger.error("Outcome unknown: %s: %s", request_name(execution.scope), error)
        raise
    except OperationalError as error:
        if is_conflict(error):
            require_uncommitted(execution, error)
        raise
    finally:
        outcome.is_awaited = False
    _require_committed(execution, response.status_code)
    return response


def _require_committed(execution: Execution, status_code: int) -> None:
    error = execution.outcome.rolled_back
    if error is not None and status_code < 400:
        raise error from error.__cause__


def require_uncommitted(execution: Execution, error: Exception) -> None:
    """Raise `AlreadyCommitted` for `error`, which asks for a request again, if that stored some."""
    if execution.outcome.has_committed:
        raise AlreadyCommitted(
            f"{request_name(execution.scope)} failed after it had committed, so it must not be "
            f"sent again: {error} Move what may fail like this into the transaction, and what the "
            "response does not need into 'transaction.on_commit(function, robust=True)'."
        ) from error


def require_ended(execution: Execution, response: Response) -> None:
    """Raise `RolledBack` if `response` reports success after a transaction that was never ended."""
    if execution.abandoned and response.status_code < 400:
        raise RolledBack(
            f"{request_name(execution.scope)} left a transaction open: it was rolled back, and "
            "nothing is stored. Write 'with atomic():' around the queries that belong together."
        )
