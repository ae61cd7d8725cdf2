"""A transaction that nobody has ended when the request is finished is an error."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Response
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from django_mullet import APIRouter, Atomic, RolledBack
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)

ENTRY = "Transaction left open, and rolled back, on default: 'POST {path}' of '{endpoint}'"


def left_open() -> None:
    """Begin a transaction as a container of dependencies does that forgets its exit."""
    transaction.atomic().__enter__()


router = APIRouter()


@router.post("/def")
def leave_open(status: int) -> Response:
    left_open()
    Item.objects.create(name="row")
    return JSONResponse({}, status)


@router.post("/async")
async def aleave_open(status: int) -> Response:
    await sync_to_async(left_open)()
    await Item.objects.acreate(name="row")
    return JSONResponse({}, status)


@router.post("/dependency")
def leave_open_in_a_dependency(status: int, _: Annotated[None, Depends(left_open)]) -> Response:
    Item.objects.create(name="row")
    return JSONResponse({}, status)


@router.post("/manual")
def leave_autocommit_off(status: int) -> Response:
    transaction.set_autocommit(False)
    Item.objects.create(name="row")
    return JSONResponse({}, status)


@router.post("/manual/async")
async def aleave_autocommit_off(status: int) -> Response:
    await sync_to_async(transaction.set_autocommit)(False)
    await Item.objects.acreate(name="row")
    return JSONResponse({}, status)


@router.post("/manual/rolled-back")
async def roll_back_by_hand() -> None:
    await sync_to_async(transaction.set_autocommit)(False)
    await Item.objects.acreate(name="row")
    await sync_to_async(transaction.rollback)()


@router.post("/manual/committed")
def commit_by_hand() -> None:
    transaction.set_autocommit(False)
    Item.objects.create(name="row")
    transaction.commit()


@router.post("/task")
def leave_open_in_a_task(tasks: BackgroundTasks) -> None:
    def task() -> None:
        left_open()
        Item.objects.create(name="row")

    tasks.add_task(task)


@router.post("/raises")
def leave_open_and_raise() -> None:
    left_open()
    Item.objects.create(name="row")
    raise KeyError


app = FastAPI()
app.include_router(router)
client = TestClient(app, raise_server_exceptions=False)

LEFT = {
    "/def": leave_open,
    "/async": aleave_open,
    "/dependency": leave_open_in_a_dependency,
    "/manual": leave_autocommit_off,
    "/manual/async": aleave_autocommit_off,
}


def left(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each for each in caplog.messages if each.startswith("Transaction left open")]


@pytest.mark.parametrize(("path", "endpoint"), LEFT.items())
@pytest.mark.parametrize("status", [201, 303, 404])
def test_it_is_logged_and_no_success_is_answered(
    path: str, endpoint: Callable[..., Any], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    response = client.post(f"{path}?status={status}", follow_redirects=False)

    assert response.status_code == (404 if status == 404 else 500)
    name = f"{__name__}.{endpoint.__name__}"
    assert left(caplog) == [ENTRY.format(path=path, endpoint=name)]
    assert not Item.objects.exists()


def test_the_error_names_the_route_and_says_what_to_write() -> None:
    with pytest.raises(RolledBack) as caught:
        TestClient(app).post("/def?status=200")

    assert str(caught.value) == (
        "'POST /def' of 'tests.routing.test_left_open.leave_open' left a transaction open: it "
        "was rolled back, and nothing is stored. Write 'with atomic():' around the queries that "
        "belong together."
    )


@pytest.mark.parametrize("path", ["/task", "/raises"])
def test_after_the_answer_it_is_logged(path: str, caplog: pytest.LogCaptureFixture) -> None:
    response = client.post(path)

    assert response.status_code == (500 if path == "/raises" else 200)
    assert len(left(caplog)) == 1
    assert not Item.objects.exists()


@pytest.mark.parametrize(("path", "rows"), [("/manual/rolled-back", 0), ("/manual/committed", 1)])
def test_what_was_ended_by_hand_is_no_error(
    path: str, rows: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.post(path).status_code == 200
    assert Item.objects.count() == rows
    assert left(caplog) == []


def late() -> Iterator[None]:
    with transaction.atomic():
        yield


def test_one_that_ends_after_the_answer_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    api, routes = FastAPI(), APIRouter()

    @routes.post("/")
    def endpoint(_: Annotated[None, Depends(late)]) -> None:
        Item.objects.create(name="row")

    api.include_router(routes)
    assert TestClient(api).post("/").status_code == 200
    assert Item.objects.count() == 1
    assert left(caplog) == []


def in_worker(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate an endpoint as the hint of `mullet.W008` says."""

    @wraps(function)
    async def decorated(*args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(function)(*args, **kwargs)

    return decorated


def test_a_decorator_that_awaits_stays_in_the_transaction_by_sync_to_async() -> None:
    api, routes = FastAPI(), APIRouter()

    @routes.post("/")
    @in_worker
    def endpoint(_: Atomic) -> None:
        Item.objects.create(name="row")
        raise HTTPException(409)

    api.include_router(routes)
    assert TestClient(api).post("/").status_code == 409
    assert not Item.objects.exists()
