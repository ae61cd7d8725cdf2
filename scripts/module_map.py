"""Write the tables of modules in docs/architecture.md, from the first line of each module."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "django_mullet"
PAGE = ROOT / "docs" / "architecture.md"
TABLES = re.compile(r"(?<=<!-- modules -->\n).*(?=<!-- /modules -->)", re.DOTALL)


def tables() -> str:
    """Return a table for the modules at the top, and one for those of each package."""
    packages = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))
    return "\n".join("\n".join(table(package)) + "\n" for package in packages)


def table(package: Path) -> Iterator[str]:
    name = ".".join(package.relative_to(PACKAGE.parent).parts)
    yield f"### `{name}`\n"
    yield f"{first_line(package / '__init__.py')}\n"
    modules = sorted(path for path in package.glob("*.py") if path.stem != "__init__")
    if modules:
        yield "| module | what it provides |"
        yield "|---|---|"
    for path in modules:
        yield f"| `{path.stem}` | {first_line(path)} |"


def first_line(path: Path) -> str:
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def written() -> str:
    """Return the page with the tables as they have to be."""
    return TABLES.sub(lambda _: f"\n{tables()}\n", PAGE.read_text())


if __name__ == "__main__":
    PAGE.write_text(written())
