"""Does a request run again, all of it, when its transaction met another?"""

import asyncio
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections, transaction
from django.db.models import F, Sum
from fastapi import (
    BackgroundTasks,
    Body,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    Response,
    UploadFile,
)
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from django_mullet import (
    APIRouter,
    Atomic,
    atomic,
    install_exception_handlers,
    is_conflict,
    retry_on_conflict,
)
from django_mullet.error_handling.retries import retries_of
from tests.fastapi_features import needs_body_limits
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)

attempts: Counter[str] = Counter()
noted: list[str] = []
CONFLICT = {"detail": "Another request changed the same data at the same time. Try again."}


class Meeting:
    """Where two requests wait for each other, in their first attempts."""

    def __init__(self) -> None:
        self.of_threads = threading.Barrier(2, timeout=20)
        self.of_tasks = asyncio.Barrier(2)

    def wait(self, name: str) -> None:
        if attempts[name] == 1:
            self.of_threads.wait()

    async def await_(self, name: str) -> None:
        if attempts[name] == 1:
            async with asyncio.timeout(20):
                await self.of_tasks.wait()


meeting = Meeting()


@pytest.fixture(autouse=True)
def begin() -> None:
    global meeting
    meeting = Meeting()
    attempts.clear()
    noted.clear()


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)


def serializable() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")


def total() -> int:
    return Item.objects.aggregate(total=Sum("n", default=0))["total"]


def add(name: str) -> int:
    """Store the sum of all rows, and one more: of two at once, one must come after the other."""
    attempts[name] += 1
    serializable()
    found = total()
    meeting.wait(name)
    return Item.objects.create(name=name, n=found + 1).n


async def aadd(name: str) -> int:
    attempts[name] += 1
    await sync_to_async(serializable)()
    found = await sync_to_async(total)()
    await meeting.await_(name)
    return (await Item.objects.acreate(name=name, n=found + 1)).n


def of_request(name: str) -> Iterator[None]:
    noted.append(f"enter {name}")
    try:
        yield
    except OperationalError:
        noted.append(f"fail {name}")
        raise
    noted.append(f"leave {name}")


async def aof_request(name: str) -> AsyncIterator[None]:
    noted.append(f"enter {name}")
    try:
        yield
    except OperationalError:
        noted.append(f"fail {name}")
        raise
    noted.append(f"leave {name}")


Noted = Annotated[None, Depends(of_request)]
NotedAsync = Annotated[None, Depends(aof_request)]

router = APIRouter()


@router.post("/def")
@retry_on_conflict(times=3)
def adding(name: str, _: Atomic) -> int:
    return add(name)


@router.post("/async")
@retry_on_conflict(times=3)
async def aadding(name: str, _: Atomic) -> int:
    return await aadd(name)


@router.post("/def/block")
@retry_on_conflict()
def adding_in_a_block(name: str) -> int:
    with transaction.atomic():
        return add(name)


@router.post("/async/block")
@retry_on_conflict()
async def aadding_in_a_block(name: str) -> int:
    async with atomic():
        return await aadd(name)


@router.post("/def/request")
@retry_on_conflict()
def adding_in_a_request(name: str) -> int:
    return add(name)


@router.post("/async/request")
@retry_on_conflict()
async def aadding_in_a_request(name: str) -> int:
    return await aadd(name)


@router.post("/def/noted")
@retry_on_conflict()
def adding_noted(name: str, _noted: Noted, _: Atomic) -> int:
    return add(name)


@router.post("/async/noted")
@retry_on_conflict()
async def aadding_noted(name: str, _noted: Noted, _: Atomic) -> int:
    return await aadd(name)


@router.post("/def/noted/async")
@retry_on_conflict()
def adding_noted_async(name: str, _noted: NotedAsync, _: Atomic) -> int:
    return add(name)


@router.post("/async/noted/async")
@retry_on_conflict()
async def aadding_noted_async(name: str, _noted: NotedAsync, _: Atomic) -> int:
    return await aadd(name)


def fail_for(times: int) -> None:
    """Meet a conflict, unless that has happened `times` times."""
    attempts["any"] += 1
    if attempts["any"] > times:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE 'no' USING ERRCODE = 'serialization_failure'; END $$")
    else:
        lock_twice()


def lock_twice() -> None:
    """Have SQLite say that a database is locked."""
    with TemporaryDirectory() as directory:
        file = Path(directory) / "db.sqlite3"
        with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(file)) as two:
            one.execute("BEGIN IMMEDIATE")
            two.execute("PRAGMA busy_timeout = 0")
            try:
                two.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise OperationalError(*error.args) from error  # as Django does on SQLite


@router.post("/failing")
@retry_on_conflict(times=2)
def failing(times: int, tasks: BackgroundTasks, response: Response, _: Atomic) -> int:
    Item.objects.create(name="row")
    tasks.add_task(noted.append, "task")
    transaction.on_commit(lambda: noted.append("commit"))
    response.headers.append("x-attempt", str(attempts["any"]))
    fail_for(times)
    return attempts["any"]


@router.post("/failing/async")
@retry_on_conflict(times=2)
async def afailing(times: int, tasks: BackgroundTasks, response: Response, _: Atomic) -> int:
    await Item.objects.acreate(name="row")
    tasks.add_task(noted.append, "task")
    await sync_to_async(transaction.on_commit)(lambda: noted.append("commit"))
    response.headers.append("x-attempt", str(attempts["any"]))
    await sync_to_async(fail_for)(times)
    return attempts["any"]


@router.post("/failing/otherwise")
@retry_on_conflict()
def failing_otherwise(_: Atomic) -> None:
    attempts["any"] += 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere")


@router.post("/failing/away")
@retry_on_conflict()
def failing_away(_: Atomic) -> None:
    attempts["any"] += 1
    raise OperationalError("?")


@router.post("/failing/answered")
@retry_on_conflict()
def failing_answered(_: Atomic) -> None:
    attempts["any"] += 1
    raise HTTPException(409, "Mine.")


@router.post("/json")
@retry_on_conflict()
def empty_json(body: Annotated[Any, Body()]) -> list[int]:
    found: list[int] = list(body["numbers"])
    body["numbers"].clear()
    fail_for(1)
    return found


@router.post("/file")
@retry_on_conflict()
def read_file(file: UploadFile) -> int:
    size = len(file.file.read())
    file.file.close()
    fail_for(1)
    return size


@router.post("/file/async")
@retry_on_conflict()
async def aread_file(file: UploadFile) -> int:
    size = len(await file.read())
    await file.close()
    await sync_to_async(fail_for)(1)
    return size


@router.post("/body")
@retry_on_conflict()
async def aread_body(request: Request) -> int:
    size = sum([len(chunk) async for chunk in request.stream()])
    await sync_to_async(fail_for)(1)
    return size


@router.post("/stream")
@retry_on_conflict()
def stream() -> StreamingResponse:
    fail_for(1)
    return StreamingResponse(iter(["a", "b"]))


@router.post("/def/once")
def adding_once(name: str, _: Atomic) -> int:
    return add(name)


@router.post("/async/once")
async def aadding_once(name: str, _: Atomic) -> int:
    return await aadd(name)


@retry_on_conflict()
@router.post("/def/above")
def adding_marked_above(name: str, _: Atomic) -> int:
    return add(name)


@router.post("/deadlock")
@retry_on_conflict()
def increase_both(name: str, other: str, _: Atomic) -> None:
    attempts[name] += 1
    Item.objects.filter(name=name).update(n=F("n") + 1)
    meeting.wait(name)
    Item.objects.filter(name=other).update(n=F("n") + 1)


@router.post("/deadlock/async")
@retry_on_conflict()
async def aincrease_both(name: str, other: str, _: Atomic) -> None:
    attempts[name] += 1
    await Item.objects.filter(name=name).aupdate(n=F("n") + 1)
    await meeting.await_(name)
    await Item.objects.filter(name=other).aupdate(n=F("n") + 1)


@router.post("/deadlock/once/async")
async def aincrease_both_once(name: str, other: str, _: Atomic) -> None:
    await aincrease_both(name, other, None)


around = APIRouter(
    django_middleware=["tests.django_middleware.function", "tests.django_middleware.Phases"]
)
around.include_router(router, prefix="/around")

app = FastAPI()
app.include_router(router)
app.include_router(around)
install_exception_handlers(app)


async def post_two(path: str, names: list[dict[str, str]]) -> list[httpx.Response]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        posts = [client.post(path, params=params) for params in names]
        return list(await asyncio.gather(*posts))


def post_a_and_b(path: str) -> list[httpx.Response]:
    return asyncio.run(post_two(path, [{"name": "a"}, {"name": "b"}]))


def assert_one_after_the_other(answers: list[httpx.Response]) -> None:
    assert [answer.status_code for answer in answers] == [200, 200]
    assert sorted(answer.json() for answer in answers) == [1, 2]
    assert sorted(attempts.values()) == [1, 2]
    assert sorted(Item.objects.values_list("n", flat=True)) == [1, 2]


@pytest.mark.postgres
@pytest.mark.parametrize("prefix", ["", "/around"])
@pytest.mark.parametrize(
    "path", ["/def", "/async", "/def/block", "/async/block", "/def/above", "/def/noted"]
)
def test_of_two_that_cannot_both_come_first_one_runs_again(prefix: str, path: str) -> None:
    answers = post_a_and_b(prefix + path)

    assert_one_after_the_other(answers)


@pytest.mark.postgres
@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("prefix", ["", "/around"])
@pytest.mark.parametrize("path", ["/def/request", "/async/request"])
def test_so_it_is_where_the_whole_request_is_a_transaction(prefix: str, path: str) -> None:
    answers = post_a_and_b(prefix + path)

    assert_one_after_the_other(answers)


@pytest.mark.postgres
@pytest.mark.parametrize("prefix", ["", "/around"])
@pytest.mark.parametrize(
    "path", ["/def/noted", "/async/noted", "/def/noted/async", "/async/noted/async"]
)
def test_dependencies_leave_and_are_entered_anew(prefix: str, path: str) -> None:
    answers = post_a_and_b(prefix + path)

    assert_one_after_the_other(answers)
    again = next(name for name, number in attempts.items() if number == 2)
    once = next(name for name, number in attempts.items() if number == 1)
    mine = [line for line in noted if line.endswith(f" {again}")]
    assert mine == [f"enter {again}", f"fail {again}", f"enter {again}", f"leave {again}"]
    assert [line for line in noted if line.endswith(f" {once}")] == [
        f"enter {once}",
        f"leave {once}",
    ]


@pytest.mark.postgres
@pytest.mark.parametrize("path", ["/deadlock", "/deadlock/async"])
def test_of_two_in_a_deadlock_one_runs_again(path: str) -> None:
    Item.objects.bulk_create([Item(name="a"), Item(name="b")])

    answers = asyncio.run(
        post_two(path, [{"name": "a", "other": "b"}, {"name": "b", "other": "a"}])
    )

    assert [answer.status_code for answer in answers] == [200, 200]
    assert sorted(attempts.values()) == [1, 2]
    assert sorted(Item.objects.values_list("n", flat=True)) == [2, 2]


@pytest.mark.postgres
@pytest.mark.parametrize("path", ["/def/once", "/async/once", "/around/def/once"])
def test_without_the_mark_one_of_the_two_is_a_409(path: str) -> None:
    answers = post_a_and_b(path)

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [answer.json() for answer in answers if answer.status_code == 409] == [CONFLICT]
    assert sorted(attempts.values()) == [1, 1]
    assert Item.objects.count() == 1


@pytest.mark.postgres
def test_a_deadlock_is_no_database_that_is_away() -> None:
    Item.objects.bulk_create([Item(name="a"), Item(name="b")])

    answers = asyncio.run(
        post_two("/deadlock/once/async", [{"name": "a", "other": "b"}, {"name": "b", "other": "a"}])
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert sorted(Item.objects.values_list("n", flat=True)) == [1, 1]


def post(path: str, **kwargs: Any) -> httpx.Response:
    return TestClient(app, raise_server_exceptions=False).post(path, **kwargs)


FAILING = pytest.mark.parametrize(
    "path", ["/failing", "/failing/async", "/around/failing", "/around/failing/async"]
)


@FAILING
@pytest.mark.parametrize("times", [0, 1, 2])
def test_what_succeeds_in_the_end_has_happened_once(path: str, times: int) -> None:
    answer = post(path, params={"times": times})

    assert (answer.status_code, answer.json()) == (200, times + 1)
    assert answer.headers["x-attempt"] == str(times)
    assert noted[-2:] in (["commit", "task"], ["after worker", "task"])
    assert (noted.count("commit"), noted.count("task")) == (1, 1)
    assert Item.objects.count() == 1


@FAILING
def test_what_never_succeeds_is_a_409(path: str, caplog: pytest.LogCaptureFixture) -> None:
    answer = post(path, params={"times": 9})

    assert (answer.status_code, answer.json()) == (409, CONFLICT)
    assert attempts["any"] == 3
    assert {"commit", "task"} & set(noted) == set()
    assert not Item.objects.exists()
    logged = [record.getMessage() for record in caplog.records if "onflict" in record.getMessage()]
    assert [line.partition(": ")[0] for line in logged] == [
        "Conflict, trying again (1 of 2)",
        "Conflict, trying again (2 of 2)",
        "Conflict",
    ]


@pytest.mark.parametrize("path", ["/failing/otherwise", "/failing/away"])
def test_another_error_is_a_bug_and_does_not_run_again(path: str) -> None:
    answer = post(path)

    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert attempts["any"] == 1


def test_what_the_endpoint_answers_itself_does_not_run_again() -> None:
    answer = post("/failing/answered")

    assert (answer.status_code, answer.json()) == (409, {"detail": "Mine."})
    assert attempts["any"] == 1


@pytest.mark.parametrize("prefix", ["", "/around"])
def test_every_attempt_has_the_body_as_it_was_sent(prefix: str) -> None:
    answer = post(f"{prefix}/json", json={"numbers": [1, 2]})

    assert (answer.status_code, answer.json()) == (200, [1, 2])
    assert attempts["any"] == 2


@pytest.mark.parametrize("prefix", ["", "/around"])
@pytest.mark.parametrize("path", ["/file", "/file/async"])
@pytest.mark.parametrize("size", [10, 2**21])
def test_every_attempt_has_the_files(prefix: str, path: str, size: int) -> None:
    answer = post(prefix + path, files={"file": b"x" * size})

    assert (answer.status_code, answer.json()) == (200, size)
    assert attempts["any"] == 2


@pytest.mark.parametrize("prefix", ["", "/around"])
def test_every_attempt_may_read_the_body_itself(prefix: str) -> None:
    answer = post(f"{prefix}/body", content=b"x" * 100)

    assert (answer.status_code, answer.json()) == (200, 100)
    assert attempts["any"] == 2


def test_a_stream_begins_when_nothing_can_run_again() -> None:
    answer = post("/stream")

    assert (answer.status_code, answer.text) == (200, "ab")
    assert attempts["any"] == 2


@needs_body_limits
@pytest.mark.parametrize("path", ["/json", "/file", "/body"])
def test_a_body_that_is_too_large_is_refused(path: str) -> None:
    small = FastAPI(max_body_size=100)
    small.include_router(router)
    client = TestClient(small, raise_server_exceptions=False)
    content: Any = {"files": {"file": b"x" * 200}} if path == "/file" else {"json": "x" * 200}

    answer = client.post(path, **content)

    assert answer.status_code == 413
    assert attempts["any"] == 0


def test_overrides_run_again_too() -> None:
    changed = FastAPI()
    changed.include_router(router)
    changed.dependency_overrides[of_request] = aof_request
    install_exception_handlers(changed)

    answer = TestClient(changed).post("/failing", params={"times": 1})

    assert (answer.status_code, answer.json()) == (200, 2)
    assert Item.objects.count() == 1


@pytest.mark.parametrize("times", ["3", True, 2.0, failing])
def test_times_is_a_number(times: Any) -> None:
    with pytest.raises(TypeError) as caught:
        retry_on_conflict(times)

    assert str(caught.value) == (
        f"'times' must be a number, not {times!r}: write '@retry_on_conflict(times=3)'."
    )


def test_times_is_above_0() -> None:
    with pytest.raises(ValueError, match="'times' must be at least 1, not 0: ") as caught:
        retry_on_conflict(times=0)

    assert str(caught.value) == (
        "'times' must be at least 1, not 0: leave '@retry_on_conflict' out where a request must "
        "not run again."
    )


def test_an_endpoint_stays_what_it_is() -> None:
    def endpoint() -> None: ...

    assert retry_on_conflict(times=5)(endpoint) is endpoint
    assert retries_of(endpoint) == 5
    assert retries_of(adding) == 3
    assert retries_of(adding_once) == 0


def test_a_locked_database_is_a_conflict_and_a_missing_table_is_none() -> None:
    with pytest.raises(OperationalError) as locked:
        lock_twice()

    assert is_conflict(locked.value)
    assert not is_conflict(OperationalError("database is locked"))
