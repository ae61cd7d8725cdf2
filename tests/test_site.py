"""Is every page on the documentation site, and in what it tells to language models?"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documentation import ROOT

DOCS = ROOT / "docs"
SITE = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
PAGES = sorted(page.name for page in DOCS.glob("*.md"))


def entries(nav: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the title and the file of each page in the navigation."""
    for entry in nav:
        for title, target in entry.items():
            if isinstance(target, str):
                yield title, target
            else:
                yield from entries(target)


def test_the_navigation_has_every_page_once() -> None:
    assert sorted(file for _, file in entries(SITE["nav"])) == PAGES


def test_llms_txt_has_every_page_in_the_order_of_the_site() -> None:
    listed = re.findall(r"^- \[.+?\]\((.+?)\): \S", (DOCS / "llms.txt").read_text(), re.MULTILINE)

    assert listed == [file for _, file in entries(SITE["nav"])]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title(page: str) -> None:
    text = re.sub(
        r"^ *```.*?^ *```$", "", (DOCS / page).read_text(), flags=re.DOTALL | re.MULTILINE
    )

    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert text.startswith("# ")


def test_the_site_is_built_strictly() -> None:
    assert "zensical build --clean --strict" in (ROOT / "scripts" / "docs").read_text()
    assert "step make docs\n" in (ROOT / ".ci" / "run").read_text()
    assert Path(SITE["site_dir"]).parts[0] == "build"  # which version control ignores


def test_the_page_of_performance_has_no_figure_written_by_hand() -> None:
    text = (DOCS / "performance.md").read_text()

    assert re.findall(r"\d[\d.,]*\s?(?:µs|ms|s|%|x|times|requests|rps)\b", text) == []
