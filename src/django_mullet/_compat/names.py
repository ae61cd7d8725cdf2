"""The form in which each module here lists the names that it relies on, and their test.

They are looked for when the module is imported, so that a release of a library without one of them
is told of at once, and not by a wrong answer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import unwrap
from pkgutil import resolve_name
from types import CodeType, FunctionType
from typing import Any

from django_mullet.exceptions import UnsupportedFastAPI

__all__ = ["Name", "code_of", "found", "require", "what_to_install", "words_of"]

_CALLED = {
    "asgiref": "asgiref",
    "anyio": "anyio",
    "django": "Django",
    "fastapi": "FastAPI",
    "psycopg": "psycopg",
    "pydantic": "Pydantic",
    "pydantic_core": "Pydantic",
    "starlette": "Starlette",
    "uvicorn": "uvicorn",
}


_SCOPE = "scope."
"""What the paths of keys of an ASGI scope begin with."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name of another library that is not public, or that has a meaning which is not."""

    path: str
    """Where it is: `"fastapi.routing.serialize_response"`."""
    why: str
    """What it is relied on for."""
    door: str
    """The public one that is missing."""
    used_in: str | None = None
    """The function that uses it, if it is no attribute of a module or a class: a key of the scope,
    a variable of an instance."""
    since: bool = False
    """It is only in some of the supported releases."""
    is_as_known: Callable[[Any], bool] | None = None
    """Whether what is at `path`, or the function that uses it, is what it was."""

    @property
    def word(self) -> str:
        """What code writes."""
        if self.path.startswith(_SCOPE):
            return self.path.removeprefix(_SCOPE)
        return self.path.rpartition(".")[2]

    @property
    def library(self) -> str:
        """What its users call the library that it is of."""
        return _CALLED.get((self.used_in or self.path).partition(".")[0], "Python")

    def is_there(self) -> bool:
        """Return whether the installed library has it."""
        try:
            value = resolve_name(self.used_in or self.path)
        except (AttributeError, ImportError):
            return False
        if self.is_as_known is not None:
            return self.is_as_known(value)
        return self.used_in is None or self._is_used_in(value)

    def _is_used_in(self, function: Any) -> bool:
        code = code_of(function)
        # Instruments put functions of their own in the place of others.
        return code is None or self.word in words_of(code)


def require(names: Sequence[Name]) -> None:
    """Raise `UnsupportedFastAPI`, or `ImportError`, if one of `names` is not there."""
    for name in names:
        if not (name.since or name.is_there()):
            error = UnsupportedFastAPI if name.library == "FastAPI" else ImportError
            raise error(
                f"'{name.path}' of the installed {name.library} is missing, or has changed. "
                f"django-mullet relies on it: {name.why} {what_to_install(name.library)}"
            )


def what_to_install(library: str) -> str:
    """Return what to do where the installed `library` is not as it has to be."""
    return (
        f"Install a {library} release that this release of django-mullet supports, or a newer "
        "django-mullet."
    )


def words_of(code: CodeType) -> set[str]:
    """Return the names and the texts in `code`, and in the functions in it."""
    constants = {each for each in code.co_consts if isinstance(each, str)}
    names = {*code.co_names, *code.co_freevars, *code.co_varnames, *constants}
    return names.union(*map(words_of, _inner(code)))


def code_of(function: Any) -> CodeType | None:
    """Return the code of `function`, or of what a property reads, if it is written in Python."""
    function = unwrap(getattr(function, "fget", function))
    return function.__code__ if isinstance(function, FunctionType) else None


def _inner(code: CodeType) -> Iterator[CodeType]:
    return (each for each in code.co_consts if isinstance(each, CodeType))


def found(path: str) -> Any:
    """Return what is at `path`, which is required before."""
    return resolve_name(path)
