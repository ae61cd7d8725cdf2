"""What is answered when the database is lost before it has answered itself?"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from httpx import Response

from django_mullet import APIRouter, Atomic, OutcomeUnknown, atomic, prepared, retry_on_conflict
from django_mullet.error_handling import handlers
from django_mullet.execution.outcomes import is_read
from django_mullet.execution.workers import pool
from tests.proxy import Proxy, proxied
from tests.saving import mixed
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)

needs_postgres = pytest.mark.postgres
PreparedItem = mixed(Item)
attempts: list[str] = []
PGBOUNCER = (
    "57P01 terminating connection due to administrator command",
    "08P01 server conn crashed?",
)
"""What it says to its client when a server shuts down."""


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy by which the workers connect to PostgreSQL."""
    attempts.clear()
    settings = connections.settings["default"]
    with proxied(dict(settings)) as proxy:
        monkeypatch.setitem(settings, "HOST", "127.0.0.1")
        monkeypatch.setitem(settings, "PORT", str(proxy.port))
        monkeypatch.setitem(settings, "CONN_HEALTH_CHECKS", False)
        pool.stop()
        yield proxy
        pool.stop()
    connection.close()


router = APIRouter()


@router.post("/def")
@retry_on_conflict()
def create(_: Atomic) -> None:
    attempts.append("")
    Item.objects.create(name="row")


@router.post("/async")
@retry_on_conflict()
async def acreate(_: Atomic) -> None:
    attempts.append("")
    await Item.objects.acreate(name="row")


@router.post("/block")
def create_in_a_block() -> None:
    with transaction.atomic():
        Item.objects.create(name="row")


@router.post("/async/block")
async def acreate_in_a_block() -> None:
    async with atomic():
        await Item.objects.acreate(name="row")


@router.post("/prepared")
def create_prepared(_: Atomic) -> None:
    PreparedItem(name="row").save()


@router.post("/alone/prepared")
def create_prepared_alone() -> None:
    PreparedItem(name="row").save()


@router.post("/alone/prepared/watched")
def create_prepared_alone_while_somebody_looks_on() -> None:
    with connection.execute_wrapper(lambda execute, *args: execute(*args)):
        PreparedItem(name="row").save()


@router.post("/alone")
def create_alone() -> None:
    Item.objects.create(name="row")


@router.post("/alone/async")
async def acreate_alone() -> None:
    await Item.objects.acreate(name="row")


@router.post("/alone/cursor")
def create_alone_by_a_cursor() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO testapp_item (name, n) VALUES ('row', 0)")


@router.get("/count")
def count() -> int:
    return Item.objects.count()


@router.get("/count/atomic")
def count_in_a_transaction(_: Atomic) -> int:
    return Item.objects.count()


@prepared
def rows(n: int) -> Any:
    return Item.objects.filter(n=n)


@router.get("/rows")
def count_prepared() -> int:
    return len(list(rows(n=0)))


@router.post("/open")
def create_and_count(_: Atomic) -> int:
    Item.objects.create(name="row")
    return Item.objects.count()


@router.post("/stored")
def create_alone_and_count() -> int:
    Item.objects.create(name="row")
    return Item.objects.count()


@router.websocket("/socket")
async def create_in_a_socket(socket: WebSocket) -> None:
    await socket.accept()
    try:
        async with atomic():
            await Item.objects.acreate(name="row")
    except OutcomeUnknown:
        await socket.send_text("unknown")


app = FastAPI()
app.include_router(router)
with_middleware = APIRouter(
    prefix="/middleware", django_middleware=["tests.django_middleware.function"]
)
with_middleware.include_router(router)
app.include_router(with_middleware)
handlers.install_exception_handlers(app)
client = TestClient(app, raise_server_exceptions=False)

COMMITTING = [
    "/def",
    "/async",
    "/block",
    "/async/block",
    "/prepared",
    "/middleware/def",
    "/middleware/async",
]
ALONE = [
    "/alone",
    "/alone/async",
    "/alone/prepared",
    "/alone/prepared/watched",
    "/middleware/alone",
]


@needs_postgres
@pytest.mark.parametrize("path", COMMITTING)
@pytest.mark.parametrize("forwarded", [True, False])
def test_nobody_is_invited_to_repeat_what_may_be_committed(
    path: str, forwarded: bool, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post(path).status_code == 200
    attempts.clear()
    proxy.lose(b"COMMIT", forwarded=forwarded)

    response = client.post(path)

    assert proxy.lost.is_set()
    assert response.status_code == 500
    assert "retry-after" not in response.headers
    assert len(attempts) <= 1
    assert Item.objects.count() == 1 + forwarded
    [entry] = [each for each in caplog.messages if each.startswith("Outcome unknown")]
    assert entry.startswith(
        f"Outcome unknown: 'POST {path}' of 'tests.error_handling.test_lost_answers."
    )
    assert entry.endswith(
        ": The connection was lost before the database answered COMMIT on 'default': whether it "
        "is stored is unknown. Look for the row before you send the request again."
    )
    assert client.post(path).status_code == 200


@needs_postgres
@pytest.mark.parametrize("path", [*ALONE, "/alone/cursor"])
@pytest.mark.parametrize("forwarded", [True, False])
def test_so_it_is_without_a_transaction(
    path: str, forwarded: bool, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post(path).status_code == 200
    before = Item.objects.count()
    proxy.lose(b"INSERT", forwarded=forwarded)

    response = client.post(path)

    assert proxy.lost.is_set()
    assert response.status_code == 500
    assert "retry-after" not in response.headers
    assert (Item.objects.count() > before) == forwarded
    assert [each for each in caplog.messages if each.startswith("Outcome unknown")]
    assert client.post(path).status_code == 200


@needs_postgres
@pytest.mark.parametrize("path", ALONE)
def test_a_server_that_says_that_it_shuts_down_has_stored_nothing(path: str, proxy: Proxy) -> None:
    assert client.post(path).status_code == 200
    proxy.lose(b"INSERT", says=PGBOUNCER[:1], forwarded=False)

    response = client.post(path)

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


@needs_postgres
@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/count", b"SELECT COUNT"),
        ("GET", "/rows", b"SELECT"),
        ("GET", "/count/atomic", b"SELECT COUNT"),
        ("GET", "/count/atomic", b"BEGIN"),
        ("GET", "/count/atomic", b"COMMIT"),
        ("POST", "/def", b"BEGIN"),
        ("POST", "/def", b"INSERT"),
        ("POST", "/async", b"INSERT"),
        ("POST", "/open", b"SELECT COUNT"),
        ("POST", "/middleware/open", b"SELECT COUNT"),
    ],
)
@pytest.mark.parametrize("says", [(), PGBOUNCER[:1], PGBOUNCER])
def test_what_has_stored_nothing_may_be_sent_again(
    method: str, path: str, query: bytes, says: tuple[str, ...], proxy: Proxy
) -> None:
    assert client.request(method, path).status_code == 200
    before = Item.objects.count()
    proxy.lose(query, says=says, forwarded=not says)

    response = client.request(method, path)

    assert proxy.lost.is_set()
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert Item.objects.count() == before
    assert client.request(method, path).status_code == 200


@needs_postgres
def test_a_commit_on_a_session_that_two_have_ended_is_unknown(proxy: Proxy) -> None:
    assert client.post("/def").status_code == 200
    proxy.lose(b"COMMIT", says=PGBOUNCER, forwarded=False)

    response = client.post("/def")

    assert response.status_code == 500
    assert "retry-after" not in response.headers
    assert client.post("/def").status_code == 200


@needs_postgres
@pytest.mark.parametrize("path", ["/stored", "/middleware/stored"])
def test_what_is_lost_after_something_is_stored_is_not_to_be_repeated(
    path: str, proxy: Proxy
) -> None:
    assert client.post(path).status_code == 200
    proxy.lose(b"SELECT COUNT")

    response = client.post(path)

    assert response.status_code == 500
    assert "retry-after" not in response.headers
    assert Item.objects.count() == 2


@needs_postgres
def test_a_websocket_is_told(proxy: Proxy) -> None:
    proxy.lose(b"COMMIT")

    with client.websocket_connect("/socket") as socket:
        assert socket.receive_text() == "unknown"

    assert Item.objects.count() == 1


def answer(use: Callable[[], object], **options: Any) -> Response:
    """Return what is answered by a route that does `use` in a transaction."""
    api, routes = FastAPI(), APIRouter()

    @routes.post("/")
    def endpoint(_: Atomic) -> None:
        use()

    api.include_router(routes)
    return TestClient(api, **options).post("/")


@needs_postgres
def test_that_the_database_is_away_then_does_not_hide_it(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def use() -> None:
        Item.objects.create(name="row")
        monkeypatch.setitem(connections.settings["default"], "PORT", "1")

    proxy.lose(b"COMMIT")

    with pytest.raises(OutcomeUnknown):
        answer(use)

    assert proxy.lost.is_set()


@needs_postgres
def test_a_commit_that_is_refused_is_known(proxy: Proxy) -> None:
    """A constraint that is checked by COMMIT."""

    def use() -> None:
        for _ in range(2):
            Item.objects.create(name="row", code="same")

    with pytest.raises(IntegrityError):
        answer(use)


@needs_postgres
def test_a_connection_that_was_closed_before_has_committed_nothing(proxy: Proxy) -> None:
    def use() -> None:
        Item.objects.create(name="row")
        connection.connection.close()

    response = answer(use, raise_server_exceptions=False)

    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


class Composed:
    """As psycopg composes it."""

    def as_string(self, context: Any) -> str:
        return "UPDATE nothing SET x = 1"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", True),
        ("select 1", True),
        (" \n(SELECT 1) UNION (SELECT 2)", True),
        ("-- all of them\n/* * */ SELECT 1", True),
        ("SAVEPOINT x", True),
        ("SELECTION", False),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("WITH x AS (DELETE FROM y RETURNING z) SELECT * FROM x", False),
        ("INSERT INTO x VALUES (1)", False),
        ("COPY x FROM STDIN", False),
        ("COMMIT", False),
        ("SELECT 1;", True),
        ("SELECT 1 ; \n", True),
        ("SELECT 1; INSERT INTO x VALUES (1)", False),
        ("SET lock_timeout = '2s'; INSERT INTO x VALUES (1)", False),
        ("BEGIN; DELETE FROM x; COMMIT", False),
        ("EXPLAIN SELECT 1", True),
        ("EXPLAIN ANALYZE INSERT INTO x VALUES (1)", False),
        ("explain (analyze) delete from x", False),
        ("SELECT * INTO y FROM x", False),
        (f"SELECT {', '.join(map(str, range(1000)))}", True),
        (f"SELECT {', '.join(map(str, range(1000)))}; DELETE FROM x", False),
        (b"SELECT 1", False),
        (Composed(), False),
    ],
)
def test_a_statement_that_is_not_known_to_read_writes(sql: Any, expected: bool) -> None:
    assert is_read(sql) is expected
