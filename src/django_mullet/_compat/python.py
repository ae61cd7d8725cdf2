"""What Python has for its interpreter and its debuggers, and is relied on for something else."""

import sys
from collections.abc import Callable
from typing import Any

from django_mullet._compat.names import Name, require

__all__ = ["RELIED_ON", "caller_s_module", "moved_to_file"]

RELIED_ON = (
    Name(
        "sys._getframe",
        "It tells whether the ORM, or the function of a prepared query, compares a parameter.",
        "a way for an operand to know who compares it",
    ),
    Name(
        "types.FunctionType.__code__",
        "FastAPI's errors name the file of an endpoint: that of its adapted form is replaced; and "
        "what code mentions tells whether it is the library's own.",
        "a way to name the source of a function",
    ),
)

require(RELIED_ON)


def caller_s_module(depth: int) -> str:
    """Return the module of the code that has called the caller, `depth` frames above it."""
    name: str = sys._getframe(depth + 1).f_globals.get("__name__", "")
    return name


def moved_to_file(function: Any, file: str) -> Callable[..., Any]:
    """Return `function` as if it were written in `file`."""
    function.__code__ = function.__code__.replace(co_filename=file)
    return function  # type: ignore[no-any-return]
