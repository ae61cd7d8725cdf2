"""Give each page of the built site the description that `docs/llms.txt` has of it.

Search engines show it below the page's title. zensical would take it from the head of each file in
`docs/`, where it would stand a second time, and in the way of whoever reads the file itself.
"""

import html
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTED = re.compile(r"^- \[(?P<title>.+?)\]\((?P<page>.+?)\.md\): (?P<text>.+)$", re.MULTILINE)


def main() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
    general = meta(site["site_description"])
    for listed in LISTED.finditer((ROOT / "docs" / "llms.txt").read_text()):
        folder = "" if listed["page"] == "index" else listed["page"]
        page = ROOT / site["site_dir"] / folder / "index.html"
        text = page.read_text()
        if text.count(general) != 1:
            sys.exit(f"{page} does not have the site's description once.")
        page.write_text(text.replace(general, meta(plain(f"{listed['title']}: {listed['text']}."))))


def meta(description: str) -> str:
    return f'<meta name="description" content="{html.escape(description)}">'


def plain(text: str) -> str:
    """Return the text without the marks of code."""
    return text.replace("`", "")


if __name__ == "__main__":
    main()
