"""A database that a project adds while it runs is looked after as those of its settings are."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from django.core import mail
from django.db import connections, transaction
from django.test import override_settings
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from pytest_django import DjangoDbBlocker

from django_mullet import APIRouter
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.connections import WorkerConnection
from django_mullet.execution.workers import pool
from tests.backends import terminate
from tests.executing import entered
from tests.waiting import until

ONE_WORKER = {"THREADS": 1}
ONE = {"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.3}

router = APIRouter()
app = FastAPI()


@pytest.fixture(autouse=True)
def as_in_production(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
    add: Callable[[], None],
) -> Iterator[None]:
    monkeypatch.delattr(mail, "outbox")
    pool.stop()
    slots_of.cache_clear()
    with django_db_blocker.unblock():
        yield
        pool.stop()
        assert slots_of("added").open == slots_of("default").open == 0
        connections["default"].close()


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Adds the alias "added": a database of the kind that the tests run on."""

    def add(**settings: Any) -> None:
        added = {**connections.settings["default"], "CONN_MAX_AGE": None, **settings}
        if added["ENGINE"].endswith("sqlite3"):
            added |= {"NAME": str(tmp_path / "database"), "OPTIONS": {}}
        monkeypatch.setitem(connections.settings, "added", added)

    app.state.add = add
    yield add
    if "added" in connections.settings:
        connections["added"].close()
        del connections["added"]


def remove() -> None:
    del connections.settings["added"]


def use() -> Any:
    """Run a query and return the DB-API connection that it ran on."""
    with connections["added"].cursor() as cursor:
        cursor.execute("SELECT 1")
    return connections["added"].connection


def is_worker_connection() -> bool:
    return isinstance(connections["added"], WorkerConnection)


def in_request(*functions: Callable[[], Any], **options: Any) -> list[Any]:
    """Return what the functions return, one job after the other of one request."""

    async def main() -> list[Any]:
        async with entered({"type": "http", "path": "/"}, **options) as execution:
            return [await execution.run(function) for function in functions]

    return asyncio.run(asyncio.wait_for(main(), 20))


def adding() -> None:
    """Add the database, as middleware does that finds a new tenant."""
    if "added" not in connections.settings:
        app.state.add()


def used(_: Annotated[None, Depends(adding)]) -> None:
    use()


@router.get("/def")
def in_def(_: Annotated[None, Depends(used)]) -> bool:
    return use() is connections["added"].connection


@router.get("/async")
async def in_async(_: Annotated[None, Depends(used)], __: Annotated[None, Depends(used)]) -> bool:
    await asyncio.sleep(0.01)
    return True


@router.get("/slow")
async def slow(_: Annotated[None, Depends(used)]) -> None:
    await asyncio.sleep(0.6)


app.include_router(router)


def statuses(*paths: str) -> list[int]:
    """Return the statuses of the answers to `paths`, asked at once."""
    transport = httpx.ASGITransport(app)

    async def main() -> list[int]:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            found = await asyncio.gather(*(client.get(path, timeout=20) for path in paths))
        return [answer.status_code for answer in found]

    return asyncio.run(main())


def test_it_is_worker_connection_from_the_next_request_on(add: Callable[..., None]) -> None:
    in_request(lambda: None)
    add()

    assert in_request(use, is_worker_connection)[1]
    assert slots_of("added").open == 1
    assert len(slots_of("added")._idle) == 1


@pytest.mark.parametrize("path", ["/def", "/async"])
def test_a_request_that_adds_it_uses_it(path: str) -> None:
    assert statuses(*[path] * 40) == [200] * 40


def test_a_request_that_adds_it_has_one_connection_to_it(add: Callable[..., None]) -> None:
    in_request(lambda: None)

    _, first, second, ours = in_request(add, use, use, is_worker_connection)

    assert first is second
    assert ours


def test_what_is_used_where_it_is_added_is_closed_with_the_request(
    add: Callable[..., None],
) -> None:
    in_request(lambda: None)

    def add_and_use() -> Any:
        add()
        used = use()
        assert not is_worker_connection()
        return connections["added"], used

    (wrapper, first), second, ours = in_request(add_and_use, use, is_worker_connection)

    assert first is second
    assert not ours
    assert wrapper.connection is None
    assert in_request(use, is_worker_connection)[1]


def test_its_session_is_the_request_s_where_it_is_added(add: Callable[..., None]) -> None:
    in_request(lambda: None)

    def begin() -> None:
        add()
        use()
        transaction.set_autocommit(False, using="added")

    def state() -> bool:
        return transaction.get_autocommit(using="added")

    assert in_request(begin, state) == [None, False]
    assert in_request(state) == [True]


@override_settings(MULLET=ONE)
def test_a_request_waits_in_vain_where_another_has_its_connection(
    add: Callable[..., None],
) -> None:
    add()

    assert sorted(statuses("/slow", "/slow")) == [200, 503]
    assert statuses("/slow") == [200]


@override_settings(MULLET=ONE)
def test_one_that_is_waited_for_is_handed_over(add: Callable[..., None]) -> None:
    add()

    assert statuses(*["/def", "/async"] * 20) == [200] * 40
    assert slots_of("added").open == 1


@pytest.mark.postgres
def test_a_lost_connection_is_healed(add: Callable[..., None]) -> None:
    add(CONN_HEALTH_CHECKS=True)

    first, _ = in_request(use, lambda: terminate(connections["added"].connection.info.backend_pid))

    assert in_request(use) != [first]
    assert slots_of("added").open == 1


@pytest.mark.parametrize("age", [0, None, 600])
def test_its_age_is_heeded(add: Callable[..., None], age: int | None) -> None:
    add(CONN_MAX_AGE=age)

    [first], [second] = in_request(use), in_request(use)

    assert (first is second) is (age != 0)
    assert slots_of("added").open == int(age != 0)


def test_one_that_is_old_is_closed_before_it_is_used(add: Callable[..., None]) -> None:
    add(CONN_MAX_AGE=600)

    def grow_old() -> None:
        connections["added"].close_at = time.monotonic() - 1

    first, _ = in_request(use, grow_old)

    assert in_request(use) != [first]


@override_settings(MULLET=ONE_WORKER)
def test_one_that_is_removed_is_closed(add: Callable[..., None]) -> None:
    add()
    in_request(use)
    assert slots_of("added").open == 1

    remove()
    in_request(lambda: None)

    assert slots_of("added").open == 0


@override_settings(MULLET=ONE_WORKER)
def test_one_that_is_removed_in_its_request_is_closed_with_it(add: Callable[..., None]) -> None:
    add()

    in_request(use, remove)

    assert slots_of("added").open == 0


@override_settings(MULLET=ONE_WORKER)
def test_one_that_is_removed_in_a_transaction_is_closed(add: Callable[..., None]) -> None:
    add()

    def begin() -> None:
        transaction.atomic(using="added").__enter__()
        use()

    in_request(begin, remove)

    assert slots_of("added").open == 0


@override_settings(MULLET=ONE_WORKER)
def test_one_that_comes_again_is_worker_connection_again(add: Callable[..., None]) -> None:
    for _ in range(3):
        add()
        assert in_request(use, is_worker_connection)[1]
        assert slots_of("added").open == 1
        remove()
        in_request(lambda: None)
        assert slots_of("added").open == 0


def test_every_worker_closes_what_is_removed(add: Callable[..., None]) -> None:
    add()
    with override_settings(MULLET={"CONNECTIONS": 4}):
        assert statuses(*["/slow"] * 4) == [200] * 4
        assert slots_of("added").open == 4

        remove()
        until(lambda: len(pool._idle) == pool.size)
        for worker in pool._idle.copy():
            pool._idle.remove(worker)
            pool._idle.append(worker)  # the next to work
            in_request(lambda: None)
            until(lambda: len(pool._idle) == pool.size)

    assert slots_of("added").open == 0


@pytest.mark.parametrize("unit", ["request", "call"])
def test_between_two_calls_it_is_given_back(add: Callable[..., None], unit: str) -> None:
    add()
    in_use: list[int] = []

    async def main() -> None:
        async with entered({"type": "http", "path": "/"}, unit=unit) as execution:
            for _ in range(2):
                await execution.run(use)
                open_and_used = slots_of("added").open - len(slots_of("added")._idle)
                in_use.append(open_and_used)

    asyncio.run(main())

    assert in_use == ([1, 1] if unit == "request" else [0, 0])


@pytest.mark.parametrize("unit", ["request", "call"])
def test_a_file_of_sqlite_is_closed_between_two_calls(
    add: Callable[..., None], tmp_path: Path, unit: str
) -> None:
    """What a session of SQLite was told cannot be taken back."""
    add(ENGINE="django.db.backends.sqlite3", NAME=str(tmp_path / "file"), OPTIONS={})

    [first, second] = in_request(use, use, unit=unit)

    assert (first is second) is (unit == "request")
    assert slots_of("added").open == int(unit == "request")


def test_a_call_in_a_transaction_keeps_what_was_added_in_it(add: Callable[..., None]) -> None:
    in_request(lambda: None)

    def begin() -> Any:
        add()
        transaction.set_autocommit(False, using="added")
        return use()

    def end() -> Any:
        transaction.rollback(using="added")
        transaction.set_autocommit(True, using="added")
        return connections["added"].connection

    begun, ended, after, ours = in_request(begin, end, use, is_worker_connection, unit="call")

    assert begun is ended
    assert after is not begun
    assert ours


def test_a_client_of_a_test_may_use_it(add: Callable[..., None]) -> None:
    add()

    assert TestClient(app).get("/def").json() is True
