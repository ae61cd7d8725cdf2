"""Exception handlers for Django's exceptions, and for those that FastAPI's own handlers fail on.

What Django raises about a request is answered as Django's views answer it, and as FastAPI writes
errors. What the database refuses is the client's error where the client has sent a field that the
constraint is about, and a bug otherwise.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    BadRequest,
    PermissionDenied,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError, OperationalError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404
from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from starlette.exceptions import HTTPException

from django_mullet import conf
from django_mullet.error_handling.body_fields import secret_names
from django_mullet.error_handling.body_locations import place_of_name, places_of
from django_mullet.error_handling.constraints import Refusal, violation_of
from django_mullet.error_handling.problem_details import error_response
from django_mullet.error_handling.refused_values import refused_values
from django_mullet.error_handling.retries import is_conflict
from django_mullet.error_handling.sent_values import sent_json
from django_mullet.schemas.input_keys import Place, as_sent

__all__ = [
    "bad_request",
    "conflict",
    "data_error",
    "http_exception",
    "install_exception_handlers",
    "integrity_error",
    "not_found",
    "permission_denied",
    "protected_error",
    "request_validation_error",
    "server_error",
    "suspicious_operation",
    "validation_error",
]


logger = logging.getLogger("django.request")


async def http_exception(request: Request, exc: HTTPException) -> Response:
    """Answer as FastAPI does, or with a problem of RFC 9457 where the settings want it."""
    if not conf.current().problem_details or exc.status_code < 400:
        return await http_exception_handler(request, exc)
    return error_response(exc.status_code, exc.detail, exc.headers)


async def request_validation_error(request: Request, exc: RequestValidationError) -> Response:
    """Answer 422 as FastAPI does, but without the input where that cannot be written as JSON.

    FastAPI's own handler answers 500 to a lone surrogate, `NaN`, or bytes that are not UTF-8,
    because it repeats the input. Of a body that has a secret nothing is repeated: the input of an
    error may be all of it.
    """
    dependant = _dependant_of(request)
    secrets = set() if dependant is None else secret_names(dependant)
    errors = [_without_secrets(error, secrets) for error in exc.errors()]
    if not conf.current().problem_details:
        try:
            return await request_validation_exception_handler(
                request, RequestValidationError(errors, body=exc.body)
            )
        except (ValueError, RecursionError):
            pass
    detail = [{key: error[key] for key in ("type", "loc", "msg")} for error in errors]
    return error_response(422, detail)


def _without_secrets(error: dict[str, Any], secrets: set[str]) -> dict[str, Any]:
    place = error["loc"]
    if not secrets or not place or place[0] != "body":
        return error
    shown = {key: value for key, value in error.items() if key not in ("input", "ctx")}
    given = str(error.get("input") or "")
    if not secrets.isdisjoint(place) and given and given in error["msg"]:
        shown["msg"] = "This value is not valid."  # as a validator of Django's may repeat it
    return shown


async def not_found(request: Request, exc: Http404) -> Response:
    """Answer 404 to Django's `Http404`, as `get_object_or_404()` raises it, without its text."""
    return error_response(404, "Not Found")


async def permission_denied(request: Request, exc: PermissionDenied) -> Response:
    """Answer 403 to Django's `PermissionDenied`; its text is for the log, as in Django."""
    logger.warning("Forbidden (Permission denied): %s", request.url.path, exc_info=exc)
    return error_response(403, "Forbidden")


async def bad_request(request: Request, exc: BadRequest) -> Response:
    """Answer 400 to Django's `BadRequest`; its text is for the log."""
    logger.warning("Bad Request: %s", request.url.path, exc_info=exc)
    return error_response(400, "Bad Request")


async def suspicious_operation(request: Request, exc: SuspiciousOperation) -> Response:
    """Answer 400 to Django's `SuspiciousOperation`, an unknown host for instance.

    Its text is for the log of its class below `django.security`, as in Django.
    """
    log = logging.getLogger(f"django.security.{type(exc).__name__}")
    log.error("%s: %s", request.url.path, exc, exc_info=exc)
    return error_response(400, "Bad Request")


async def validation_error(request: Request, exc: ValidationError) -> Response:
    """Answer 422 to Django's `ValidationError`, with the location of each field."""
    dependant = _dependant_of(request)
    by_field = exc.message_dict if hasattr(exc, "error_dict") else {NON_FIELD_ERRORS: exc.messages}
    sent = sent_json(request)
    detail = [
        _error("value_error", place_of_name(dependant, exc, name), sent, message)
        for name, messages in by_field.items()
        for message in messages
    ]
    return error_response(422, detail)


async def protected_error(request: Request, exc: ProtectedError | RestrictedError) -> Response:
    """Answer 409 where others refer to what was to be deleted. Names none of them."""
    return error_response(409, "Other objects refer to this one.")


async def integrity_error(request: Request, exc: IntegrityError) -> Response:
    """Answer 409 or 422 to what the database refuses, with the fields that are the reason.

    409 where there is a row like it already, 422 otherwise. Raises `exc` where the request has no
    field that the constraint is about: that is a bug, and a 500.
    """
    violation = violation_of(exc)
    dependant = _dependant_of(request)
    places = [] if violation is None else places_of(dependant, exc, violation)
    if violation is None or not places:
        return _refused(request, exc)
    sent, message = sent_json(request), violation.message
    detail = [_error(violation.refusal.value, place, sent, message) for place in places]
    return error_response(409 if violation.refusal is Refusal.UNIQUE else 422, detail)


async def data_error(request: Request, exc: DataError) -> Response:
    """Answer 422 to a value that the database cannot take, a text with NUL for instance.

    Raises `exc` where the request has none, and for all that is wrong with data otherwise.
    """
    return _refused(request, exc)


def _refused(request: Request, exc: Exception) -> Response:
    found = refused_values(request, exc)
    if not found:
        raise exc
    return error_response(422, found)


async def conflict(request: Request, exc: OperationalError) -> Response:
    """Answer 409 where another transaction was in the way: a serialization failure, a deadlock.

    Raises `exc` where the database failed for another reason.
    """
    if not is_conflict(exc):
        raise exc
    logger.warning("Conflict: %s: %s", request.url.path, exc)
    return error_response(409, "Another request changed the same data at the same time. Try again.")


async def server_error(request: Request, exc: Exception) -> Response:
    """Answer 500 to a bug, and tell nothing of it; Starlette raises `exc` for the log."""
    text = "Internal Server Error"
    if not conf.current().problem_details:
        return PlainTextResponse(text, status_code=500)
    return error_response(500, text)


def _error(type_: str, place: Place, sent: Any, message: str) -> dict[str, Any]:
    return {"type": type_, "loc": ["body", *as_sent(place, sent)], "msg": message}


def _dependant_of(request: Request) -> Any:
    return getattr(request.scope.get("route"), "dependant", None)


_HANDLERS: dict[type[Exception], Callable[[Request, Any], Awaitable[Response]]] = {
    BadRequest: bad_request,
    DataError: data_error,
    Http404: not_found,
    IntegrityError: integrity_error,
    OperationalError: conflict,
    PermissionDenied: permission_denied,
    ProtectedError: protected_error,
    RestrictedError: protected_error,
    SuspiciousOperation: suspicious_operation,
    ValidationError: validation_error,
}


def install_exception_handlers(app: FastAPI) -> None:
    """Have `app` use these handlers wherever it has none, or FastAPI's own."""
    handlers = app.exception_handlers
    if handlers.get(RequestValidationError) is request_validation_exception_handler:
        app.add_exception_handler(RequestValidationError, request_validation_error)  # type: ignore[arg-type]
    if handlers.get(HTTPException) is http_exception_handler:
        app.add_exception_handler(HTTPException, http_exception)  # type: ignore[arg-type]
    if 500 not in handlers:
        handlers.setdefault(Exception, server_error)
    for error, handler in _HANDLERS.items():
        handlers.setdefault(error, handler)
