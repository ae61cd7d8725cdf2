"""A database that is away is told as such, whatever a dependency does on its way out."""

from collections.abc import Iterator

import pytest
from django.db import connection
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from django_mullet import APIRouter
from tests.backends import terminate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def query(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def dependency() -> Iterator[None]:
    query("SELECT 1")
    try:
        yield
    finally:
        query("SELECT 2")


router = APIRouter(dependencies=[Depends(dependency)])


@router.get("/stream")
def stream() -> StreamingResponse:
    def lines() -> Iterator[str]:
        query("SELECT pg_terminate_backend(pg_backend_pid())")
        yield "x"

    return StreamingResponse(lines())


@router.get("/plain")
def plain() -> None:
    query("SELECT pg_terminate_backend(pg_backend_pid())")


@router.get("/refused/{status}")
def refused(status: int) -> None:
    """Refuse while the database goes away, which nobody has noticed yet."""
    terminate(connection.connection.info.backend_pid)
    raise HTTPException(status)


app = FastAPI()
app.include_router(router)


@pytest.mark.parametrize("path", ["/stream", "/plain"])
def test_it(path: str) -> None:
    client = TestClient(app, raise_server_exceptions=False)
    assert client.get(path).status_code == 503


def test_a_refusal_is_answered_though_the_database_is_away_at_its_end() -> None:
    """What another error promises, and the exit was to do, is not done: that remains an error."""
    client = TestClient(app, raise_server_exceptions=False)

    assert client.get("/refused/503").status_code == 503
    assert client.get("/refused/404").status_code == 500
