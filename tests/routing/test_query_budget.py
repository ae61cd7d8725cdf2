"""Is a route that makes too many queries noticed, and are the queries of each told in DEBUG?"""

import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from fastapi import FastAPI
from fastapi.testclient import TestClient

from django_mullet import (
    APIRouter,
    ModelSchema,
    TooManyQueries,
    assert_constant_queries,
    max_queries,
)
from django_mullet.execution.execution import current_execution
from tests.catalogue.models import Keyword, Person, Work

pytestmark = pytest.mark.django_db


class KeywordSchema(ModelSchema[Keyword]):
    word: str


class WorkSchema(ModelSchema[Work]):
    title: str
    author_id: int
    keywords: list[KeywordSchema]
    editors: list[int]


router = APIRouter()


@router.get("/def/{number}", dependencies=[max_queries(2)])
def query(number: int) -> None:
    for _ in range(number):
        Person.objects.count()


@router.get("/async/{number}", dependencies=[max_queries(2)])
async def aquery(number: int) -> None:
    for _ in range(number):
        await Person.objects.acount()


@router.post("/people", dependencies=[max_queries(2)])
def create() -> None:
    with transaction.atomic(), transaction.atomic():  # savepoints do not count
        for name in "ab":
            Person.objects.create(name=name)


@router.get("/slow")
def slow() -> float | None:
    def slowly(execute: Any, *args: Any) -> Any:
        time.sleep(0.2)
        return execute(*args)

    with connection.execute_wrapper(slowly):
        Person.objects.count()
    log = current_execution.get().log
    return log and log.seconds


@router.get("/works", response_model=list[WorkSchema])
def works() -> Any:
    return Work.objects.all()


@router.get("/nothing")
async def nothing() -> None: ...


@pytest.fixture
def client() -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router)
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("path", ["/def/2", "/async/2"])
def test_as_many_queries_as_the_route_may_make_are_fine(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_savepoints_do_not_count(client: TestClient) -> None:
    assert client.post("/people").status_code == 200


@pytest.mark.parametrize("path", ["/def/3", "/async/3"])
def test_more_queries_are_an_error_that_lists_them(client: TestClient, path: str) -> None:
    with pytest.raises(TooManyQueries) as caught:
        client.get(path)

    message, *statements, advice = str(caught.value).splitlines()
    assert message == "The route may make 2 queries, and made 3:"
    assert advice == (
        "Load what it reads at once, by 'select_related()', 'prefetch_related()' or a schema's "
        "'from_qs()', or write 'max_queries(3)'."
    )
    assert statements == [f"  {sql}" for sql in caught.value.statements]
    assert all("catalogue_person" in sql for sql in statements)


def test_more_queries_may_be_a_warning(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(MULLET={"LAZY_LOADS": "warn"}):
        assert client.get("/def/3").status_code == 200

    [record] = [record for record in caplog.records if record.name == "django_mullet.queries"]
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("The route may make 2 queries, and made 3:")


def test_more_queries_may_be_allowed(client: TestClient) -> None:
    with override_settings(MULLET={"LAZY_LOADS": "allow"}):
        assert client.get("/def/3").status_code == 200


# What a developer is told


@pytest.mark.parametrize(
    ("path", "told"),
    [("/def/2", "2 queries"), ("/async/1", "1 query"), ("/nothing", "0 queries")],
)
def test_in_debug_the_response_tells_of_its_queries(
    client: TestClient, path: str, told: str
) -> None:
    with override_settings(DEBUG=True):
        timing = client.get(path).headers["server-timing"]

    assert re.fullmatch(rf'db;dur=\d+\.\d;desc="{told}"', timing)


def test_in_debug_the_time_of_queries_is_told_in_milliseconds(client: TestClient) -> None:
    with override_settings(DEBUG=True):
        answer = client.get("/slow")

    seconds = answer.json()
    assert seconds >= 0.2
    assert answer.headers["server-timing"] == f'db;dur={seconds * 1000:.1f};desc="1 query"'


def test_in_debug_the_plan_can_be_asked_for(client: TestClient) -> None:
    with override_settings(DEBUG=True):
        answer = client.get("/works", headers={"X-Query-Plan": "1"})

    assert answer.headers["x-query-plan"] == "title, author_id ; keywords: word ; editors: pk"


def test_elsewhere_nothing_is_told(client: TestClient) -> None:
    headers = client.get("/works", headers={"X-Query-Plan": "1"}).headers

    assert not {"server-timing", "x-query-plan"} & headers.keys()


# What a test may assert


def test_a_constant_number_of_queries_is_right(client: TestClient) -> None:
    assert_constant_queries(
        lambda: client.get("/works"),
        lambda: Work.objects.create(title="x", author=Person.objects.create(name="y")),
    )


def test_a_growing_number_of_queries_is_wrong(client: TestClient) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_constant_queries(
            lambda: client.get(f"/def/{Person.objects.count()}"),
            lambda: Person.objects.create(name="x"),
        )

    message, *statements = str(caught.value).splitlines()
    assert message == "2 queries became 3 with more rows:"
    assert len(statements) == 3
