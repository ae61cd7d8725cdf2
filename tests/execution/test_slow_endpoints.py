"""What is slow keeps a worker or a client waiting, and nobody else."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

import httpx
import pytest

from tests.load import answers_of_server
from tests.server import Server, running

pytestmark = pytest.mark.postgres

STUCK = 8  # requests, as many as there are workers that are kept going
SECONDS = 3
FAST = ["/api/health", "/api/def/count", "/api/async/count", "/django/count", "/admin/login/"]
NOISE = 0.01  # seconds by which a machine with other things to do may delay any answer


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    with running() as server, httpx.Client(base_url=server.url) as client:
        for path in FAST * 5:
            client.get(path)
        yield server


def medians(server: Server, *, rounds: int = 15) -> dict[str, float]:
    """Return the median seconds of each of the fast paths, which take turns."""
    seconds: dict[str, list[float]] = {path: [] for path in FAST}
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for _ in range(rounds):
            for path in FAST:
                started = time.monotonic()
                response = client.get(path)
                seconds[path].append(time.monotonic() - started)
                assert response.status_code == 200
    return {path: median(taken) for path, taken in seconds.items()}


@pytest.fixture(scope="module")
def idle(server: Server) -> dict[str, float]:
    return medians(server)


def assert_hardly_slower(busy: dict[str, float], idle: dict[str, float]) -> None:
    slower = {path: (idle[path], busy[path]) for path in FAST}
    assert {
        path: (before, now) for path, (before, now) in slower.items() if now > 5 * before + NOISE
    } == {}


@contextmanager
def stuck(server: Server, path: str, *, requests: int, seconds: float) -> Iterator[list[int]]:
    """Keep `requests` requests waiting; yield the list to which their statuses are added."""
    statuses: list[int] = []

    def send() -> None:
        response = httpx.get(f"{server.url}{path}?seconds={seconds}", timeout=30)
        statuses.append(response.status_code)

    threads = [threading.Thread(target=send) for _ in range(requests)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(0.3)
        yield statuses
    finally:
        for thread in threads:
            thread.join()


@contextmanager
def reader_of_a_byte_a_second(server: Server, path: str) -> Iterator[None]:
    """Ask for `path` and read the answer as slowly as a client can."""
    over = threading.Event()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert client.recv(1) == b"H"

        def read() -> None:
            while not over.wait(1):
                client.recv(1)

        thread = threading.Thread(target=read)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize("path", ["/api/sleep", "/api/query-and-sleep", "/django/sleep"])
def test_stuck_endpoints_do_not_stop_the_others(
    server: Server, idle: dict[str, float], path: str
) -> None:
    with stuck(server, path, requests=STUCK, seconds=SECONDS) as statuses:
        busy = medians(server)
        assert statuses == [], "the measurement took longer than the requests were stuck"

    assert statuses == [200] * STUCK
    assert_hardly_slower(busy, idle)


@pytest.mark.usefixtures("django_db_setup")
def test_stuck_endpoints_hold_no_connection_that_they_do_not_use() -> None:
    with running(mullet={"CONNECTIONS": 2, "CONNECTION_TIMEOUT": 1}) as server:
        answers_of_server(server.url, ["/api/def/query?seconds=0.1"] * 8)
        with stuck(server, "/api/sleep", requests=2, seconds=2):
            found = answers_of_server(server.url, ["/api/def/count"] * 8, concurrency=1)

    assert [answer.status for answer in found] == [200] * 8


@pytest.mark.parametrize("path", ["/api/large", "/api/large/stream", "/django/large"])
def test_slow_readers_do_not_stop_the_others(
    server: Server, idle: dict[str, float], path: str
) -> None:
    with ExitStack() as readers:
        for _ in range(STUCK):
            readers.enter_context(reader_of_a_byte_a_second(server, path))
        busy = medians(server)

    assert_hardly_slower(busy, idle)


@pytest.mark.usefixtures("django_db_setup")
def test_a_full_queue_is_answered_503() -> None:
    limits = {"THREADS": 1, "QUEUE": 1, "RETRY_AFTER": 7}
    refused = {}
    with (
        running(mullet=limits) as server,
        stuck(server, "/api/sleep", requests=1, seconds=2) as first,
        stuck(server, "/api/sleep", requests=1, seconds=0) as second,
    ):
        for path in ("/api/def/count", "/api/async/count", "/django/count", "/admin/login/"):
            refused[path] = httpx.get(server.url + path, timeout=10)
        health = httpx.get(server.url + "/api/health", timeout=10)

    assert {path: answer.status_code for path, answer in refused.items()} == dict.fromkeys(
        refused, 503
    )
    assert {answer.headers.get("retry-after") for answer in refused.values()} == {"7"}
    assert health.status_code == 200
    assert (first, second) == ([200], [200])
