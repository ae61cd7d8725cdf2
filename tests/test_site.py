"""Is every page on the documentation site, and in what it tells to language models?"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.documentation import ROOT

DOCS = ROOT / "docs"
SITE = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
PAGES = sorted(page.name for page in DOCS.glob("*.md"))
PICTURES = sorted(picture.name for picture in (DOCS / "images").iterdir())
CODE = re.compile(r"^```(?:console|python)\n.*?^```$", re.DOTALL | re.MULTILINE)
SHOWN = re.compile(r"!\[(?P<alternative>[^]]*)\]\((?P<file>[^)]+)\)")


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
    assert re.match(r"(---\n.*?\n---\n\n)?# ", text, re.DOTALL)


def test_the_quickstart_says_what_the_readme_does() -> None:
    readme = (ROOT / "README.md").read_text()
    [section] = re.findall(r"^## Start a project\n(.*?)^## ", readme, re.DOTALL | re.MULTILINE)

    # `make template` does in an empty folder what the README says.
    assert CODE.findall((DOCS / "quickstart.md").read_text()) == CODE.findall(section)


def test_the_site_is_built_strictly() -> None:
    assert "zensical build --clean --strict" in (ROOT / "scripts" / "docs").read_text()
    assert "step make docs\n" in (ROOT / ".ci" / "run").read_text()
    assert Path(SITE["site_dir"]).parts[0] == "build"  # which version control ignores


def test_the_page_of_performance_has_no_figure_written_by_hand() -> None:
    text = (DOCS / "performance.md").read_text()

    assert re.findall(r"\d[\d.,]*\s?(?:µs|ms|s|%|x|times|requests|rps)\b", text) == []


@pytest.mark.parametrize("picture", PICTURES)
def test_a_picture_is_small_and_shown_with_its_text_alternative(picture: str) -> None:
    shown = [
        match["alternative"]
        for page in PAGES
        for match in SHOWN.finditer((DOCS / page).read_text())
        if match["file"] == f"images/{picture}"
    ]

    assert shown
    assert all(len(alternative) > 20 for alternative in shown)
    assert (DOCS / "images" / picture).stat().st_size < 150_000


@pytest.mark.parametrize("drawing", [name for name in PICTURES if name.endswith(".svg")])
def test_a_drawing_can_be_read_aloud_and_in_the_dark(drawing: str) -> None:
    svg = ET.parse(DOCS / "images" / drawing).getroot()
    said = {element.attrib.get("id"): element.text for element in svg}
    [style] = [element.text or "" for element in svg if element.tag.endswith("}style")]

    assert all(said[label] for label in svg.attrib["aria-labelledby"].split())
    assert "@media (prefers-color-scheme: dark)" in style
    assert "url(" not in style  # a picture on a page may load nothing
