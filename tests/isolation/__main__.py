"""Run the isolation test: `python -m tests.isolation --requests 1000 [--only schemas]`.

On the PostgreSQL that `DATABASE_URL` names; `make isolation` starts one.
"""

import asyncio
import os
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

from tests.isolation.client import Answer, Client
from tests.isolation.data import databases
from tests.isolation.matrix import (
    CONNECTIONS,
    ENDPOINTS,
    TENANCIES,
    TENANTS,
    Endpoint,
    Tenancy,
    absent,
)
from tests.isolation.report import (
    Cells,
    failures,
    print_failed,
    print_logs,
    print_reasons,
    print_table,
)
from tests.isolation.servers import Pair, serving
from tests.isolation.tally import Tally, tally

AT_ONCE = 40
WITH_TENANT = Endpoint("with a tenant in between", "/api/async")


def main() -> int:
    """Return 0 if no cell failed."""
    parser = ArgumentParser(prog="python -m tests.isolation")
    parser.add_argument("--requests", type=int, default=1000, help="to each kind of endpoint")
    parser.add_argument("--only", choices=TENANCIES, nargs="+", help="ways of keeping apart")
    parser.add_argument("--keep", type=Path, help="directory for the servers' logs")
    options = parser.parse_args()
    tenancies = [TENANCIES[name] for name in options.only or TENANCIES]
    started = time.monotonic()
    print(
        f"Isolation: {options.requests} requests to each, {AT_ONCE} at once, "
        f"of {len(TENANTS)} tenants",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="isolation-") as temporary:
        directory = options.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        with databases(os.environ["DATABASE_URL"]) as urls:
            failed = [
                cell
                for tenancy in tenancies
                for cell in run(tenancy, urls[tenancy.schemas], directory, options.requests)
            ]
    print_reasons(tenancies)
    print_failed(failed)
    print(f"{time.monotonic() - started:.0f} s")
    return int(bool(failed))


def run(tenancy: Tenancy, url: str, directory: Path, requests: int) -> list[str]:
    """Print the table of `tenancy`; return its cells that failed."""
    with serving(tenancy, CONNECTIONS, url, directory) as pairs:
        cells = asyncio.run(ask_all(tenancy, pairs, requests))
    print_table(tenancy, cells)
    failed = failures(tenancy, cells)
    if failed:
        print_logs(directory, tenancy)
    return failed


async def ask_all(tenancy: Tenancy, pairs: dict[str, Pair], requests: int) -> Cells:
    """Return what each endpoint has answered, by endpoint and way of keeping connections."""
    found: Cells = {}

    async def ask_pair(kind: str, pair: Pair) -> None:
        for endpoint in ENDPOINTS:
            if absent(tenancy, endpoint) is None:
                server = pair.many if endpoint.lasts else pair.few
                found[endpoint.name, kind] = await ask(server.port, endpoint, requests)

    await asyncio.gather(*(ask_pair(kind, pair) for kind, pair in pairs.items()))
    return found


async def ask(port: int, endpoint: Endpoint, requests: int) -> Tally:
    """Return what is wrong with the answers to so many `requests`."""
    client = Client(port)
    waiting = iter(range(requests))
    found: list[Answer] = []

    async def send() -> None:
        for number in waiting:
            tenant = TENANTS[number % len(TENANTS)]
            if endpoint.expected == "none":
                await client.ask(WITH_TENANT, tenant)
            found.append(await client.ask(endpoint, tenant))

    try:
        await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    finally:
        await client.aclose()
    return tally(endpoint, found)


if __name__ == "__main__":
    sys.exit(main())
