"""Are the errors found that the code of a route names?"""

from functools import partial, wraps
from http import HTTPStatus
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404
from django.shortcuts import get_object_or_404
from fastapi import HTTPException, status

from django_mullet.openapi.raised_errors import named_errors
from tests.library.models import Book

HERE = "tests.openapi.test_raised_errors."


def positional() -> None:
    raise HTTPException(404)


def keyword() -> None:
    raise HTTPException(status_code=401, detail="Who?")


def constant() -> None:
    raise HTTPException(status.HTTP_410_GONE)


def member() -> None:
    raise HTTPException(HTTPStatus.CONFLICT)


def many(number: int) -> None:
    if number > 1:
        raise HTTPException(503)
    raise HTTPException(403 if number else 404)


def shortcut() -> Book:
    return get_object_or_404(Book, pk=404)


def django_exceptions(number: int) -> None:
    if number:
        raise Http404
    raise PermissionDenied


def suspicious() -> None:
    raise SuspiciousOperation


def number() -> int:
    return 404


def caller() -> None:
    positional()


def recursive(again: bool) -> None:
    if again:
        recursive(False)
    caller()
    number()


def decorated(function: Any) -> Any:
    @wraps(function)
    def call(*args: Any) -> Any:
        return function(*args)

    return call


class Dependency:
    def __call__(self) -> None:
        raise HTTPException(402)


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (positional, {404: "positional"}),
        (keyword, {401: "keyword"}),
        (constant, {410: "constant"}),
        (member, {409: "member"}),
        (many, {403: "many", 404: "many"}),
        (shortcut, {404: "shortcut"}),
        (suspicious, {400: "suspicious"}),
        (django_exceptions, {404: "django_exceptions", 403: "django_exceptions"}),
        (number, {}),
        (caller, {404: "positional"}),
        (recursive, {404: "positional"}),
        (partial(many, 1), {403: "many", 404: "many"}),
        (decorated(keyword), {401: "keyword"}),
        (Dependency(), {402: "Dependency.__call__"}),
        (print, {}),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_errors_that_code_names(call: Any, found: dict[int, str]) -> None:
    named = named_errors([call])

    assert named == {status: f"{HERE}{name}" for status, name in found.items()}


def test_the_first_place_counts() -> None:
    assert named_errors([many, positional])[404] == f"{HERE}many"
    assert named_errors([positional, many])[404] == f"{HERE}positional"
