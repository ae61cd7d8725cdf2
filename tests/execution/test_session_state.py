"""What a request leaves in the database session is there for it later, as in plain Django."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from uuid import uuid4

import httpx
import pytest

from tests.load import answers_of_server
from tests.server import Server, database, running
from tests.servers.session_steps import SHARED, STATES
from tests.session_client import found
from tests.testapp.models import Item

pytestmark = [pytest.mark.load, pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

AT_ONCE = 16
CONNECTIONS = 40  # so that streams and sockets may have as many as there are at once

# A lock that is never given back is an error after a while, and not a test without end.
OPTIONS = {"options": "-c lock_timeout=10s"}

CLAIMS = "tests.servers.claims:app"

KINDS = {
    "/api/def": "answer",
    "/api/async": "answer",
    "/api/stream": "stream",
    "/api/async-stream": "stream",
    "/api/generator": "stream",
    "/api/async-generator": "stream",
    "/api/task": "task",
    "/api/async-task": "task",
    "/api/socket": "socket",
    "/django/session/view": "answer",
    "/django/session/async-view": "answer",
    "/django/session/stream": "stream",
    "/django/session/async-stream": "stream",
}


def narrow(app: str, port: int) -> list[str]:
    return ["tests.servers.narrow", app, str(port)]


def gunicorn(app: str, port: int) -> list[str]:
    options = ["--worker-class", "gthread", "--threads", str(AT_ONCE)]
    return ["gunicorn", app, "--bind", f"127.0.0.1:{port}", *options]


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    databases = {"default": database(CONN_MAX_AGE=None, OPTIONS=OPTIONS)}
    limits = {"CONNECTIONS": CONNECTIONS}
    with running(
        "tests.servers.session:app", databases=databases, mullet=limits, command=narrow
    ) as server:
        yield server


@pytest.fixture(scope="module")
def plain(django_db_setup: None) -> Iterator[dict[str, Server]]:
    """Django's own servers, by the kind of view for which each is made."""
    # Django's documentation says to keep no connections under ASGI.
    databases = {"default": database(CONN_MAX_AGE=0, OPTIONS=OPTIONS)}
    with (
        running("tests.servers.plain:asgi", databases=databases, command=narrow) as asgi,
        running("tests.servers.plain:wsgi", databases=databases, command=gunicorn) as wsgi,
    ):
        yield {"view": wsgi, "stream": wsgi, "async-view": asgi, "async-stream": asgi}


def tokens() -> Iterator[str]:
    """Yield tokens without end; they begin alike, and are different."""
    shared = uuid4().hex[:SHARED]
    while True:
        yield shared + uuid4().hex


def expected(state: str, token: str) -> list[object]:
    """Return what the steps return where they share a session that nobody else uses."""
    return {
        "settings": [None, [token] * 2, [token] * 2],
        "temporary-table": [None, token, None],
        "advisory-lock": [1, 1, True],
        "listen": [None, [token], None],
        "prepare": [None, token, None],
        "no-autocommit": [1, 1, 0],
    }[state]


def assert_it_is_there(server: Server, path: str, kind: str, state: str) -> None:
    """Ask for the steps of `state` many times at once, while others leave the same elsewhere."""
    endless = tokens()
    names = list(islice(endless, AT_ONCE))
    others = (f"/django/session/view/{state}/{name}" for name in endless)

    steps, meanwhile = found(server, kind, [f"{path}/{state}/{name}" for name in names], others)

    assert steps == [expected(state, name) for name in names]
    of_others = [path.rpartition("/")[2] for path, _ in meanwhile]
    assert [steps for _, steps in meanwhile] == [expected(state, name) for name in of_others]
    assert Item.objects.count() == 0


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("path", KINDS)
def test_it_is_there_in_the_same_request(server: Server, path: str, state: str) -> None:
    assert_it_is_there(server, path, KINDS[path], state)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("view", ["view", "stream", "async-view", "async-stream"])
def test_so_it_is_in_plain_django(plain: dict[str, Server], view: str, state: str) -> None:
    kind = "stream" if "stream" in view else "answer"

    assert_it_is_there(plain[view], f"/django/session/{view}", kind, state)


@pytest.mark.parametrize("path", ["/api/gathered", "/django/session/gathered"])
def test_queries_that_begin_at_once_run_on_one_connection(path: str) -> None:
    with running(CLAIMS) as server:
        answers = answers_of_server(server.url, [path] * 40)

    assert [answer.status for answer in answers] == [200] * 40
    assert [len(set(answer.body)) for answer in answers] == [1] * 40


def test_so_it_is_with_them_in_plain_django(plain: dict[str, Server]) -> None:
    answers = answers_of_server(plain["async-view"].url, ["/django/session/gathered"] * 40)

    assert [len(set(answer.body)) for answer in answers] == [1] * 40


@pytest.mark.parametrize("max_age", [None, 0])
def test_whoever_hears_of_a_new_connection_hears_of_it_once(max_age: int | None) -> None:
    databases = {"default": database(CONN_MAX_AGE=max_age)}
    paths = ["/api/def/marked", "/api/async/marked", "/api/gathered", "/django/session/gathered"]
    with running(
        "tests.servers.marked:app", databases=databases, mullet={"CONNECTIONS": 6}
    ) as server:
        answers = answers_of_server(server.url, paths * 50, concurrency=40)
        created = httpx.get(f"{server.url}/api/created").json()

    assert [answer.status for answer in answers] == [200] * 200
    assert len(created) == len(set(created))
    used = {pid for answer in answers for pid in answer.body}
    assert used <= set(created)


@pytest.mark.parametrize("path", ["/api/closed-by-hand", "/django/session/closed-by-hand"])
def test_a_connection_closed_by_hand_is_left_to_others(path: str) -> None:
    limits = {"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 5}
    with running(CLAIMS, mullet=limits) as server, ThreadPoolExecutor() as threads:
        waiting = threads.submit(httpx.get, server.url + path, timeout=20)
        others = [
            httpx.get(f"{server.url}/api/{other}", timeout=20).status_code
            for other in ("closed", "def/count", "go-on")
        ]
        answer = waiting.result()

    assert others == [200] * 3
    first, second, left = answer.json()
    assert first != second
    assert not left


def test_after_a_close_by_hand_the_next_query_gets_a_connection() -> None:
    with running(CLAIMS, mullet={"CONNECTIONS": 4}) as server:
        answers = answers_of_server(server.url, ["/api/def/closed-by-hand"] * 40, concurrency=16)

    assert [answer.status for answer in answers] == [200] * 40
    assert all(first != second for first, second in (answer.body for answer in answers))
