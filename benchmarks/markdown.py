"""How does a document read, as Markdown?"""

from collections.abc import Iterable, Iterator
from typing import Any

from benchmarks.summary import Summary, summaries

__all__ = ["conditions", "overview", "page"]

BUSY = 0.25  # processes that wait for each core


def page(document: dict[str, Any]) -> str:
    """Return all tables."""
    return "\n".join(sections(document)) + "\n"


def sections(document: dict[str, Any]) -> Iterator[str]:
    yield "# django-mullet and its peers\n"
    yield f"{conditions(document)}\n"
    yield "## CPU time per request\n"
    yield (
        "Microseconds of the server's process at saturation, and how many times django-mullet's "
        "with `def` that is: above 1 is dearer.\n"
    )
    yield f"{overview(document)}\n"
    yield "![CPU time per request](peers.svg)\n"
    for exchange in document["exchanges"].values():
        yield f"## {exchange['title'][0].upper()}{exchange['title'][1:]}\n"
        yield f"p50 and p99 at {exchange['fixed_rate']:.0f} requests a second for everybody.\n"
        yield f"{details(document, exchange)}\n"
    yield "## Peers\n"
    yield peers(document)
    for missing in document["missing"].values():
        reason = " ".join(missing["reason"].split())
        yield f"\n{missing['title']} is missing: {reason}"


def conditions(document: dict[str, Any]) -> str:
    """Return on what and how it was measured."""
    machine, options = document["machine"], document["options"]
    busy = machine["load"] > machine["cores"] * BUSY
    warning = (
        " **The machine was busy with other work: these figures are rough, and to be repeated.**"
    )
    return (
        f"{document['date']}, {machine['processor'] or machine['architecture']}, "
        f"{machine['cores']} cores, load {machine['load']} before the start, PostgreSQL "
        f"{machine['postgresql']}. Medians of {options['rounds']} interleaved rounds, each "
        f"{options['saturation']} s over {options['connections']} connections and "
        f"{options['fixed_rate']} s at the fixed rate.{warning if busy else ''}"
    )


def overview(document: dict[str, Any]) -> str:
    """Return the table of CPU times and ratios, without what only some peers are asked."""
    everybody = set(document["peers"])
    exchanges = [e for e in document["exchanges"].values() if set(e["peers"]) == everybody]
    found = [summaries(exchange) for exchange in exchanges]
    rows = (
        [peer["title"], *(cost(each[name]) for each in found)]
        for name, peer in document["peers"].items()
    )
    return table(["CPU µs per request", *(e["title"] for e in exchanges)], rows)


def cost(summary: Summary) -> str:
    ratio = "" if summary.ratio is None else f" ({summary.ratio:.2f}x)"
    return f"{summary.cpu:,.0f}{ratio}"


def details(document: dict[str, Any], exchange: dict[str, Any]) -> str:
    found = summaries(exchange)
    rows = (
        [
            peer["title"],
            cost(found[name]),
            f"{found[name].spread:.0%}",
            f"{found[name].rate:,.0f}",
            f"{found[name].p50:.1f}",
            f"{found[name].p99:.1f}",
            f"{found[name].queries:g}",
            f"{found[name].statements:g}",
        ]
        for name, peer in document["peers"].items()
        if name in found
    )
    head = ["", "CPU µs", "± at most", "requests/s", "p50 ms", "p99 ms", "queries", "round trips"]
    return table(head, rows)


def peers(document: dict[str, Any]) -> str:
    rows = (
        [
            peer["title"],
            str(peer["connections"]),
            str(peer["memory_megabytes"]),
            ", ".join(f"{package} {version}" for package, version in peer["versions"].items()),
        ]
        for peer in document["peers"].values()
    )
    return table(["", "connections open", "RSS MB", "versions"], rows, text={0, 3})


def table(head: list[str], rows: Iterable[list[str]], text: Iterable[int] = (0,)) -> str:
    rule = ["---" if column in set(text) else "--:" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])
