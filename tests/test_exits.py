"""A database that is away is told as such, whatever a dependency does on its way out."""

from collections.abc import Iterator

import pytest
from django.db import connection
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from django_mullet.routing import APIRouter

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


app = FastAPI()
app.include_router(router)


@pytest.mark.parametrize("path", ["/stream", "/plain"])
def test_it(path: str) -> None:
    client = TestClient(app, raise_server_exceptions=False)
    assert client.get(path).status_code == 503
