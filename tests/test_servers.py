"""Every server that people use serves both halves, and stops without losing what it answered."""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import httpx
import pytest
from django.db import connection

from tests.server import Server, database, running, uvicorn
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

Command = Callable[..., list[str]]

APP = "tests.servers.site:app"
PRELOADED = "tests.servers.preloaded:app"
NAME = "mullet-servers"
COUNTS = ["/api/def/count", "/api/async/count", "/django/count", "/django/async/count"]
WRITES = ["/api/def/items", "/api/async/items", "/django/items"]
CLIENTS = 8
PREFIX = "/shop"


def gunicorn(app: str, port: int, *options: str) -> list[str]:
    return ["gunicorn", app, "--bind", f"127.0.0.1:{port}", *options]


def granian(app: str, port: int, *options: str) -> list[str]:
    return ["granian", app, "--interface", "asgi", "--port", str(port), *options]


def hypercorn(app: str, port: int, *options: str) -> list[str]:
    return ["hypercorn", app, "--bind", f"127.0.0.1:{port}", *options]


TWO = ("--workers", "2")
SERVERS: dict[str, tuple[str, Command, tuple[str, ...]]] = {
    "uvicorn": (APP, uvicorn, TWO),
    "gunicorn": (APP, gunicorn, (*TWO, "--worker-class", "asgi")),
    "gunicorn, uvicorn's workers, --preload": (
        PRELOADED,
        gunicorn,
        (*TWO, "--worker-class", "uvicorn_worker.UvicornWorker", "--preload"),
    ),
    "granian": (APP, granian, TWO),
    # One worker: of several, Hypercorn ends the others as soon as the first has stopped.
    "hypercorn": (APP, hypercorn, ("--workers", "1", "--graceful-timeout", "30")),  # else 3 seconds
}
BELOW_A_PREFIX: dict[str, tuple[Command, str]] = {
    "uvicorn": (uvicorn, "--root-path"),
    "granian": (granian, "--url-path-prefix"),
    "hypercorn": (hypercorn, "--root-path"),
}


@contextmanager
def served(app: str, command: Command, options: Sequence[str]) -> Iterator[Server]:
    databases = {"default": database(OPTIONS={"application_name": NAME})}

    def with_options(app: str, port: int) -> list[str]:
        return command(app, port, *options)

    with running(app, databases=databases, command=with_options) as server:
        if command is granian:
            # A worker of Granian's that is told to stop before it serves never does.
            workers = 2 if options[:2] == TWO else 1
            until(lambda: server.log().count("Started worker-") == workers)
        yield server


def connections_left() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [NAME])
        [count] = cursor.fetchone()
    return int(count)


def sleeping_queries() -> int:
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
                " AND state = 'active' AND query LIKE '%%pg_sleep%%'",
                [NAME],
            )
            [count] = cursor.fetchone()
        return int(count)
    finally:
        connection.close()


async def load_until_it_stops(server: Server, *, enough: int) -> tuple[list[str], list[int]]:
    """Write through `server`, and tell it to end after `enough` answers and with some under way.

    Return the names that were answered 2xx, and the statuses of the requests under way.
    """
    stored: list[str] = []
    is_over = asyncio.Event()
    # Hypercorn may take a connection that it serves for idle, and close it when it stops, if that
    # connection had an earlier request; so those under way have connections of their own.
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=60) as client,
        httpx.AsyncClient(base_url=server.url, timeout=60) as fresh,
    ):
        under_way: list[asyncio.Task[httpx.Response]] = []

        async def write(number: int) -> None:
            for turn in itertools.count():
                if is_over.is_set():
                    return
                name = f"{number}-{turn}"
                path = WRITES[turn % len(WRITES)]
                try:
                    response = await client.post(path, json={"name": name})
                except httpx.TransportError:
                    return
                if response.is_success:
                    stored.append(name)

        writing = [asyncio.create_task(write(number)) for number in range(CLIENTS)]
        while len(stored) < enough:
            await asyncio.sleep(0.01)
        for path in ("/api/def/query", "/api/async/query"):
            under_way.append(asyncio.create_task(fresh.get(f"{path}?seconds=2")))
        await asyncio.to_thread(until, lambda: sleeping_queries() == len(under_way))
        os.kill(server.pid, signal.SIGTERM)
        await asyncio.sleep(0.5)
        is_over.set()
        await asyncio.gather(*writing)
        return stored, [response.status_code for response in await asyncio.gather(*under_way)]


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_answers_from_both_halves_and_stops_without_a_loss(name: str) -> None:
    with served(*SERVERS[name]) as server:
        with httpx.Client(base_url=server.url, timeout=20) as client:
            found = {path: client.get(path).status_code for path in COUNTS}
        stored, under_way = asyncio.run(load_until_it_stops(server, enough=50))
        server.process.wait(timeout=20)

        assert found == dict.fromkeys(COUNTS, 200)
        assert under_way == [200, 200]
        assert set(stored) <= set(Item.objects.values_list("name", flat=True))
        assert len(stored) == len(set(stored)) >= 50
        until(lambda: connections_left() == 0)
        assert "Traceback" not in server.log()


@pytest.mark.parametrize("name", BELOW_A_PREFIX)
def test_below_a_prefix_that_a_proxy_strips_both_halves_know_it(name: str) -> None:
    command, option = BELOW_A_PREFIX[name]
    with (
        served(APP, command, (option, PREFIX)) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        found = {path: client.get(path).status_code for path in COUNTS}
        links = client.get("/django/links").json()
        api_links = client.get("/api/links").json()
        redirect = client.get("/django/to-count").headers["location"]
        slash = client.get("/api/def/count/").headers["location"]
        document = client.get("/openapi.json").json()

    assert found == dict.fromkeys(COUNTS, 200)
    assert links == api_links
    assert links == {"django": f"{PREFIX}/django/count", "api": f"{PREFIX}/api/def/count"}
    assert redirect == f"{PREFIX}/django/count"
    assert slash == f"{PREFIX}/api/def/count"
    assert document["servers"] == [{"url": PREFIX}]
