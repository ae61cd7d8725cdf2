"""A thousand requests at once, and few connections: everybody is answered, and in turn."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from tests.load import Answer, answers_of_server, at_once
from tests.server import Server, database, running

pytestmark = [
    pytest.mark.load,
    pytest.mark.usefixtures("django_db_setup", "many_files"),
]

REQUESTS = 1000
CONNECTIONS = 4  # to each database
SECONDS = 0.01  # that a query takes; each request has two
ALIASES = ["default", "other"]
COLOURS = ["def", "async"]
HANGS = 120.0  # seconds; all requests of a flood take less than 20, and a slow machine its time
BEGUN = 0.5  # seconds after which a flood is under way, and far from its end
APPLICATION = "mullet-floods"


@pytest.fixture
def databases(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Both databases of the tests; files, as a server has none of SQLite's in memory."""
    found = {
        alias: database(alias, CONN_MAX_AGE=None, OPTIONS={"application_name": APPLICATION})
        for alias in ALIASES
    }
    if connection.vendor == "sqlite":
        for alias, settings in found.items():
            settings |= {"NAME": str(tmp_path / alias), "OPTIONS": {}}
    return found


@contextmanager
def flooded(databases: dict[str, dict[str, Any]], **limits: float) -> Iterator[Server]:
    """Keep a server with `limits` alive."""
    mullet = {"CONNECTIONS": CONNECTIONS, **limits}
    with running("tests.servers.floods:app", databases=databases, mullet=mullet) as server:
        yield server


def answered(server: Server, paths: Sequence[str]) -> list[Answer]:
    """Return the answers to `paths`, all asked at once; fail if one is missing after `HANGS`."""

    async def answered_in_time() -> list[Answer]:
        async with asyncio.timeout(HANGS):
            return await at_once(server.port, paths)

    return asyncio.run(answered_in_time())


def statuses(answers: Sequence[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def one(colour: str, alias: str, seconds: float = SECONDS) -> str:
    return f"/api/{colour}/one?alias={alias}&seconds={seconds}"


def two(colour: str, first: str, second: str, seconds: float = SECONDS) -> str:
    return f"/api/{colour}/two?first={first}&second={second}&seconds={seconds}"


def flood(*colours: str, requests: int = REQUESTS) -> list[str]:
    """Return requests of each of `colours` on each database, by turns."""
    kinds = [one(colour, alias) for colour in colours for alias in ALIASES]
    return [kinds[number % len(kinds)] for number in range(requests)]


# All are answered


@pytest.mark.parametrize("colour", COLOURS)
def test_a_thousand_requests_on_two_databases_are_all_answered(
    databases: dict[str, dict[str, Any]], colour: str
) -> None:
    with flooded(databases) as server:
        found = answered(server, flood(colour))

    assert statuses(found) == {200: REQUESTS}


@pytest.mark.postgres
@pytest.mark.django_db(databases=ALIASES)
def test_a_thousand_requests_open_no_more_connections_than_configured(
    databases: dict[str, dict[str, Any]],
) -> None:
    with flooded(databases) as server:
        found = answered(server, flood(*COLOURS))
        opened = [open_connections(alias) for alias in ALIASES]  # they stay open

    assert statuses(found) == {200: REQUESTS}
    assert all(0 < number <= CONNECTIONS for number in opened), opened


def open_connections(alias: str) -> int:
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            [APPLICATION],
        )
        [count] = cursor.fetchone()
    return int(count)


@pytest.mark.parametrize("colour", COLOURS)
def test_requests_that_need_both_databases_in_the_same_order_are_all_answered(
    databases: dict[str, dict[str, Any]], colour: str
) -> None:
    paths = [two(colour, "default", "other")] * (REQUESTS // 4)
    with flooded(databases) as server:
        found = answered(server, paths)

    assert statuses(found) == {200: len(paths)}


@pytest.mark.parametrize("colour", COLOURS)
def test_requests_that_need_both_databases_in_either_order_may_time_out_and_never_hang(
    databases: dict[str, dict[str, Any]], colour: str
) -> None:
    # So long that they do not count as going, and more of them meet than there are connections.
    orders = [two(colour, "default", "other", 0.1), two(colour, "other", "default", 0.1)]
    paths = orders * (REQUESTS // 20)
    with flooded(databases, CONNECTION_TIMEOUT=1) as server:
        found = answered(server, paths)
        afterwards = answered(server, flood(colour, requests=CONNECTIONS * len(ALIASES)))

    assert set(statuses(found)) <= {200, 503}
    assert statuses(afterwards) == {200: CONNECTIONS * len(ALIASES)}


# Others are answered meanwhile


@pytest.mark.parametrize("colour", COLOURS)
def test_who_needs_no_worker_does_not_wait_for_those_who_do(
    databases: dict[str, dict[str, Any]], colour: str
) -> None:
    with flooded(databases) as server:
        found = asked_meanwhile(server, flood(colour), ["/api/health", "/api/async/nothing"])

    assert {path: share for path, share in found.items() if share >= 0.5} == {}


@pytest.mark.parametrize("colour", COLOURS)
def test_who_needs_no_connection_does_not_wait_for_those_who_do(
    databases: dict[str, dict[str, Any]], colour: str
) -> None:
    with flooded(databases) as server:
        found = asked_meanwhile(server, flood(colour), ["/api/def/nothing"])

    assert {path: share for path, share in found.items() if share >= 0.5} == {}


def asked_meanwhile(
    server: Server, paths: Sequence[str], others: Sequence[str]
) -> dict[str, float]:
    """Ask for each of `others` three times, one after the other, while `paths` are answered.

    Return for each what share of `paths` had been answered by then. All must be answered 200.
    """
    ended: list[Answer] = []

    async def share_before(other: str) -> float:
        await asyncio.sleep(BEGUN)
        for _ in range(3):
            [answer] = await at_once(server.port, [other])
            assert answer.status == 200
        return len(ended) / len(paths)

    async def ask() -> list[float]:
        async with asyncio.timeout(HANGS):
            flooding = asyncio.create_task(at_once(server.port, paths, ended=ended))
            shares = await asyncio.gather(*map(share_before, others))
            assert statuses(await flooding) == {200: len(paths)}
            return shares

    return dict(zip(others, asyncio.run(ask()), strict=True))


# The limits


def one_after_another(server: Server, paths: Sequence[str], *, apart: float) -> list[Answer]:
    """Ask for each of `paths` so many seconds after the one before; return answers as they come."""
    ended: list[Answer] = []

    async def ask(place: int, path: str) -> None:
        await asyncio.sleep(place * apart)
        await at_once(server.port, [path], ended=ended)

    async def ask_all() -> None:
        async with asyncio.timeout(HANGS), asyncio.TaskGroup() as clients:
            for place, path in enumerate(paths):
                clients.create_task(ask(place, path))

    asyncio.run(ask_all())
    return ended


def numbered(path: str, number: int) -> str:
    return f"{path}&number={number}"


@pytest.mark.parametrize("colour", COLOURS)
def test_who_waits_for_a_connection_gets_it_in_the_order_of_arrival(
    databases: dict[str, dict[str, Any]], colour: str
) -> None:
    waiting = [numbered(one(colour, "default", 0.1), number) for number in range(6)]
    with flooded(databases, CONNECTIONS=1) as server:
        found = one_after_another(server, [one(colour, "default", 2), *waiting], apart=0.2)

    assert statuses(found) == {200: 7}
    assert [answer.path for answer in found[1:]] == waiting


@pytest.mark.parametrize("colour", COLOURS)
def test_who_gets_no_connection_in_time_is_answered_503_in_the_order_of_arrival(
    databases: dict[str, dict[str, Any]], colour: str
) -> None:
    holding = one(colour, "default", 5)
    waiting = [numbered(one(colour, "default", 0), number) for number in range(6)]
    with flooded(databases, CONNECTIONS=1, CONNECTION_TIMEOUT=1) as server:
        found = one_after_another(server, [holding, *waiting], apart=0.2)

    assert [(answer.path, answer.status) for answer in found] == [
        *((path, 503) for path in waiting),
        (holding, 200),
    ]


@pytest.mark.parametrize("colour", COLOURS)
def test_who_gets_no_connection_is_told_when_to_come_again(
    databases: dict[str, dict[str, Any]], colour: str
) -> None:
    limits = {"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.5, "RETRY_AFTER": 7}
    paths = [one(colour, "default", 3), one(colour, "default", 3)]
    with flooded(databases, **limits) as server:
        found = answers_of_server(server.url, paths)

    refused = [answer for answer in found if answer.status == 503]
    assert statuses(found) == {200: 1, 503: 1}
    assert refused[0].headers["retry-after"] == "7"
