"""Responses of every kind over a real server: slow, vanishing and failing ones hold nothing."""

import re
import socket
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path

import httpx
import pytest
from django.db import connection

from tests.server import Server, database, running
from tests.servers.pieces import SIZE
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

APP = "tests.servers.responses:app"
NAME = "mullet-responses"
LIMITS = {"THREADS": 2, "CONNECTIONS": 2, "CONNECTION_TIMEOUT": 2}

PIECES = 500  # more than the buffers between server and client hold
STREAMS = [
    "/api/def/stream",
    "/api/async/stream",
    "/api/async/sync-stream",
    "/api/def/lines",
    "/api/async/lines",
    "/api/def/events",
    "/api/async/events",
    "/django/stream",
    "/django/async/stream",
]
FILES = ["/api/def/file", "/api/async/file", "/django/file"]


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    databases = {"default": database(OPTIONS={"application_name": NAME})}
    with running(APP, databases=databases, mullet=LIMITS) as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_is_held(server: Server) -> Iterator[None]:
    yield
    assert_all_is_free(server)


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 40_000)
    return path


def assert_all_is_free(server: Server) -> None:
    """Both workers and both connections are there for the next requests."""
    with ThreadPoolExecutor() as threads:
        url = f"{server.url}/api/both-workers"
        found = list(threads.map(lambda _: httpx.get(url, timeout=10).status_code, range(2)))
    assert found == [200, 200]
    until(lambda: set(states_of_connections()) <= {"idle"})


def states_of_connections() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT state FROM pg_stat_activity WHERE application_name = %s", [NAME])
        return [state for [state] in cursor.fetchall()]


def assert_serves(server: Server) -> None:
    """A worker and a connection are there for the next request."""
    assert httpx.get(f"{server.url}/api/def/count", timeout=5).status_code == 200


@contextmanager
def asked(server: Server, path: str) -> Iterator[HTTPResponse]:
    """Ask for `path`, with as small a buffer as there is, and leave the body unread."""
    client = HTTPConnection("127.0.0.1", server.port, timeout=10)
    client.sock = socket.socket()
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sock.settimeout(10)
    client.sock.connect(("127.0.0.1", server.port))
    try:
        client.request("GET", path)
        yield client.getresponse()
    finally:
        client.close()


def vanish(response: HTTPResponse) -> None:
    """Reset the connection, as a process does that is killed."""
    fileno = response.fileno()
    with socket.socket(fileno=fileno) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.detach()
    response.close()


def wait_until_it_waits(server: Server) -> int:
    """Return how many pieces have been made when no more are, as the client is slow."""
    made = -1
    while (now := httpx.get(f"{server.url}/api/produced").json()) != made:
        made = now
        time.sleep(0.3)
    return int(made)


def numbers(body: bytes) -> list[int]:
    return [int(number) for number in re.findall(rb"#(\d+) False#", body)]


def ended() -> int:
    return Item.objects.filter(name="ended").count()


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_arrives_complete(server: Server, path: str) -> None:
    body = httpx.get(f"{server.url}{path}?pieces=150").content

    assert numbers(body) == list(range(150))
    assert ended() == 1


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_holds_one_connection_while_it_waits_for_a_slow_client(
    server: Server, path: str
) -> None:
    with asked(server, f"{path}?pieces={PIECES}") as response:
        first = response.read(SIZE)
        assert wait_until_it_waits(server) < PIECES
        for _ in range(3):
            assert_serves(server)
        assert httpx.get(f"{server.url}{path}").status_code == 503  # half are for others
        rest = response.read()

    assert numbers(first + rest) == list(range(PIECES))
    assert ended() == 1


@pytest.mark.parametrize("path", STREAMS)
def test_a_client_that_vanishes_ends_its_stream(server: Server, path: str) -> None:
    logged = server.log()

    with asked(server, f"{path}?pieces=100000") as response:
        response.read(SIZE)
        vanish(response)

    until(lambda: ended() == 1)
    assert "Traceback" not in (log := server.log().removeprefix(logged)), log


@pytest.mark.parametrize("path", STREAMS)
def test_an_error_in_the_middle_ends_the_stream_after_what_came_before(
    server: Server, path: str
) -> None:
    with asked(server, f"{path}?pieces=20&fail_at=5") as response:
        body, is_cut_off = received(response)

    assert numbers(body) == list(range(5))
    # FastAPI ends an event stream mostly as if that was all, and sometimes, when it cancels the
    # request before the last byte, not; its client comes back in any case.
    assert is_cut_off or path.endswith("/events")
    until(lambda: ended() == 1)
    until(lambda: "LookupError: in the middle" in server.log())


def received(response: HTTPResponse) -> tuple[bytes, bool]:
    """Return as much of the body as comes, and whether there should have been more."""
    try:
        return response.read(), False
    except IncompleteRead as incomplete:
        return incomplete.partial, True


# Files


@pytest.mark.parametrize("path", FILES)
def test_a_file_holds_no_connection_while_it_waits_for_a_slow_client(
    server: Server, path: str, large_file: Path
) -> None:
    with asked(server, f"{path}?path={large_file}") as response:
        first = response.read(1)
        for _ in range(3):
            assert_serves(server)
        rest = response.read()

    assert first + rest == large_file.read_bytes()


@pytest.mark.parametrize("path", FILES)
def test_a_client_that_vanishes_ends_its_file(server: Server, path: str, large_file: Path) -> None:
    logged = server.log()

    with asked(server, f"{path}?path={large_file}") as response:
        response.read(1)
        vanish(response)

    until(lambda: str(large_file) not in open_files(server))
    assert "Traceback" not in (log := server.log().removeprefix(logged)), log


def open_files(server: Server) -> list[str]:
    links = Path(f"/proc/{server.pid}/fd").iterdir()
    return [str(link.readlink()) for link in links if link.is_symlink()]


@pytest.mark.parametrize("path", ["/api/def/file", "/api/async/file"])
def test_a_range_of_a_file_is_sent(server: Server, path: str, large_file: Path) -> None:
    url = f"{server.url}{path}?path={large_file}"

    part = httpx.get(url, headers={"Range": "bytes=1000-1255"})
    beyond = httpx.get(url, headers={"Range": f"bytes={large_file.stat().st_size}-"})

    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 1000-1255/{large_file.stat().st_size}"
    assert part.content == large_file.read_bytes()[1000:1256]
    assert beyond.status_code == 416


# Background tasks


@pytest.mark.parametrize("path", ["/api/def/tasks", "/api/async/tasks"])
def test_background_tasks_run_after_the_answer(server: Server, path: str) -> None:
    assert httpx.get(server.url + path).json() == 0

    until(lambda: names() == ["first", "second"])


@pytest.mark.parametrize("path", ["/api/def/tasks", "/api/async/tasks"])
def test_a_background_task_that_fails_is_logged_and_the_answer_stands(
    server: Server, path: str
) -> None:
    assert httpx.get(f"{server.url}{path}?fail=true").json() == 0

    until(lambda: names() == ["first", "second"])
    until(lambda: "LookupError: in a task" in server.log())


@pytest.mark.parametrize("path", ["/api/def/tasks", "/api/async/tasks"])
def test_background_tasks_run_though_the_client_vanishes(server: Server, path: str) -> None:
    with asked(server, path) as response:
        vanish(response)

    until(lambda: names() == ["first", "second"])


def test_a_background_task_on_commit_runs_if_there_was_one(server: Server) -> None:
    path = f"{server.url}/api/def/on-commit"

    assert httpx.get(f"{path}?fail=true").status_code == 500
    assert httpx.get(path).status_code == 200

    until(lambda: names() == ["committed"])


def names() -> list[str]:
    return list(Item.objects.order_by("pk").values_list("name", flat=True))


# HTTP/1.1


COUNTS = ["/api/def/count", "/api/async/count", "/django/count", "/django/async/count"]
REFUSED = ["/api/def/refused", "/api/async/refused", "/api/def/nothing", "/django/nothing"]


@contextmanager
def client_of(server: Server) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=10)) as client:
        yield client


def status_of(client: HTTPConnection, method: str, path: str) -> int:
    client.request(method, path)
    response = client.getresponse()
    response.read()
    return response.status


@pytest.mark.parametrize("path", [*COUNTS, *REFUSED, "/django/error", *FILES])
def test_a_connection_is_kept_for_the_next_request(
    server: Server, path: str, large_file: Path
) -> None:
    with client_of(server) as client:
        status_of(client, "GET", f"{path}?path={large_file}")
        used = client.sock
        found = [status_of(client, "GET", next_path) for next_path in COUNTS]

        assert used is not None
        assert client.sock is used
    assert found == [200] * len(COUNTS)


@pytest.mark.parametrize("path", ["/api/def/error", "/api/async/error"])
def test_unexpected_errors_are_answered_500(server: Server, path: str) -> None:
    """Starlette raises it again after the answer, at which uvicorn closes the connection."""
    found = [httpx.get(server.url + path).status_code for _ in range(3)]

    assert found == [500] * 3


@pytest.mark.parametrize("path", [*COUNTS, *STREAMS])
def test_after_a_head_request_the_connection_is_in_step(server: Server, path: str) -> None:
    """A body that came though none must would be taken for the next answer."""
    with client_of(server) as client:
        head = status_of(client, "HEAD", path)
        used = client.sock
        found = [status_of(client, "GET", next_path) for next_path in COUNTS]

        assert client.sock is used
    assert head == (405 if path.startswith("/api") else 200)
    assert found == [200] * len(COUNTS)


@pytest.mark.parametrize("path", ["/api/def/methods", "/api/async/methods"])
def test_the_methods_of_a_route_are_answered(server: Server, path: str) -> None:
    get, head, options = (
        httpx.request(method, server.url + path) for method in ("GET", "HEAD", "OPTIONS")
    )

    assert [answer.status_code for answer in (get, head, options)] == [200, 200, 200]
    assert (get.content, head.content, options.content) == (b"0", b"", b"0")
    assert head.headers["content-length"] == get.headers["content-length"]


@pytest.mark.parametrize("path", ["/api/def/count", "/api/async/count"])
def test_a_method_that_a_route_has_not_is_answered_405(server: Server, path: str) -> None:
    found = [httpx.request(method, server.url + path) for method in ("HEAD", "OPTIONS", "PUT")]

    assert {answer.status_code for answer in found} == {405}
    assert {answer.headers["allow"] for answer in found} == {"GET"}
