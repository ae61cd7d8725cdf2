from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections, transaction
from django.test import override_settings
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Response
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.testclient import TestClient

from django_mullet import APIRouter, Atomic, atomic
from django_mullet.routing.transaction import atomic_aliases, atomic_request
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])

router = APIRouter()


@router.post("/ok")
def create() -> bool:
    Item.objects.create(name="row")
    return connection.in_atomic_block


@router.post("/async-ok")
async def async_create() -> bool:
    await Item.objects.acreate(name="row")
    return await in_transaction()


async def in_transaction() -> bool:
    from asgiref.sync import sync_to_async

    return await sync_to_async(lambda: connection.in_atomic_block)()


@router.post("/exception")
def create_and_fail() -> None:
    Item.objects.create(name="row")
    raise KeyError


@router.post("/async-exception")
async def async_create_and_fail() -> None:
    await Item.objects.acreate(name="row")
    raise KeyError


@router.post("/http-exception")
def create_and_refuse() -> None:
    Item.objects.create(name="row")
    raise HTTPException(409)


@router.post("/async-http-exception")
async def async_create_and_refuse() -> None:
    await Item.objects.acreate(name="row")
    raise HTTPException(409)


@router.post("/invalid", response_model=int)
def create_and_return_nonsense() -> Any:
    Item.objects.create(name="row")
    return "nonsense"


@router.post("/async-invalid", response_model=int)
async def async_create_and_return_nonsense() -> Any:
    await Item.objects.acreate(name="row")
    return "nonsense"


@router.post("/returned")
def create_and_return_an_error() -> Response:
    Item.objects.create(name="row")
    return PlainTextResponse("no", 409)


@router.post("/async-returned")
async def async_create_and_return_an_error() -> Response:
    await Item.objects.acreate(name="row")
    return PlainTextResponse("no", 409)


@router.post("/dependency")
def create_after_a_dependency(_: Annotated[None, Depends(create)]) -> None:
    raise HTTPException(409)


@router.post("/form")
async def create_with_a_form(tasks: BackgroundTasks) -> None:
    await Item.objects.acreate(name="row")
    tasks.add_task(note_rows)


@router.post("/task")
def create_and_look_later(tasks: BackgroundTasks) -> None:
    Item.objects.create(name="row")
    tasks.add_task(note_rows)


@router.post("/stream")
def create_and_stream() -> StreamingResponse:
    Item.objects.create(name="row")

    def body() -> Iterator[str]:
        note_rows()
        yield "x"

    return StreamingResponse(body())


@router.post("/exempt")
@transaction.non_atomic_requests
def create_without_a_transaction() -> bool:
    Item.objects.create(name="row")
    return connection.in_atomic_block


@router.post("/exempt-other")
@transaction.non_atomic_requests(using="other")
def create_without_a_transaction_on_the_other() -> list[bool]:
    return [connections[alias].in_atomic_block for alias in ("default", "other")]


noted: list[tuple[int, bool]] = []


def note_rows() -> None:
    noted.append((Item.objects.count(), connection.in_atomic_block))


app = FastAPI()
app.include_router(router)
client = TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    noted.clear()


def test_a_request_is_no_transaction_by_default() -> None:
    assert client.post("/ok").json() is False
    assert client.post("/async-ok").json() is False
    assert client.post("/exception").status_code == 500
    assert Item.objects.count() == 3


@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("path", ["/ok", "/async-ok"])
def test_with_atomic_requests_a_request_is_a_transaction(path: str) -> None:
    assert client.post(path).json() is True
    assert Item.objects.count() == 1


@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize(
    ("path", "status"),
    [("exception", 500), ("http-exception", 409), ("invalid", 500)],
)
@pytest.mark.parametrize("prefix", ["/", "/async-"])
def test_with_atomic_requests_an_error_rolls_back(prefix: str, path: str, status: int) -> None:
    assert client.post(prefix + path).status_code == status
    assert not Item.objects.exists()


@pytest.mark.usefixtures("atomic_requests")
def test_with_atomic_requests_dependencies_are_rolled_back_too() -> None:
    assert client.post("/dependency").status_code == 409
    assert not Item.objects.exists()


@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("path", ["/returned", "/async-returned"])
def test_a_returned_error_commits_as_in_django(path: str) -> None:
    assert client.post(path).status_code == 409
    assert Item.objects.count() == 1


@pytest.mark.usefixtures("atomic_requests")
@override_settings(MULLET={"ROLLBACK_ON_ERROR_RESPONSE": True})
@pytest.mark.parametrize("path", ["/returned", "/async-returned"])
def test_a_returned_error_rolls_back_where_the_setting_says_so(path: str) -> None:
    assert client.post(path).status_code == 409
    assert not Item.objects.exists()


@pytest.mark.usefixtures("atomic_requests")
@override_settings(MULLET={"ROLLBACK_ON_ERROR_RESPONSE": True})
@pytest.mark.parametrize("path", ["/ok", "/async-ok"])
def test_a_good_response_commits_all_the_same(path: str) -> None:
    assert client.post(path).status_code == 200
    assert Item.objects.count() == 1


@override_settings(MULLET={"ROLLBACK_ON_ERROR_RESPONSE": True})
def test_where_there_is_no_transaction_nothing_is_rolled_back() -> None:
    assert client.post("/returned").status_code == 409
    assert Item.objects.count() == 1


@pytest.mark.usefixtures("atomic_requests")
def test_an_endpoint_may_be_exempt() -> None:
    assert client.post("/exempt").json() is False
    assert Item.objects.count() == 1


def test_every_database_has_its_own_atomic_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    for alias in ("default", "other"):
        monkeypatch.setitem(connections.settings[alias], "ATOMIC_REQUESTS", True)

    assert client.post("/exempt-other").json() == [True, False]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (create, ["default", "other"]),
        (create_without_a_transaction, ["other"]),
        (create_without_a_transaction_on_the_other, ["default"]),
    ],
)
def test_the_aliases_are_those_with_the_setting_but_for_exemptions(
    monkeypatch: pytest.MonkeyPatch, endpoint: Any, expected: list[str]
) -> None:
    assert atomic_aliases(endpoint) == []

    for alias in ("default", "other"):
        monkeypatch.setitem(connections.settings[alias], "ATOMIC_REQUESTS", True)

    assert atomic_aliases(endpoint) == expected


@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("path", ["/task", "/form", "/stream"])
def test_what_follows_the_response_comes_after_the_commit(path: str) -> None:
    assert client.post(path).status_code == 200
    assert noted == [(1, False)]


@pytest.mark.usefixtures("atomic_requests")
def test_commit_hooks_run_before_the_response_is_sent() -> None:
    order: list[str] = []

    class Noting(Response):
        async def __call__(self, *args: Any) -> None:
            order.append("response")
            await super().__call__(*args)

    router = APIRouter()

    @router.post("/")
    def endpoint() -> Response:
        transaction.on_commit(lambda: order.append("commit"))
        return Noting()

    @router.post("/async")
    async def async_endpoint() -> Response:
        from asgiref.sync import sync_to_async

        await sync_to_async(transaction.on_commit)(lambda: order.append("commit"))
        return Noting()

    app = FastAPI()
    app.include_router(router)

    TestClient(app).post("/")
    TestClient(app).post("/async")

    assert order == ["commit", "response"] * 2


@pytest.mark.usefixtures("atomic_requests")
def test_dependencies_of_function_scope_leave_inside_the_transaction() -> None:
    seen: list[bool] = []

    def dependency() -> Iterator[None]:
        yield
        seen.append(connection.in_atomic_block)

    router = APIRouter()

    @router.get("/")
    def endpoint(
        _: Annotated[None, Depends(dependency, scope="function")],
        __: Annotated[None, Depends(dependency, scope="request", use_cache=False)],
    ) -> None: ...

    @router.get("/async")
    async def async_endpoint(
        _: Annotated[None, Depends(dependency, scope="function")],
        __: Annotated[None, Depends(dependency, scope="request", use_cache=False)],
    ) -> None: ...

    app = FastAPI()
    app.include_router(router)

    TestClient(app).get("/")
    TestClient(app).get("/async")

    assert seen == [True, False] * 2


# Atomic


atomic_router = APIRouter()


@atomic_router.post("/ok")
def atomic_create(_: Atomic) -> bool:
    return create()


@atomic_router.post("/async-ok")
async def atomic_async_create(_: Atomic) -> bool:
    return await async_create()


@atomic_router.post("/exception")
def atomic_exception(_: Atomic) -> None:
    create_and_fail()


@atomic_router.post("/async-exception")
async def atomic_async_exception(_: Atomic) -> None:
    await async_create_and_fail()


@atomic_router.post("/http-exception")
def atomic_http_exception(_: Atomic) -> None:
    create_and_refuse()


@atomic_router.post("/async-http-exception")
async def atomic_async_http_exception(_: Atomic) -> None:
    await async_create_and_refuse()


@atomic_router.post("/invalid", response_model=int)
def atomic_invalid(_: Atomic) -> Any:
    return create_and_return_nonsense()


@atomic_router.post("/async-invalid", response_model=int)
async def atomic_async_invalid(_: Atomic) -> Any:
    return await async_create_and_return_nonsense()


@atomic_router.post("/task", dependencies=[Depends(atomic_request, scope="function")])
def atomic_task(tasks: BackgroundTasks) -> None:
    create_and_look_later(tasks)


atomic_app = FastAPI()
atomic_app.include_router(atomic_router)
atomic_client = TestClient(atomic_app, raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["/ok", "/async-ok"])
def test_an_atomic_route_is_a_transaction(path: str) -> None:
    assert atomic_client.post(path).json() is True
    assert Item.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [("exception", 500), ("http-exception", 409), ("invalid", 500)],
)
@pytest.mark.parametrize("prefix", ["/", "/async-"])
def test_an_error_rolls_an_atomic_route_back(prefix: str, path: str, status: int) -> None:
    assert atomic_client.post(prefix + path).status_code == status
    assert not Item.objects.exists()


def test_an_atomic_route_commits_before_what_follows_the_response() -> None:
    assert atomic_client.post("/task").status_code == 200
    assert noted == [(1, False)]


def test_the_error_of_an_atomic_route_is_that_of_fastapi() -> None:
    with pytest.raises(ResponseValidationError):
        TestClient(atomic_app).post("/invalid")


@pytest.mark.usefixtures("atomic_requests")
def test_an_atomic_route_may_be_within_atomic_requests() -> None:
    assert atomic_client.post("/ok").json() is True
    assert atomic_client.post("/exception").status_code == 500
    assert Item.objects.count() == 1


def test_a_whole_router_may_be_atomic() -> None:
    whole = FastAPI()
    whole.include_router(router, dependencies=[Depends(atomic_request, scope="function")])
    whole_client = TestClient(whole, raise_server_exceptions=False)

    assert whole_client.post("/ok").json() is True
    assert whole_client.post("/http-exception").status_code == 409
    assert Item.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.parametrize("mode", ["setting", "dependency"])
def test_a_commit_that_fails_is_an_error_not_a_success(
    monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    if mode == "setting":
        monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    router = APIRouter()

    @router.post("/")
    def endpoint() -> None:
        Item.objects.create(name="a", code="same")
        Item.objects.create(name="b", code="same")

    app = FastAPI()
    dependencies = [Depends(atomic_request, scope="function")] if mode == "dependency" else []
    app.include_router(router, dependencies=dependencies)

    assert TestClient(app, raise_server_exceptions=False).post("/").status_code == 500
    assert not Item.objects.exists()


# A background task that runs only after the commit


def later(tasks: BackgroundTasks) -> None:
    transaction.on_commit(partial(tasks.add_task, note_rows))


def write_twice(tasks: BackgroundTasks) -> None:
    Item.objects.create(name="row")
    later(tasks)
    with suppress(KeyError), transaction.atomic():
        later(tasks)
        raise KeyError


hooked = APIRouter()


@hooked.post("/def")
def task_on_commit(tasks: BackgroundTasks) -> None:
    write_twice(tasks)


@hooked.post("/def/atomic")
def task_on_atomic_commit(tasks: BackgroundTasks, _: Atomic) -> None:
    write_twice(tasks)


@hooked.post("/async")
async def async_task_on_commit(tasks: BackgroundTasks) -> None:
    await sync_to_async(write_twice)(tasks)


@hooked.post("/async/atomic")
async def async_task_on_atomic_commit(tasks: BackgroundTasks, _: Atomic) -> None:
    await sync_to_async(write_twice)(tasks)


@hooked.post("/async/block")
async def async_task_on_commit_of_a_block(tasks: BackgroundTasks) -> None:
    async with atomic():
        await sync_to_async(write_twice)(tasks)
    with suppress(KeyError):
        async with atomic():
            await sync_to_async(later)(tasks)
            raise KeyError


@pytest.mark.parametrize("atomic_requests", [False, True])
@pytest.mark.parametrize("path", ["/def", "/def/atomic", "/async", "/async/atomic", "/async/block"])
def test_a_background_task_may_wait_for_the_commit(
    monkeypatch: pytest.MonkeyPatch, path: str, atomic_requests: bool
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic_requests)
    app = FastAPI()
    app.include_router(hooked)

    assert TestClient(app).post(path).status_code == 200
    assert noted == [(1, False)]
