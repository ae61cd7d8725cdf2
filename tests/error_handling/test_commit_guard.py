"""Nothing that has committed runs again, nor does an answer ask for it."""

from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from fastapi import FastAPI, HTTPException
from fastapi.responses import Response
from fastapi.testclient import TestClient
from pydantic import BaseModel

from django_mullet import (
    AlreadyCommitted,
    APIRouter,
    Atomic,
    ConnectionLimitReached,
    Overloaded,
    RolledBack,
    atomic,
    retry_on_conflict,
)
from django_mullet.error_handling import handlers
from django_mullet.error_handling.commit_guard import guard_commit, require_ended
from django_mullet.execution.execution import Execution
from django_mullet.execution.outcomes import Outcome, current_outcome
from tests.error_handling.test_retries import lock_twice
from tests.executing import execute
from tests.testapp.models import Author, Item
from tests.worker_threads import Thread

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

attempts: list[str] = []


@pytest.fixture(autouse=True)
def begin() -> None:
    attempts.clear()


def conflict() -> None:
    """Meet another transaction."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE 'no' USING ERRCODE = 'serialization_failure'; END $$")
    else:
        lock_twice()


def conflict_on_commit(_: Atomic) -> None:
    attempts.append("")
    transaction.on_commit(conflict)
    Item.objects.create(name="row")


def http_error_on_commit(_: Atomic) -> None:
    attempts.append("")
    transaction.on_commit(partial(refuse, HTTPException(409)))
    Item.objects.create(name="row")


def refuse(error: Exception) -> None:
    raise error


def create_authors(names: list[str]) -> None:
    Author.objects.bulk_create(Author(name=name) for name in names)


def validation_error_on_commit() -> None:
    attempts.append("")
    with transaction.atomic():
        transaction.on_commit(partial(refuse, ValidationError("no")))
        Item.objects.create(name="row")


class Named(BaseModel):
    """A body with a field that a constraint is about."""

    name: str


def same_name_on_commit(named: Named, _: Atomic) -> None:
    attempts.append("")
    transaction.on_commit(partial(create_authors, [named.name, named.name]))
    Item.objects.create(name="row")


async def conflict_on_async_commit() -> None:
    attempts.append("")
    async with atomic():
        await sync_to_async(transaction.on_commit)(conflict)
        await Item.objects.acreate(name="row")


def conflict_after_a_row_of_its_own() -> None:
    attempts.append("")
    Item.objects.create(name="row")
    with atomic():
        conflict()


async def aconflict_after_a_row_of_its_own() -> None:
    attempts.append("")
    await Item.objects.acreate(name="row")
    async with atomic():
        await sync_to_async(conflict)()


def conflict_after_an_update() -> None:
    attempts.append("")
    Item.objects.bulk_create([Item(name="row")])
    Item.objects.update(n=1)
    conflict()


def conflict_after_some_of_many() -> None:
    attempts.append("")
    names = [["row"], ["same"], ["same"]]
    with suppress(IntegrityError), connection.cursor() as cursor:
        Item.objects.create(name="row")
        cursor.executemany("INSERT INTO testapp_author (name) VALUES (%s)", names)
    conflict()


def conflict_of_the_second_database() -> None:
    attempts.append("")
    with atomic("other"):
        Item.objects.using("other").create(name="other")
        with atomic():
            Item.objects.create(name="row")
        conflict()


def conflict_after_a_commit_by_hand() -> None:
    attempts.append("")
    transaction.set_autocommit(False)
    try:
        Item.objects.create(name="row")
        transaction.commit()
        conflict()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


def conflict_after_a_copy() -> None:
    attempts.append("")
    with connection.cursor() as cursor:
        with cursor.copy("COPY testapp_item (name, n) FROM STDIN") as copy:
            copy.write_row(("row", 0))
        conflict()


def conflict_after_a_copy_in_a_block() -> None:
    attempts.append("")
    with (
        transaction.atomic(),
        connection.cursor() as cursor,
        cursor.copy("COPY testapp_item (name, n) FROM STDIN") as copy,
    ):
        copy.write_row(("row", 0))
    conflict()


def conflict_after_several_at_once() -> None:
    attempts.append("")
    with connection.cursor() as cursor:
        cursor.execute(
            "SET lock_timeout = '2s'; INSERT INTO testapp_item (name, n) VALUES ('row', 0)"
        )
    conflict()


def conflict_after_a_script() -> None:
    attempts.append("")
    with connection.cursor() as cursor:
        cursor.executescript("INSERT INTO testapp_item (name, n) VALUES ('row', 0)")
    conflict()


STORE_ROW = """
CREATE OR REPLACE FUNCTION store_row() RETURNS bigint LANGUAGE SQL AS
$$ INSERT INTO testapp_item (name, n) VALUES ('row', 0) RETURNING id $$
"""


@pytest.fixture
def stores_a_row() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(STORE_ROW)


def conflict_after_a_call() -> None:
    attempts.append("")
    with connection.cursor() as cursor:
        cursor.callproc("store_row")
    conflict()


router = APIRouter()


@router.post("/read")
@retry_on_conflict()
def conflict_after_what_only_reads() -> int:
    attempts.append("")
    with transaction.atomic():
        Item.objects.count()
    with suppress(KeyError), transaction.atomic():
        Author.objects.create(name="lost")
        raise KeyError
    Item.objects.exists()
    with transaction.atomic():
        Item.objects.create(name="row")
        if len(attempts) == 1:
            conflict()
    return len(attempts)


CONFLICTING = [
    http_error_on_commit,
    validation_error_on_commit,
    same_name_on_commit,
    conflict_on_commit,
    conflict_on_async_commit,
    conflict_after_a_row_of_its_own,
    aconflict_after_a_row_of_its_own,
    conflict_after_an_update,
    conflict_after_some_of_many,
    conflict_of_the_second_database,
    conflict_after_a_commit_by_hand,
]
BY_ANOTHER_WAY = [
    pytest.param(conflict_after_a_copy, marks=pytest.mark.postgres),
    pytest.param(conflict_after_a_copy_in_a_block, marks=pytest.mark.postgres),
    pytest.param(conflict_after_several_at_once, marks=pytest.mark.postgres),
    pytest.param(conflict_after_a_call, marks=pytest.mark.postgres),
    pytest.param(
        conflict_after_a_script,
        marks=pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own"),
    ),
]
for each in [*CONFLICTING, *(param.values[0] for param in BY_ANOTHER_WAY)]:
    router.post(f"/{each.__name__}")(each)
    router.post(f"/{each.__name__}/again")(retry_on_conflict()(partial(each)))

app = FastAPI()
app.include_router(router)
with_middleware = APIRouter(
    prefix="/middleware", django_middleware=["tests.django_middleware.function"]
)
with_middleware.include_router(router)
app.include_router(with_middleware)
handlers.install_exception_handlers(app)
client = TestClient(app, raise_server_exceptions=False)


@pytest.mark.usefixtures("stores_a_row")
@pytest.mark.parametrize("endpoint", [*CONFLICTING, *BY_ANOTHER_WAY])
@pytest.mark.parametrize("again", ["", "/again"])
@pytest.mark.parametrize("prefix", ["", "/middleware"])
def test_what_has_committed_is_not_repeated(
    endpoint: Callable[..., object], again: str, prefix: str
) -> None:
    response = client.post(f"{prefix}/{endpoint.__name__}{again}", json={"name": "row"})

    assert response.status_code == 500
    assert "retry-after" not in response.headers
    assert len(attempts) == 1
    assert Item.objects.count() == 1


def test_the_error_names_the_route_and_says_what_to_do() -> None:
    with pytest.raises(AlreadyCommitted) as caught:
        TestClient(app).post("/conflict_on_commit")

    message = str(caught.value)
    assert message.startswith(
        "'POST /conflict_on_commit' of "
        "'tests.error_handling.test_commit_guard.conflict_on_commit' failed after it had "
        "committed, so it must not be sent again: "
    )
    assert message.endswith(
        " Move what may fail like this into the transaction, and what the response does not need "
        "into 'transaction.on_commit(function, robust=True)'."
    )
    assert isinstance(caught.value.__cause__, OperationalError)


@pytest.mark.parametrize("prefix", ["", "/middleware"])
def test_what_has_only_read_or_was_rolled_back_is_repeated(prefix: str) -> None:
    response = client.post(f"{prefix}/read")

    assert (response.status_code, response.json()) == (200, 2)
    assert Item.objects.count() == 1
    assert not Author.objects.exists()


@pytest.mark.parametrize("error", [Overloaded("full"), ConnectionLimitReached("all in use")])
def test_a_full_queue_after_something_is_stored_is_no_503(error: Exception) -> None:
    api, routes = FastAPI(), APIRouter()

    @routes.get("/")
    async def read() -> None:
        raise error

    @routes.post("/")
    async def endpoint() -> None:
        await Item.objects.acreate(name="row")
        raise error

    api.include_router(routes)
    asking = TestClient(api, raise_server_exceptions=False)
    busy, response = asking.get("/"), asking.post("/")

    assert (busy.status_code, busy.json()) == (503, {"detail": "The server is busy."})
    assert busy.headers["retry-after"] == "5"
    assert response.status_code == 500
    assert "retry-after" not in response.headers


def test_commits_outside_of_a_request_are_nobody_s() -> None:
    assert current_outcome() is None
    assert not Outcome().has_committed


def test_what_fails_after_one_there_is_raised(thread: Callable[[], Thread]) -> None:
    def store() -> None:
        with transaction.atomic():
            transaction.on_commit(partial(refuse, KeyError("later")))
            Item.objects.create(name="row")

    with pytest.raises(KeyError, match="later"):
        thread().run(store)

    assert Item.objects.count() == 1


@pytest.mark.parametrize(("status_code", "is_error"), [(399, True), (400, False)])
def test_only_an_answer_of_success_must_be_stored(status_code: int, is_error: bool) -> None:
    async def respond(execution: Execution) -> Response:
        execution.outcome.rolled_back = RolledBack("it was")
        return Response(status_code=status_code)

    async def use(execution: Execution) -> Response:
        return await guard_commit(execution, partial(respond, execution))

    if is_error:
        with pytest.raises(RolledBack, match="it was"):
            execute(use)
    else:
        assert execute(use).status_code == status_code


@pytest.mark.parametrize(("status_code", "is_error"), [(399, True), (400, False)])
def test_only_after_success_must_a_transaction_be_ended(status_code: int, is_error: bool) -> None:
    async def use(execution: Execution) -> None:
        execution.abandoned.append("default")
        with pytest.raises(RolledBack) if is_error else nullcontext():
            require_ended(execution, Response(status_code=status_code))

    execute(use, scope={"type": "http", "method": "GET", "path": "/"})
