"""Is it known what a callable is called, and what it wraps?"""

from functools import partial, wraps
from typing import Any

import pytest

from django_mullet.callables import dotted_name, layers


def function(number: int = 0) -> int:
    return number


@wraps(function)
def wrapper(*args: Any) -> Any:
    return function(*args)


class Callable:
    def __call__(self) -> int:
        return 0

    def method(self) -> int:
        return 0


HERE = "tests.test_callables."


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (function, "function"),
        (wrapper, "function"),
        (partial(partial(function, 1)), "function"),
        (Callable, "Callable"),
        (Callable(), "Callable"),
        (partial(Callable()), "Callable"),
        (Callable().method, "Callable.method"),
    ],
)
def test_the_dotted_name(call: Any, name: str) -> None:
    assert dotted_name(call) == f"{HERE}{name}"


@pytest.mark.parametrize(
    ("call", "wrapped"),
    [(wrapper, function), (partial(wrapper), function), (Callable(), Callable.__call__)],
)
def test_the_layers(call: Any, wrapped: Any) -> None:
    [outermost, *inner] = layers(call)

    assert outermost is call
    assert wrapped in inner
