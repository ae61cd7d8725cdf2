"""Which code do the pages of the documentation tell to write, and into which files?

The first line of each Python block is a comment that names its file: `# shop/api.py`. The blocks
of the README are a project, together with what `docs_project` holds. Those of another page go on
from there: into the settings they are appended, and any other file they replace. What the README
writes into a project of `startproject` is for `scripts/check_template.py` to try.

The tutorial has a project of its own, which Django's `startproject` and `startapp` begin, and which
must be whole after each of its steps, the sections that have code.

`python -m tests.documentation DIRECTORY` writes the project of each page into a directory of its
own below DIRECTORY, which must exist.
"""

import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command

__all__ = [
    "PACKAGES",
    "PAGES",
    "PAGES_WITH_CODE",
    "README",
    "ROOT",
    "TUTORIAL",
    "Block",
    "UnnamedBlockError",
    "blocks",
    "steps",
    "write_blocks",
    "write_project",
    "write_tutorial",
]

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
PACKAGES = ROOT / "docs" / "packages.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"
# The first quotes `tests/packages` and `tests/strangers`, the second begins anew, and the third is
# applied to a project of `tests/packages`, with DRF.
ELSEWHERE = {PACKAGES, TUTORIAL, ROOT / "docs" / "existing-project.md"}
BASE = Path(__file__).resolve().parent / "docs_project"
SETTINGS = "project/settings.py"
STARTED = ("books/", "mysite/")  # what `startproject` makes

BLOCK = re.compile(r"^ *```py\w* *\n(?P<code>.*?)^ *```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (?P<file>\w[\w/]*\.py)\n")


class UnnamedBlockError(Exception):
    """A Python block does not say which file it belongs into."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of Python on a page."""

    file: str
    code: str


def blocks(page: str, text: str) -> Iterator[Block]:
    """Yield the Python blocks of `text`; raise `UnnamedBlockError` with the place in `page`."""
    for match in BLOCK.finditer(text):
        code = match["code"]
        named = FILE.match(code)
        if named is None:
            line = text.count("\n", 0, match.start()) + 1
            raise UnnamedBlockError(
                f"{page}:{line}: the first line of a Python block must be a comment that names "
                "its file, for example '# shop/api.py'."
            )
        yield Block(named["file"], code)


def write_project(page: Path, directory: Path) -> Path:
    """Write the project of `page` into `directory`, which must not exist, and return it."""
    shutil.copytree(BASE, directory, ignore=shutil.ignore_patterns("__pycache__"))
    for source in dict.fromkeys([README, page]):
        of_shop = (
            block
            for block in blocks(source.name, source.read_text())
            if not block.file.startswith(STARTED)
        )
        write_blocks(of_shop, directory, appended={SETTINGS})
    return directory


def steps() -> list[str]:
    """Return the titles of the steps of the tutorial."""
    return [title for title, _ in _steps()]


def write_tutorial(step: str, directory: Path) -> Path:
    """Write what a reader of the tutorial has after `step` into the new directory; return it."""
    directory.mkdir()
    call_command("startproject", "goatfish", str(directory))
    (directory / "main").mkdir()
    call_command("startapp", "main", str(directory / "main"))
    code: list[Block] = []
    for title, of_step in _steps():
        code += of_step
        if title == step:
            break
    write_blocks(code, directory, appended={"goatfish/settings.py"})
    return directory


def _steps() -> Iterator[tuple[str, list[Block]]]:
    for section in TUTORIAL.read_text().split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        of_step = list(blocks(f"{TUTORIAL.name}, {title}", text))
        if of_step:
            yield title, of_step


def write_blocks(code: Iterable[Block], directory: Path, *, appended: set[str]) -> None:
    """Write `code` into the files of `directory`, which it replaces but for those `appended`."""
    for block in code:
        file = directory / block.file
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if block.file in appended else "w") as stream:
            stream.write(f"\n{block.code}" if block.file in appended else block.code)
        appended.add(block.file)


PAGES_WITH_CODE = [
    page for page in PAGES if page not in ELSEWHERE and list(blocks(page.name, page.read_text()))
]


def main() -> None:
    directory = Path(sys.argv[1])
    for page in PAGES_WITH_CODE:
        write_project(page, directory / page.stem)
    write_tutorial(steps()[-1], directory / TUTORIAL.stem)


if __name__ == "__main__":
    main()
