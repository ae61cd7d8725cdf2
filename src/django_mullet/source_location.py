"""The file and line of the project that an exception comes from."""

import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path

__all__ = ["is_of_project", "place_of"]

_ELSEWHERE = (
    Path(sysconfig.get_path("stdlib")).resolve(),
    Path(__file__).resolve().parent,
)


def place_of(error: BaseException) -> str:
    """Return the file and the line that a developer has to look at, as `books/api.py, line 12`.

    Of the exceptions that led to `error` the first counts, and of its frames the last one in the
    project. Empty if the project has no part in it.
    """
    places = [place for each in _causes(error) for place in _places(each)]
    return places[-1] if places else ""


def is_of_project(file: Path) -> bool:
    """Return whether `file` is neither Python's nor of an installed package."""
    path = file.resolve()
    return (
        not file.name.startswith("<")  # what was never a file
        and {"site-packages", "dist-packages"}.isdisjoint(path.parts)
        and not any(map(path.is_relative_to, _ELSEWHERE))
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and what it comes from, the origin last."""
    seen: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in seen:
        yield each
        seen.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _places(error: BaseException) -> Iterator[str]:
    for frame in traceback.extract_tb(error.__traceback__):
        if is_of_project(Path(frame.filename)):
            yield _place(frame.filename, frame.lineno)
    if isinstance(error, SyntaxError) and error.filename:
        yield _place(error.filename, error.lineno)


def _place(filename: str, line: int | None) -> str:
    file = Path(filename)
    if file.is_relative_to(Path.cwd()):
        file = file.relative_to(Path.cwd())
    return f"{file}, line {line}"
