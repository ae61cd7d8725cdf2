"""Where an error of the database is caught inside of a transaction, nobody is told of success."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Annotated

import django
import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from django.test import TestCase, TransactionTestCase
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Response, WebSocket
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse
from fastapi.testclient import TestClient

from django_mullet import APIRouter, Atomic, RolledBack, atomic, retry_on_conflict
from tests.testapp.models import Author, Item

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

ADVICE = (
    "The transaction on 'default' was rolled back, and nothing in it is stored: a database error "
    "was caught inside it. Write 'with atomic():' (or 'async with atomic():') around what may "
    "fail, and catch the error outside that block; or call 'transaction.set_rollback(True)' if "
    "nothing is to be stored."
)
attempts: list[str] = []
raised: list[BaseException] = []


@pytest.fixture(autouse=True)
def begin() -> None:
    attempts.clear()
    raised.clear()


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)


def swallow() -> None:
    """Store a row, and catch the error of another that cannot be stored."""
    attempts.append("")
    Author.objects.create(name="Ann")
    with suppress(IntegrityError):
        Author.objects.create(name="Ann")


async def aswallow() -> None:
    await Author.objects.acreate(name="Ann")
    with suppress(IntegrityError):
        await Author.objects.acreate(name="Ann")


def swallow_of_an_inner_block() -> None:
    with suppress(KeyError), transaction.atomic(savepoint=False):
        Item.objects.create(name="row")
        raise KeyError


def swallow_a_query() -> None:
    """Let a query fail of which Django does not know that it may have written something."""
    Author.objects.create(name="Ann")
    with suppress(DatabaseError), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "INSERT OR ROLLBACK INTO testapp_author (id, name) SELECT id, name FROM"
                " testapp_author"
            )
        else:
            cursor.execute("SELECT no_such_column")


def swallow_a_loss() -> None:
    Item.objects.create(name="row")
    connection.close()


def answer(status: int) -> Response:
    if status == 303:
        return RedirectResponse("/", 303)
    return JSONResponse({"status": status}, status)


router = APIRouter()


@router.post("/def")
def swallowing(status: int, _: Atomic) -> Response:
    swallow()
    return answer(status)


@router.post("/async")
async def aswallowing(status: int, _: Atomic) -> Response:
    await aswallow()
    return answer(status)


@router.post("/request")
def swallowing_in_the_request(status: int) -> Response:
    swallow()
    return answer(status)


@router.post("/async/request")
async def aswallowing_in_the_request(status: int) -> Response:
    await aswallow()
    return answer(status)


@router.post("/block")
def swallowing_in_a_block(status: int) -> Response:
    with atomic():
        swallow()
        return answer(status)


@router.post("/async/block")
async def aswallowing_in_a_block(status: int) -> Response:
    async with atomic():
        await aswallow()
        return answer(status)


@router.post("/decorated")
@atomic
def swallowing_decorated(status: int) -> Response:
    swallow()
    return answer(status)


def late_exit() -> Iterator[None]:
    yield


@router.post("/exit")
def swallowing_with_an_exit(
    status: int, _exit: Annotated[None, Depends(late_exit)], _: Atomic
) -> Response:
    swallow()
    return answer(status)


@router.post("/retried")
@retry_on_conflict()
def swallowing_retried(status: int, _: Atomic) -> Response:
    swallow()
    return answer(status)


@router.post("/raises")
def swallowing_and_raising(status: int) -> None:
    with atomic():
        swallow()
    raise HTTPException(status)


app = FastAPI()
app.include_router(router)
with_middleware = APIRouter(
    prefix="/middleware",
    django_middleware=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "tests.django_middleware.function",
    ],
)
with_middleware.include_router(router)
app.include_router(with_middleware)
client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)

PATHS = ["/def", "/async", "/block", "/async/block", "/decorated", "/exit", "/retried"]


@pytest.mark.parametrize("prefix", ["", "/middleware"])
@pytest.mark.parametrize("path", [*PATHS, "/raises"])
@pytest.mark.parametrize("status", [303, 409])
def test_only_an_error_is_answered(prefix: str, path: str, status: int) -> None:
    response = client.post(f"{prefix}{path}?status={status}")

    assert response.status_code == (409 if status == 409 else 500)
    assert not Author.objects.exists()
    assert len(attempts) <= 1


@pytest.mark.parametrize("path", [*PATHS, "/request", "/async/request"])
@pytest.mark.parametrize("prefix", ["", "/middleware"])
@pytest.mark.parametrize("status", [201, 409])
@pytest.mark.usefixtures("atomic_requests")
def test_so_it_is_with_atomic_requests(prefix: str, path: str, status: int) -> None:
    response = client.post(f"{prefix}{path}?status={status}")

    assert response.status_code == (409 if status == 409 else 500)
    assert not Author.objects.exists()


@pytest.mark.parametrize("path", PATHS)
def test_the_error_says_what_to_write_and_what_it_was(path: str) -> None:
    with pytest.raises(RolledBack) as caught:
        TestClient(app).post(f"{path}?status=200")

    assert str(caught.value) == ADVICE
    assert isinstance(caught.value.__cause__, IntegrityError)


def answers(use: Callable[[], object]) -> int:
    """Return the status of a route that does `use` in a transaction and is content."""
    api, routes = FastAPI(), APIRouter()

    @routes.post("/")
    def endpoint(_: Atomic) -> None:
        use()

    api.include_router(routes)
    return TestClient(api, raise_server_exceptions=False).post("/").status_code


@pytest.mark.parametrize(
    "use",
    [
        swallow_of_an_inner_block,
        swallow_a_query,
        pytest.param(swallow_a_loss, marks=pytest.mark.postgres),
    ],
)
@pytest.mark.parametrize("around", [False, True])
def test_whatever_undoes_the_transaction_is_told(
    use: Callable[[], None], around: bool, request: pytest.FixtureRequest
) -> None:
    if around:
        request.getfixturevalue("atomic_requests")

    assert answers(use) == 500
    assert not Author.objects.exists()
    assert not Item.objects.exists()


def test_the_cause_is_no_error_of_a_block_before() -> None:
    def use() -> None:
        with suppress(IntegrityError), atomic(), atomic(savepoint=False):
            store_twice()
        with atomic():
            swallow_a_query()

    with pytest.raises(RolledBack) as caught:
        use()
    assert caught.value.__cause__ is None


def test_a_block_of_its_own_around_what_may_fail_is_no_error() -> None:
    def use() -> None:
        Author.objects.create(name="Ann")
        with suppress(IntegrityError), atomic():
            Author.objects.create(name="Ann")

    assert answers(use) == 200
    assert Author.objects.count() == 1


def test_a_block_that_is_entered_after_it_changes_nothing() -> None:
    def use() -> None:
        swallow()
        with atomic():
            pass

    assert answers(use) == 500


def want_rollback() -> None:
    Item.objects.create(name="row")
    transaction.set_rollback(True)


def want_rollback_after_an_error() -> None:
    swallow()
    transaction.set_rollback(True)


def want_rollback_of_an_inner_block() -> None:
    with atomic(savepoint=False):
        want_rollback()


def want_rollback_of_a_savepoint() -> None:
    with atomic():
        want_rollback()


WANTED = [
    want_rollback,
    want_rollback_after_an_error,
    want_rollback_of_an_inner_block,
    want_rollback_of_a_savepoint,
]


@pytest.mark.parametrize("use", WANTED)
def test_a_rollback_that_somebody_wants_is_no_error(use: Callable[[], None]) -> None:
    assert answers(use) == 200
    assert not Author.objects.exists()
    assert not Item.objects.exists()


@pytest.mark.parametrize("use", WANTED)
def test_nor_is_it_outside_of_a_request(use: Callable[[], None]) -> None:
    with atomic():
        use()

    assert not Author.objects.exists()
    assert not Item.objects.exists()


def test_what_is_wanted_of_a_savepoint_excuses_no_error_around_it() -> None:
    def use() -> None:
        with transaction.atomic():
            want_rollback()
        swallow()

    assert answers(use) == 500


def test_an_unwanted_rollback_that_is_taken_back_is_no_error() -> None:
    def use() -> None:
        Item.objects.create(name="row")
        transaction.set_rollback(True)
        transaction.set_rollback(False)

    assert answers(use) == 200
    assert Item.objects.count() == 1


def test_a_block_outside_of_a_request_raises() -> None:
    with pytest.raises(RolledBack) as caught, atomic():
        swallow()

    assert str(caught.value) == ADVICE
    assert not Author.objects.exists()


def test_without_autocommit_too() -> None:
    transaction.set_autocommit(False)
    try:
        with pytest.raises(RolledBack), atomic():
            swallow()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


late = APIRouter()


@late.post("/task")
def answer_before_a_task(tasks: BackgroundTasks) -> None:
    def task() -> None:
        try:
            with atomic():
                swallow()
        except RolledBack as error:
            raised.append(error)

    tasks.add_task(task)


@late.post("/stream")
def answer_by_a_stream() -> StreamingResponse:
    def body() -> Iterator[str]:
        try:
            with atomic():
                swallow()
        except RolledBack as error:
            raised.append(error)
        yield "x"

    return StreamingResponse(body())


@late.websocket("/socket")
async def answer_by_a_socket(socket: WebSocket) -> None:
    await socket.accept()
    try:
        async with atomic():
            await aswallow()
    except RolledBack as error:
        raised.append(error)
    await socket.close()


app.include_router(late)


def test_where_no_answer_is_awaited_the_block_raises() -> None:
    assert client.post("/task").status_code == 200
    assert client.post("/stream").status_code == 200
    with client.websocket_connect("/socket") as socket:
        socket.receive()

    assert [str(error) for error in raised] == [ADVICE] * 3
    assert not Author.objects.exists()


@pytest.mark.skipif(django.VERSION < (6, 0), reason="django.tasks")
def test_a_failed_task_of_the_immediate_backend_undoes_what_is_around_it() -> None:
    from django.tasks import task

    def use() -> None:
        Item.objects.create(name="row")
        task(store_twice).enqueue()

    assert answers(use) == 500
    assert not Item.objects.exists()


def store_twice() -> None:
    for _ in range(2):
        Author.objects.create(name="Ann")


class InTestCase(TestCase):
    """Where a test holds a transaction, on which requests are savepoints."""

    databases = {"default", "other"}

    def test_it_is_the_same(self) -> None:
        for path in PATHS:
            with self.subTest(path):
                assert client.post(f"{path}?status=201").status_code == 500
                assert client.post(f"{path}?status=409").status_code == 409
        assert not Author.objects.exists()

    def test_a_rollback_that_somebody_wants_is_no_error(self) -> None:
        for use in WANTED:
            assert answers(use) == 200
        assert not Item.objects.exists()

    def test_a_failed_query_is_told(self) -> None:
        if connection.vendor == "postgresql":
            assert answers(swallow_a_query) == 500
            assert not Author.objects.exists()


class WithoutATransaction(TransactionTestCase):
    async def test_a_block_of_an_async_test_raises(self) -> None:
        with pytest.raises(RolledBack):
            async with atomic():
                await sync_to_async(swallow)()
