"""WebSockets over a real server: many, slow, vanishing and failing ones hold nothing."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from django.db import connection
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.execution.test_slow_endpoints import stuck
from tests.server import Server, database, running
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

APP = "tests.servers.sockets:app"
ROOM_FOR_TEN = {"THREADS": 1, "CONNECTIONS": 11, "LASTING": 10, "CONNECTION_TIMEOUT": 2}


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    with running(APP, mullet=ROOM_FOR_TEN) as server:
        yield server


def opened(server: Server, path: str) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/api{path}", max_size=None)


def said(session: ClientConnection, message: str) -> Any:
    session.send(message)
    return session.recv(timeout=10)


def assert_serves(server: Server) -> None:
    """A worker and a connection are free."""
    assert httpx.get(f"{server.url}/api/def/count", timeout=5).status_code == 200


def stored(name: str) -> int:
    return Item.objects.filter(name=name).count()


def vanish(session: ClientConnection) -> None:
    """Close the connection without a word, as a process does that is killed."""
    session.socket.shutdown(socket.SHUT_RDWR)


def test_many_sockets_that_wait_leave_connections_to_others(server: Server) -> None:
    with ExitStack() as stack:
        sessions = [stack.enter_context(opened(server, "/echo")) for _ in range(10)]
        for turn in ("a", "b"):
            assert [said(session, turn) for session in sessions] == [turn] * 10
            assert_serves(server)
        with pytest.raises(InvalidStatus) as refused:
            opened(server, "/echo")
        assert refused.value.response.status_code == 503

    until(lambda: stored("finally") == 10)
    until(lambda: stored("exit") == 10)


def test_a_client_that_vanishes_leaves_nothing_behind(server: Server) -> None:
    logged = server.log()

    with opened(server, "/echo") as session:
        said(session, "a")
        vanish(session)

    until(lambda: stored("finally") == stored("exit") == 1)
    assert_serves(server)
    assert "Traceback" not in server.log().removeprefix(logged)


def test_a_client_that_vanishes_in_a_transaction_rolls_back(server: Server) -> None:
    with opened(server, "/transaction") as session:
        said(session, "a")
        vanish(session)

    assert_serves(server)
    assert stored("a") == 0


def test_an_error_in_the_middle_closes_the_socket_and_frees_the_worker(server: Server) -> None:
    with opened(server, "/echo") as session:
        assert said(session, "fail") == "fail"
        with pytest.raises(ConnectionClosedError):
            session.recv(timeout=10)

    until(lambda: stored("finally") == 1)
    assert_serves(server)
    until(lambda: "LookupError: in the middle" in server.log())


def test_a_slow_reader_delays_nobody(server: Server) -> None:
    with opened(server, "/flood") as session:
        session.recv(timeout=10)

        for _ in range(5):
            assert_serves(server)
        vanish(session)

    until(lambda: stored("flood ended") == 1)
    assert_serves(server)


def test_a_connection_that_the_database_closes_ends_its_socket_and_no_other() -> None:
    with running(APP, mullet=ROOM_FOR_TEN) as server:
        with opened(server, "/backend") as session:
            first = said(session, "?")
            assert said(session, "?") == first
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])

            with pytest.raises(ConnectionClosedError) as closed:
                said(session, "?")
        with opened(server, "/backend") as session:
            assert said(session, "?") not in (first, None)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013


def test_a_handshake_is_answered_503_when_the_database_is_away() -> None:
    away = {"default": database(PORT="1")}
    with running(APP, databases=away, mullet={"RETRY_AFTER": 7}) as server:
        with pytest.raises(InvalidStatus) as refused:
            opened(server, "/echo")
        with opened(server, "/late") as session, pytest.raises(ConnectionClosedError) as closed:
            session.recv(timeout=10)

    response = refused.value.response
    assert (response.status_code, response.headers["Retry-After"]) == (503, "7")
    assert response.body == b'{"detail":"The database is not available."}'
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
    assert closed.value.rcvd.reason == "The database is not available."


def test_a_handshake_is_answered_503_when_the_queue_is_full() -> None:
    with (
        running(APP, mullet={"THREADS": 1, "QUEUE": 1}) as server,
        stuck(server, "/api/sleep", requests=1, seconds=2),
        stuck(server, "/api/sleep", requests=1, seconds=0),
    ):
        with pytest.raises(InvalidStatus) as refused:
            opened(server, "/echo")
        with opened(server, "/late") as session, pytest.raises(ConnectionClosedError) as closed:
            session.recv(timeout=10)

    assert refused.value.response.status_code == 503
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.reason == "The server is busy."


def test_a_page_of_another_host_is_answered_403(server: Server) -> None:
    url = f"ws://127.0.0.1:{server.port}/api/echo"

    with pytest.raises(InvalidStatus) as refused:
        connect(url, origin=Origin("https://other.example"))

    assert refused.value.response.status_code == 403
    with connect(url, origin=Origin(f"http://127.0.0.1:{server.port}")):
        pass
    until(lambda: stored("finally") == stored("exit") == 1)  # and not within the next test
