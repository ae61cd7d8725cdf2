"""Each request is one request to Django, with the connections that Django's settings promise."""

import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import httpx
import pytest
from django.core.signals import request_finished, request_started
from django.db import connection, connections
from django.dispatch import Signal
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse

from django_mullet import APIRouter, Atomic, mount_django
from tests.load import answers, answers_of_server
from tests.server import Server, database, running
from tests.testapp.models import Item

pytestmark = pytest.mark.urls("tests.servers.urls")

router = APIRouter()


class Failed(Exception):
    """What an endpoint raises."""


def held() -> Iterator[None]:
    yield


@router.get("/def")
def count() -> int:
    return Item.objects.count()


@router.get("/def/atomic")
def count_atomic(_: Atomic) -> int:
    return Item.objects.count()


@router.get("/def/dependency")
def count_with_dependency(_: Annotated[None, Depends(held)]) -> int:
    return Item.objects.count()


@router.get("/def/exception")
def fail() -> None:
    Item.objects.count()
    raise Failed


@router.get("/def/http-exception")
def refuse() -> None:
    raise HTTPException(404)


@router.get("/def/background")
def follow_up(tasks: BackgroundTasks) -> None:
    tasks.add_task(Item.objects.count)


@router.get("/def/streaming")
def stream() -> StreamingResponse:
    return StreamingResponse(str(Item.objects.count()) for _ in range(3))


@router.get("/def/lines")
def lines() -> Iterator[int]:
    for _ in range(3):
        yield Item.objects.count()


@router.get("/async")
async def acount() -> int:
    await Item.objects.acount()
    return await Item.objects.acount()


@router.get("/async/atomic")
async def acount_atomic(_: Atomic) -> int:
    return await Item.objects.acount()


@router.get("/async/dependency")
async def acount_with_dependency(_: Annotated[None, Depends(held)]) -> int:
    return await Item.objects.acount()


@router.get("/async/exception")
async def afail() -> None:
    await Item.objects.acount()
    raise Failed


@router.get("/async/background")
async def afollow_up(tasks: BackgroundTasks) -> None:
    tasks.add_task(Item.objects.count)


@router.get("/async/streaming")
async def astream() -> StreamingResponse:
    async def items() -> AsyncIterator[str]:
        for _ in range(3):
            yield str(await Item.objects.acount())

    return StreamingResponse(items())


@router.get("/async/lines")
async def alines() -> AsyncIterator[int]:
    for _ in range(3):
        yield await Item.objects.acount()


@router.get("/async/nothing")
async def anothing() -> None:
    pass


app = FastAPI()
app.include_router(router)
mount_django(app)

PATHS = [
    "/def",
    "/def?ignored=1",
    "/def/atomic",
    "/def/dependency",
    "/def/exception",
    "/def/http-exception",
    "/def/background",
    "/def/streaming",
    "/def/lines",
    "/async",
    "/async/atomic",
    "/async/dependency",
    "/async/exception",
    "/async/background",
    "/async/streaming",
    "/async/lines",
    "/admin/login/",
    "/django/count",
    "/nowhere",
]


@pytest.fixture
def signals_sent() -> Iterator[list[tuple[Signal, str]]]:
    sent: list[tuple[Signal, str]] = []

    def note(signal: Signal, **kwargs: object) -> None:
        sent.append((signal, threading.current_thread().name))

    for signal in (request_started, request_finished):
        signal.connect(note)
    yield sent
    for signal in (request_started, request_finished):
        signal.disconnect(note)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", PATHS)
def test_a_request_starts_and_finishes_once(
    signals_sent: list[tuple[Signal, str]], path: str
) -> None:
    answers(app, [path], concurrency=1)

    assert [signal for signal, _ in signals_sent] == [request_started, request_finished]
    assert all(thread.startswith("mullet-") for _, thread in signals_sent)


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_request_within_a_test_starts_and_finishes_once(
    signals_sent: list[tuple[Signal, str]], path: str
) -> None:
    answers(app, [path], concurrency=1)

    assert [signal for signal, _ in signals_sent] == [request_started, request_finished]
    assert all(thread.startswith("mullet-") for _, thread in signals_sent)


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_time_start_and_finish_once_each(
    signals_sent: list[tuple[Signal, str]],
) -> None:
    answers(app, PATHS * 5, concurrency=16)

    counts = Counter(signal for signal, _ in signals_sent)
    assert counts == {request_started: len(PATHS) * 5, request_finished: len(PATHS) * 5}


def test_what_does_not_use_django_starts_nothing(signals_sent: list[tuple[Signal, str]]) -> None:
    [answer] = answers(app, ["/async/nothing"], concurrency=1)

    assert answer.status == 200
    assert signals_sent == []


SERVER = "mullet-connections"


def served(application_name: str = SERVER, **changes: Any) -> dict[str, dict[str, Any]]:
    """Return the settings of a server's database, by which its connections are recognised."""
    changes["OPTIONS"] = {"application_name": application_name, **changes.get("OPTIONS", {})}
    return {"default": database(**changes)}


def connected(application_name: str = SERVER) -> list[str]:
    """Return the last query of each connection to the test's database but the test's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = %s AND pid <> pg_backend_pid()",
            [application_name],
        )
        return [query for (query,) in cursor.fetchall()]


def left_connected(application_name: str = SERVER, *, seconds: float = 2) -> list[str]:
    """Return the same, once PostgreSQL has seen the goodbyes."""
    deadline = time.monotonic() + seconds
    while (left := connected(application_name)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_in_tests_no_connection_is_left_where_a_database_is_dropped() -> None:
    """As `DROP DATABASE` of Django's test runner needs it."""
    left = {}

    for path in PATHS:
        answers(app, [path] * 8, concurrency=4)
        with connection._nodb_cursor():
            left[path] = len(left_connected("", seconds=0.5))

    assert left == dict.fromkeys(PATHS, 0)


SERVED = ["/api/def/query", "/api/async/query", "/api/def/atomic/query", "/api/async/atomic/query"]
SERVED += ["/api/def/dependency/query"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_never_expires_is_kept_over_requests() -> None:
    with running(databases=served(CONN_MAX_AGE=None)) as server:
        found = answers_of_server(server.url, SERVED[:3] * 5, concurrency=1)
        httpx.get(server.url + "/django/count")
        kept = connected()
    left = left_connected()

    assert len({answer.body for answer in found}) == 1
    assert len(kept) == 1
    assert left == []


@pytest.fixture(scope="module")
def server_with_one_connection(django_db_setup: None) -> Iterator[Server]:
    limits = {"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 1}
    with running(databases=served("mullet-one-connection"), mullet=limits) as server:
        yield server


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", SERVED[2:])
def test_what_a_request_has_used_is_free_for_another_worker(
    server_with_one_connection: Server, path: str
) -> None:
    url = server_with_one_connection.url
    with ThreadPoolExecutor() as executor:
        # One worker sleeps, another uses the only connection; the first is the next to work.
        sleeping = executor.submit(httpx.get, url + "/api/sleep?seconds=0.5")
        time.sleep(0.2)
        used = httpx.get(url + path)
        sleeping.result()
        time.sleep(0.1)
        answer = httpx.get(url + "/api/def/count")

    assert (used.status_code, answer.status_code) == (200, 200)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_without_age_is_closed_after_each_request() -> None:
    with running(databases=served(CONN_MAX_AGE=0)) as server:
        found = answers_of_server(server.url, SERVED * 4, concurrency=1)
        left = left_connected()

    assert len({answer.body for answer in found}) == len(found)
    assert left == []


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_is_replaced_when_it_has_reached_its_age() -> None:
    with running(databases=served(CONN_MAX_AGE=1)) as server:
        [first, second] = answers_of_server(server.url, SERVED[:1] * 2, concurrency=1)
        time.sleep(1.1)
        [third] = answers_of_server(server.url, SERVED[:1], concurrency=1)

    assert first.body == second.body != third.body


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_health_check_replaces_a_lost_connection() -> None:
    with running(databases=served(CONN_HEALTH_CHECKS=True)) as server:
        for path in SERVED:
            [before] = answers_of_server(server.url, [path], concurrency=1)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s::int, 5000)", [str(before.body)])

            [after] = answers_of_server(server.url, [path], concurrency=1)

            assert (path, before.status, after.status) == (path, 200, 200)
            assert before.body != after.body


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_the_pool_of_psycopg_serves_more_requests_than_it_has_connections() -> None:
    pool = {"min_size": 1, "max_size": 2, "timeout": 20}
    with running(databases=served(CONN_MAX_AGE=0, OPTIONS={"pool": pool})) as server:
        found = answers_of_server(
            server.url, [f"{path}?seconds=0.02" for path in SERVED] * 20, concurrency=40
        )
        kept = connected()
    left = left_connected()

    assert [answer for answer in found if answer.status != 200] == []
    assert len({answer.body for answer in found}) <= 2
    assert len(kept) <= 2
    assert left == []


two_databases = APIRouter()


def write(name: str, *, fail: bool) -> None:
    Item.objects.create(name=name)
    Item.objects.using("other").create(name=name)
    if fail:
        raise Failed


@two_databases.get("/def")
def write_to_both(fail: bool) -> list[bool]:
    write("both", fail=fail)
    return [connections[alias].in_atomic_block for alias in ("default", "other")]


@two_databases.get("/async")
async def awrite_to_both(fail: bool) -> list[bool]:
    await Item.objects.acreate(name="both")
    await Item.objects.using("other").acreate(name="both")
    if fail:
        raise Failed
    return [True, True]


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    for settings in connections.settings.values():
        settings["ATOMIC_REQUESTS"] = True
    yield
    for settings in connections.settings.values():
        settings["ATOMIC_REQUESTS"] = False


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True, databases=["default", "other"])
@pytest.mark.parametrize("path", ["/def", "/async"])
@pytest.mark.usefixtures("atomic_requests")
def test_a_request_is_one_transaction_on_each_database(path: str) -> None:
    app = FastAPI()
    app.include_router(two_databases)
    paths = [f"{path}?fail={number % 2 == 0}" for number in range(32)]

    found = answers(app, paths, concurrency=16)

    successes = [answer for answer in found if answer.status == 200]
    assert len(successes) == 16
    assert all(answer.body == [True, True] for answer in successes)
    assert Item.objects.count() == 16
    assert Item.objects.using("other").count() == 16


@pytest.mark.django_db(databases=["default", "other"])
@pytest.mark.parametrize("path", ["/def", "/async"])
def test_within_a_test_each_database_is_the_one_of_the_test(path: str) -> None:
    app = FastAPI()
    app.include_router(two_databases)

    [answer] = answers(app, [f"{path}?fail=false"], concurrency=1)

    assert answer.body == [True, True]
    assert Item.objects.count() == 1
    assert Item.objects.using("other").count() == 1
