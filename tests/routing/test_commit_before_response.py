"""The transaction has ended when the first byte of the answer is sent."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

import pytest
from django.db import IntegrityError, connections, transaction
from django.test import override_settings
from fastapi import Depends, FastAPI, HTTPException
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from django_mullet import APIRouter, Atomic
from tests.testapp.models import Item

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

COLOURS = ["def", "async"]


def own_transaction() -> Iterator[None]:
    with transaction.atomic():
        yield


OwnTransaction = Annotated[None, Depends(own_transaction, scope="function")]

router = APIRouter()


@router.post("/def/plain")
def create(code: str) -> str:
    Item.objects.create(name="new", code=code)
    return code


@router.post("/async/plain")
async def acreate(code: str) -> str:
    await Item.objects.acreate(name="new", code=code)
    return code


@router.post("/def/atomic")
def create_atomic(code: str, _: Atomic) -> str:
    return create(code)


@router.post("/async/atomic")
async def acreate_atomic(code: str, _: Atomic) -> str:
    return await acreate(code)


@router.post("/def/own")
def create_own(code: str, _: OwnTransaction) -> str:
    return create(code)


@router.post("/async/own")
async def acreate_own(code: str, _: OwnTransaction) -> str:
    return await acreate(code)


@router.post("/def/response")
def create_and_respond(code: str, status: int) -> JSONResponse:
    return JSONResponse(create(code), status)


@router.post("/async/response")
async def acreate_and_respond(code: str, status: int) -> JSONResponse:
    return JSONResponse(await acreate(code), status)


@router.post("/def/http-exception")
def create_and_refuse(code: str) -> str:
    create(code)
    raise HTTPException(400)


@router.post("/async/http-exception")
async def acreate_and_refuse(code: str) -> str:
    await acreate(code)
    raise HTTPException(400)


@router.post("/def/http-exception/atomic")
def create_atomic_and_refuse(code: str, _: Atomic) -> str:
    return create_and_refuse(code)


@router.post("/async/http-exception/atomic")
async def acreate_atomic_and_refuse(code: str, _: Atomic) -> str:
    return await acreate_and_refuse(code)


@router.post("/def/invalid", response_model=int)
def create_and_lie(code: str) -> str:
    return create(code)


@router.post("/async/invalid", response_model=int)
async def acreate_and_lie(code: str) -> str:
    return await acreate(code)


@router.post("/def/invalid/atomic", response_model=int)
def create_atomic_and_lie(code: str, _: Atomic) -> str:
    return create(code)


@router.post("/async/invalid/atomic", response_model=int)
async def acreate_atomic_and_lie(code: str, _: Atomic) -> str:
    return await acreate(code)


@router.post("/def/non-atomic")
@transaction.non_atomic_requests
def create_non_atomic(code: str) -> str:
    create(code)
    raise HTTPException(400)


@router.post("/async/non-atomic")
@transaction.non_atomic_requests
async def acreate_non_atomic(code: str) -> str:
    await acreate(code)
    raise HTTPException(400)


@router.post("/def/non-atomic-elsewhere")
@transaction.non_atomic_requests(using="other")
def create_non_atomic_elsewhere(code: str) -> str:
    create(code)
    raise HTTPException(400)


@router.post("/async/non-atomic-elsewhere")
@transaction.non_atomic_requests(using="other")
async def acreate_non_atomic_elsewhere(code: str) -> str:
    await acreate(code)
    raise HTTPException(400)


app = FastAPI()
app.include_router(router)


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    settings = connections.settings["default"]
    settings["ATOMIC_REQUESTS"] = True
    yield
    settings["ATOMIC_REQUESTS"] = False


@pytest.fixture
def taken() -> str:
    """A code that cannot be used again, which PostgreSQL finds out at COMMIT."""
    Item.objects.create(name="first", code="taken")
    return "taken"


def codes() -> list[str | None]:
    return list(Item.objects.values_list("code", flat=True))


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("transaction", ["atomic", "own"])
def test_a_failing_commit_is_no_success(colour: str, transaction: str, taken: str) -> None:
    client = TestClient(app, raise_server_exceptions=False)

    response = client.post(f"/{colour}/{transaction}?code={taken}")

    assert response.status_code == 500
    assert codes() == [taken]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.usefixtures("atomic_requests")
@pytest.mark.parametrize("transaction", ["plain", "atomic", "own"])
def test_a_failing_commit_of_atomic_requests_is_no_success(
    colour: str, transaction: str, taken: str
) -> None:
    client = TestClient(app, raise_server_exceptions=False)

    response = client.post(f"/{colour}/{transaction}?code={taken}")

    assert response.status_code == 500
    assert codes() == [taken]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("transaction", ["atomic", "own"])
def test_a_handler_of_the_app_answers_a_failing_commit(
    colour: str, transaction: str, taken: str
) -> None:
    careful = FastAPI()
    careful.include_router(router)

    @careful.exception_handler(IntegrityError)
    async def conflict(request: object, error: IntegrityError) -> JSONResponse:
        return JSONResponse("taken", 409)

    response = TestClient(careful).post(f"/{colour}/{transaction}?code={taken}")

    assert response.status_code == 409
    assert codes() == [taken]


def count_from_outside() -> int:
    try:
        return Item.objects.count()
    finally:
        connections.close_all()


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("transaction", ["atomic", "own"])
def test_the_rows_are_there_when_the_answer_starts(colour: str, transaction: str) -> None:
    there: list[int] = []

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        async def watching_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                there.append(await asyncio.to_thread(count_from_outside))
            await send(message)

        await app(scope, receive, watching_send)

    response = TestClient(watched).post(f"/{colour}/{transaction}?code=new")

    assert response.status_code == 200
    assert there == [1]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.usefixtures("atomic_requests")
def test_a_returned_response_commits(colour: str, status: int) -> None:
    response = TestClient(app).post(f"/{colour}/response?code=new&status={status}")

    assert response.status_code == status
    assert codes() == ["new"]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize(("status", "left"), [(200, ["new"]), (399, ["new"]), (400, []), (500, [])])
@pytest.mark.usefixtures("atomic_requests")
@override_settings(MULLET={"ROLLBACK_ON_ERROR_RESPONSE": True})
def test_a_returned_error_rolls_back_if_the_setting_says_so(
    colour: str, status: int, left: list[str]
) -> None:
    response = TestClient(app).post(f"/{colour}/response?code=new&status={status}")

    assert response.status_code == status
    assert codes() == left


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.usefixtures("atomic_requests")
def test_an_http_exception_rolls_atomic_requests_back(colour: str) -> None:
    response = TestClient(app).post(f"/{colour}/http-exception?code=new")

    assert response.status_code == 400
    assert codes() == []


@pytest.mark.parametrize("colour", COLOURS)
def test_an_http_exception_rolls_back(colour: str) -> None:
    response = TestClient(app).post(f"/{colour}/http-exception/atomic?code=new")

    assert response.status_code == 400
    assert codes() == []


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.usefixtures("atomic_requests")
def test_an_invalid_response_rolls_atomic_requests_back(colour: str) -> None:
    with pytest.raises(ResponseValidationError):
        TestClient(app).post(f"/{colour}/invalid?code=new")

    assert codes() == []


@pytest.mark.parametrize("colour", COLOURS)
def test_an_invalid_response_rolls_back(colour: str) -> None:
    with pytest.raises(ResponseValidationError):
        TestClient(app).post(f"/{colour}/invalid/atomic?code=new")

    assert codes() == []


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.usefixtures("atomic_requests")
def test_an_exempt_endpoint_has_no_transaction(colour: str) -> None:
    response = TestClient(app).post(f"/{colour}/non-atomic?code=new")

    assert response.status_code == 400
    assert codes() == ["new"]


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.usefixtures("atomic_requests")
def test_an_endpoint_exempt_on_another_database_has_its_transaction(colour: str) -> None:
    response = TestClient(app).post(f"/{colour}/non-atomic-elsewhere?code=new")

    assert response.status_code == 400
    assert codes() == []
