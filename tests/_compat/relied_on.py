"""What `_compat` relies on: its tables, and the one of the documentation that is made of them.

`python -m tests._compat.relied_on` writes that one anew.
"""

from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path
from pkgutil import iter_modules

from django_mullet import _compat
from django_mullet._compat.names import Name

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
BEGIN, END = "<!-- names: begin -->\n", "<!-- names: end -->\n"


def tables() -> dict[str, tuple[Name, ...]]:
    """Return what each module of `_compat` relies on."""
    names = [module.name for module in iter_modules(_compat.__path__, f"{_compat.__name__}.")]
    found = {name: getattr(import_module(name), "RELIED_ON", ()) for name in names}
    return {name: table for name, table in found.items() if table}


def in_markdown() -> str:
    """Return the tables for the documentation, one row for what is relied on for the same."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    names = [name for table in tables().values() for name in table]
    for library, of_library in groupby(_sorted(names), lambda name: name.library):
        yield f"**{library}**\n"
        yield "| Name | What for | The public door that is missing |"
        yield "|---|---|---|"
        rows: dict[tuple[str, str], list[Name]] = {}
        for name in of_library:
            rows.setdefault((name.why, name.door), []).append(name)
        for (why, door), of_row in rows.items():
            yield f"| {'; '.join(_paths(of_row))} | {why} | {door} |"
        yield ""


def _paths(names: list[Name]) -> Iterator[str]:
    for owner, of_owner in groupby(names, lambda name: name.path.removesuffix(f".{name.word}")):
        words = [name.word for name in of_owner]
        if len(words) == 1:
            yield f"`{owner}.{words[0]}`"
        else:
            yield f"`{owner}`: {', '.join(f'`{word}`' for word in words)}"


def _sorted(names: list[Name]) -> list[Name]:
    return sorted(names, key=lambda name: name.library.lower())  # stable, else as they stand


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{in_markdown()}\n{END}{after}")
