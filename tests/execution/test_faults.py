"""When the database goes away, requests are told so, at once, and only while it is away."""

import asyncio
import itertools
import math
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import connection

from tests.load import Answer, answers_of_server
from tests.server import Server, database, running
from tests.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

CONCURRENCY = 16
ENOUGH = 2 * CONCURRENCY  # answers before all connections are killed, and requests begun after it
BUSY = 3  # queries that run when all connections are killed
PATHS = [
    "/api/def/query?seconds=0.04",
    "/api/def/atomic/query?seconds=0.04",
    "/api/def/dependency/query?seconds=0.04",
    "/api/async/query?seconds=0.04",
    "/api/async/atomic/query?seconds=0.04",
]


class Kill:
    """Kills every connection of a server in the middle of its load."""

    def __init__(self, application_name: str) -> None:
        self._application_name = application_name
        self._begun_since = 0
        self.killed = 0
        self.done = math.inf

    def paths(self) -> Iterator[str]:
        """Yield what to ask for, until enough requests have begun after the kill."""
        for path in itertools.cycle(PATHS):
            yield path
            if self.done < math.inf:
                self._begun_since += 1
                if self._begun_since > 2 * ENOUGH:
                    return

    async def __call__(self, found: list[Answer]) -> None:
        while len(found) < ENOUGH:
            await asyncio.sleep(0.01)
        self.killed = await asyncio.to_thread(self._kill)
        self.done = time.monotonic()

    def _kill(self) -> int:
        killed: list[int] = []
        try:
            until(lambda: killed.extend(self._killed_while_busy()) or killed, timeout=30)
            until(lambda: not self._left_of(killed), timeout=30)
            return len(killed)
        finally:
            connection.close()

    def _killed_while_busy(self) -> list[int]:
        """Kill all connections if some queries run, as they do not where the machine is busy."""
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH found AS (SELECT pid, state FROM pg_stat_activity"
                " WHERE application_name = %s) "
                "SELECT pid, pg_terminate_backend(pid) FROM found"
                " WHERE (SELECT count(*) FROM found WHERE state = 'active') >= %s",
                [self._application_name, BUSY],
            )
            return [pid for pid, _ in cursor.fetchall()]

    def _left_of(self, pids: list[int]) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)", [pids])
            return [pid for [pid] in cursor.fetchall()]


def load_around_a_kill(**changes: Any) -> tuple[Kill, list[Answer]]:
    """Return the answers of a server whose connections were all killed halfway."""
    kill = Kill("mullet-faults")
    changed = database(OPTIONS={"application_name": "mullet-faults"}, **changes)
    with running(databases={"default": changed}) as server:
        found = answers_of_server(server.url, kill.paths(), concurrency=CONCURRENCY, meanwhile=kill)
    return kill, found


def is_told_to_retry(answer: Answer) -> bool:
    return answer.status == 503 and answer.headers.get("retry-after") == "5"


def test_killed_connections_fail_the_requests_in_flight_only() -> None:
    kill, found = load_around_a_kill(CONN_HEALTH_CHECKS=True)

    failed = [answer for answer in found if answer.status != 200]
    assert 0 < len(failed) <= kill.killed
    assert [answer for answer in failed if not is_told_to_retry(answer)] == []
    assert [answer for answer in failed if answer.started > kill.done] == []
    assert sum(answer.started > kill.done for answer in found) > ENOUGH


def test_without_health_checks_each_killed_connection_fails_one_request() -> None:
    kill, found = load_around_a_kill(CONN_HEALTH_CHECKS=False)

    failed = [answer for answer in found if answer.status != 200]
    assert 0 < len(failed) <= kill.killed
    assert [answer for answer in failed if not is_told_to_retry(answer)] == []
    assert sum(answer.started > kill.done for answer in found) > ENOUGH


@pytest.fixture(scope="module")
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@pytest.fixture
def mute_port() -> Iterator[int]:
    """A port at which connections are accepted and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture(scope="module")
def server_without_database(django_db_setup: None, closed_port: int) -> Iterator[Server]:
    away = database(HOST="127.0.0.1", PORT=closed_port)
    with running(databases={"default": away}, mullet={"RETRY_AFTER": 7}) as server:
        yield server


def test_a_stopped_database_is_answered_503_and_logged(server_without_database: Server) -> None:
    url = server_without_database.url

    for path in PATHS:
        response = httpx.get(url + path, timeout=10)

        assert response.status_code == 503, path
        assert response.headers["retry-after"] == "7"
        assert response.headers["content-type"] == "application/json"
        name = path.partition("?")[0]
        assert f"[django.request ERROR] Database away: {name}\n" in server_without_database.log()


def test_a_stopped_database_does_not_pile_requests_up(server_without_database: Server) -> None:
    found = answers_of_server(server_without_database.url, PATHS * 20, concurrency=CONCURRENCY)

    assert {answer.status for answer in found} == {503}
    assert max(answer.seconds for answer in found) < 10


def test_what_needs_no_database_works_without_one(server_without_database: Server) -> None:
    response = httpx.get(server_without_database.url + "/api/health", timeout=10)

    assert response.status_code == 200


def test_a_database_that_never_answers_is_given_up(mute_port: int) -> None:
    mute = database(HOST="127.0.0.1", PORT=mute_port, OPTIONS={"connect_timeout": 2})
    with running(databases={"default": mute}) as server:
        found = answers_of_server(server.url, ["/api/def/count", "/api/async/count"])
        health = httpx.get(server.url + "/api/health", timeout=10)

    assert [is_told_to_retry(answer) for answer in found] == [True, True]
    assert max(answer.seconds for answer in found) < 10
    assert health.status_code == 200


def test_a_request_that_gets_no_connection_in_time_is_told_to_retry() -> None:
    limits = {"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.3}
    with running(mullet=limits) as server:
        found = answers_of_server(
            server.url, ["/api/def/query?seconds=1", "/api/def/count", "/api/async/count"]
        )

    slow, *others = sorted(found, key=lambda answer: answer.path, reverse=True)
    assert slow.status == 200
    assert [answer.status for answer in others] == [503, 503]
    assert all(is_told_to_retry(answer) for answer in others)
