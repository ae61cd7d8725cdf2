"""The value of a request that the database refused, found for a 422.

A database says that a number is out of range, or that a text cannot be stored, but not whose it
is. A value that the client has sent and that explains the error is the client's mistake: 422, with
its place. Where the request has none it is a bug of the program, and stays an error. As the program
may have let pass what it should have looked at, the log has the error in both cases.
"""

import logging
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from functools import partial
from math import isfinite
from typing import Any

from django.db import DataError, IntegrityError
from fastapi import HTTPException, Request

from django_mullet.error_handling.sent_values import has_unread_body, sent_texts, sent_values

__all__ = ["raise_for_sent_value", "refused_values"]

logger = logging.getLogger("django.request")

Unfit = Callable[[Any], bool]

_DRIVERS = ("django.db.", "django_mullet.", "psycopg", "sqlite3")
"""Modules that give values to a database: what they raise themselves is about a value."""

_NUL = "Null characters are not allowed."
_RANGE = "This number is out of range."
_NEGATIVE = "Negative numbers are not allowed."
_SURROGATE = "Surrogates without their other half are not allowed."
_NO_JSON = "This cannot be stored as JSON."

_MAX_DECIMAL_PLACES = 2**14
"""Beyond the point, in a number of PostgreSQL (its documentation, chapter 8.1.2): one less."""


def refused_values(request: Request, error: Exception) -> list[dict[str, Any]]:
    """Return what the client has sent that explains `error`, as Pydantic writes errors.

    Nothing if the request has no such value, or the error is not about one. Says so in the log.
    """
    found = list(_explanations(request, error))
    if found:
        logger.warning("Refused by the database: %s", request.url.path, exc_info=error)
    return [
        {"type": "value_error", "loc": list(place), "msg": message}
        for place, message in dict.fromkeys(found)
    ]


def raise_for_sent_value(request: Request, error: Exception) -> None:
    """Raise an `HTTPException` of 422 if a value of the client explains `error`."""
    if found := refused_values(request, error):
        raise HTTPException(422, found) from error


def _explanations(request: Request, error: Exception) -> Iterator[tuple[Any, str]]:
    if _is_about_nul(error):
        places = [place for place, text in sent_texts(request) if "\0" in text]
        if not places and has_unread_body(request):
            places = [("body",)]
        for place in places:
            yield place, _NUL
        return
    for unfit, message in _unfit_for(error):
        for place, value in sent_values(request):
            if unfit(value):
                yield place, message


def _is_about_nul(error: Exception) -> bool:
    return isinstance(error, DataError) and ("0x00" in str(error) or _state(error) == "22P05")


def _unfit_for(error: Exception) -> Iterator[tuple[Unfit, str]]:
    """Yield which values would explain `error`, and what is wrong with them."""
    text = str(error)
    if isinstance(error, DataError):
        yield from _unfit_for_postgresql(_state(error), text)
    elif isinstance(error, IntegrityError):
        if text == "datatype mismatch":  # SQLite's word for LIMIT and OFFSET beyond 64 bits
            yield _is_large, _RANGE
        elif "JSON_VALID" in text:
            yield _is_no_json, _NO_JSON
    elif not _is_of_a_driver(error):
        return
    elif isinstance(error, OverflowError):
        yield _is_large, _RANGE
    elif isinstance(error, UnicodeEncodeError):
        yield _has_surrogate, _SURROGATE
    elif text == "Negative indexing is not supported.":
        yield _is_negative, _NEGATIVE


def _unfit_for_postgresql(state: str | None, text: str) -> Iterator[tuple[Unfit, str]]:
    """Yield the same for the codes of PostgreSQL's class 22 (its documentation, appendix A)."""
    if state == "22003":  # numeric_value_out_of_range
        yield (_is_not_small if "smallint" in text else _is_large), _RANGE
    elif state == "22001":  # string_data_right_truncation
        for most in re.findall(r"\((\d+)\)", text):  # whatever the server's language is
            yield partial(_is_longer, int(most)), f"At most {most} characters are allowed."
    elif state == "22P02":  # invalid_text_representation
        yield _is_no_json, _NO_JSON


def _state(error: Exception) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def _is_of_a_driver(error: Exception) -> bool:
    """Return whether what raised `error` gives values to a database, and is none of the program."""
    traceback, module = error.__traceback__, ""
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        traceback = traceback.tb_next
    return module.startswith(_DRIVERS)


def _is_longer(most: int, value: Any) -> bool:
    return len(str(value)) > most


def _is_large(value: Any) -> bool:
    return _is_beyond(value, 2**31)


def _is_not_small(value: Any) -> bool:
    return _is_beyond(value, 2**15)


def _is_beyond(value: Any, limit: int) -> bool:
    number = _number(value)
    if number is None:
        return False
    exponent = number.as_tuple().exponent
    is_long = isinstance(exponent, int) and exponent <= -_MAX_DECIMAL_PLACES
    return is_long or not -limit <= number < limit


def _is_negative(value: Any) -> bool:
    number = _number(value)
    return number is not None and number < 0


def _number(value: Any) -> Decimal | None:
    """Return the number that `value` is, or is written as, if it is one."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _has_surrogate(value: Any) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in str(value))


def _is_no_json(value: Any) -> bool:
    return _has_surrogate(value) or (isinstance(value, float) and not isfinite(value))
