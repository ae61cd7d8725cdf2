"""Many requests at once need few connections; many requests in a row leave nothing behind."""

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from tests.load import answers_of_server, at_once
from tests.server import Server, database, running

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

REQUESTS = 1000
CONNECTIONS = 4
PATHS = [
    "/api/def/count",
    "/api/async/count",
    "/api/def/atomic/query",
    "/api/def/dependency/query",
    "/api/async/atomic/query",
    "/django/count",
]


def open_connections(application_name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s",
            [application_name],
        )
        [count] = cursor.fetchone()
    return int(count)


@contextmanager
def counting(application_name: str) -> Iterator[list[int]]:
    """Yield the list to which the number of open connections is added all the time."""
    counts: list[int] = []
    over = threading.Event()

    def count() -> None:
        try:
            while not over.wait(0.005):
                counts.append(open_connections(application_name))
        finally:
            connection.close()

    thread = threading.Thread(target=count)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join()


@pytest.mark.usefixtures("many_files")
def test_a_thousand_requests_at_once_share_a_few_connections() -> None:
    watched = database(CONN_MAX_AGE=None, OPTIONS={"application_name": "mullet-many"})
    paths = [PATHS[number % len(PATHS)] for number in range(REQUESTS)]
    limits = {"CONNECTIONS": CONNECTIONS}
    with (
        running(databases={"default": watched}, mullet=limits) as server,
        counting("mullet-many") as counts,
    ):
        found = asyncio.run(at_once(server.port, paths))

    assert [answer.status for answer in found] == [200] * REQUESTS
    assert 0 < max(counts) <= CONNECTIONS


def test_a_request_with_a_worker_of_its_own_leaves_its_connection_to_the_next() -> None:
    limits = {"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 5}
    with running(mullet=limits) as server:
        found = answers_of_server(server.url, ["/api/def/loop/query?seconds=0.2"] * 4)

    assert [answer.status for answer in found] == [200] * 4


@pytest.mark.skipif("SLOW" not in os.environ, reason="takes minutes; set SLOW=1")
def test_memory_does_not_grow_with_the_number_of_requests() -> None:
    with running() as server:
        asyncio.run(send(server, 10_000))
        early = resident_memory(server)

        asyncio.run(send(server, 90_000))

        late = resident_memory(server)
    grown = late - early
    print(f"{early / 1e6:.1f} MB after 10,000 requests, {grown / 1e6:+.2f} MB after 100,000")
    assert grown < 5_000_000


async def send(server: Server, requests: int, *, concurrency: int = 8) -> None:
    """Send `requests` in all, of each colour, over `concurrency` connections."""
    paths = [PATHS[number % len(PATHS)] for number in range(requests)]
    waiting = iter(paths)

    async def one_after_another() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for path in waiting:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 200"), head
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one_after_another() for _ in range(concurrency)))


def resident_memory(server: Server) -> int:
    """Return how many bytes of memory the server's process has."""
    pages = int(Path(f"/proc/{server.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
