"""How does a document look? One SVG: for each exchange, a bar for each peer."""

from collections.abc import Iterator
from html import escape
from typing import Any

from benchmarks.summary import Summary, summaries

__all__ = ["draw"]

WIDTH, LABEL, BAR, GAP, HEAD = 920, 320, 16, 22, 40
LONGEST = WIDTH - LABEL - 150
OURS, OTHERS, FLOOR = "#0b6e4f", "#8aa1b1", "#d0a85c"


def draw(document: dict[str, Any]) -> str:
    """Return the plot: CPU time per request, with the least and the greatest of its rounds."""
    parts: list[str] = []
    top = 10
    for exchange in document["exchanges"].values():
        parts += group(document, exchange, top)
        top += HEAD + GAP * len(exchange["peers"]) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" '
        f'viewBox="0 0 {WIDTH} {top}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{WIDTH}" height="{top}" fill="white"/>\n{"".join(parts)}</svg>\n'
    )


def group(document: dict[str, Any], exchange: dict[str, Any], top: int) -> Iterator[str]:
    """Yield the bars of one exchange, which have a scale of their own."""
    found = summaries(exchange)
    scale = LONGEST / max(each.cpu * (1 + each.spread) for each in found.values())
    title = f"{exchange['title']}: CPU µs per request"
    yield text(10, top + 20, title, weight="bold")
    names = [name for name in document["peers"] if name in found]
    for number, name in enumerate(names):
        label = document["peers"][name]["title"].replace("*", "").replace("`", "")
        yield bar(name, label, found[name], scale, top + HEAD + GAP * number)


def bar(name: str, label: str, summary: Summary, scale: float, top: int) -> str:
    colour = OURS if name.startswith("mullet") else FLOOR if name == "floor" else OTHERS
    length = summary.cpu * scale
    low, high = (LABEL + length * (1 + sign * summary.spread) for sign in (-1, 1))
    middle = top + BAR / 2
    ratio = "" if summary.ratio is None else f" ({summary.ratio:.2f}x)"
    return (
        text(LABEL - 8, top + 13, label, anchor="end")
        + f'<rect x="{LABEL}" y="{top}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>\n'
        + f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="black" stroke-width="1"/>\n'
        + text(round(high) + 8, top + 13, f"{summary.cpu:,.0f}{ratio}")
    )


def text(x: int, y: int, content: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{escape(content)}</text>\n"
    )
