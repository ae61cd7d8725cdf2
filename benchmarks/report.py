"""What is kept of a run? One JSON document, from which table and plot are drawn.

`python -m benchmarks.report FILE` draws them again.
"""

import json
import os
import platform
import re
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import markdown, plot
from benchmarks.environments import versions
from benchmarks.peers import PEERS
from benchmarks.rounds import Options, Results
from benchmarks.servers import Server

__all__ = ["RESULTS", "document", "machine", "write"]

NAME = "peers"
ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
TABLE = re.compile(r"(?<=<!-- peers -->\n).*?(?=<!-- /peers -->)", re.DOTALL)


def document(
    results: Results,
    servers: list[Server],
    missing: dict[str, str],
    options: Options,
    machine: dict[str, Any],
) -> dict[str, Any]:
    """Return everything that was measured, and on what."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "machine": machine,
        "options": asdict(options),
        "peers": {
            server.peer.name: {
                "title": server.peer.title,
                "versions": versions(server.peer),
                "connections": results.connections[server.peer.name],
                "memory_megabytes": round(results.memory[server.peer.name] / 1e6),
            }
            for server in servers
        },
        "missing": {
            peer.name: {"title": peer.title, "reason": missing[peer.name]}
            for peer in PEERS
            if peer.name in missing
        },
        "exchanges": {
            exchange.name: {
                "title": exchange.title,
                "fixed_rate": results.rates[exchange.name],
                "peers": {
                    name: {
                        **asdict(results.statements[exchange.name][name]),
                        "blocks": [asdict(block) for block in blocks],
                    }
                    for name, blocks in results.blocks[exchange.name].items()
                },
            }
            for exchange in options.chosen()
            if exchange.name in results.blocks
        },
    }


def machine(postgresql: str) -> dict[str, Any]:
    """Return what matters of this machine; ask before the start: a load disturbs."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "processor": processor(),
        "kernel": platform.release(),
        "load": round(os.getloadavg()[0], 1),
        "postgresql": postgresql,
    }


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return ""


def write(document: dict[str, Any], directory: Path) -> str:
    """Write document, tables and plot to `directory`; return the tables.

    If it is where the results are kept, the README gets its table, too.
    """
    directory.mkdir(parents=True, exist_ok=True)
    text = markdown.page(document)
    (directory / f"{NAME}.json").write_text(json.dumps(document, indent=1) + "\n")
    (directory / f"{NAME}.md").write_text(text)
    (directory / f"{NAME}.svg").write_text(plot.draw(document))
    if directory.resolve() == RESULTS:
        readme = ROOT / "README.md"
        lines = f"{markdown.overview(document)}\n\n{markdown.conditions(document)}\n"
        readme.write_text(TABLE.sub(lambda _: lines, readme.read_text()))
    return text


if __name__ == "__main__":
    given = Path(sys.argv[1])
    print(write(json.loads(given.read_text()), given.parent))
