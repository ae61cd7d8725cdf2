"""A receiver of the signals that raises is an error of a request only where that begins."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.http import HttpResponse
from django.utils.deprecation import MiddlewareMixin
from fastapi import FastAPI
from fastapi.testclient import TestClient

from django_mullet import APIRouter, mount_django
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)


class Broken(Exception):
    pass


def broken(**kwargs: Any) -> None:
    raise Broken


def make_site() -> TestClient:
    app = FastAPI()
    plain, around = APIRouter(), APIRouter(prefix="/middleware", django_middleware=MADE)

    def create(name: str) -> str:
        return Item.objects.create(name=name).name

    async def acreate(name: str) -> str:
        return (await Item.objects.acreate(name=name)).name

    def streamed(name: str) -> Iterator[str]:
        yield Item.objects.create(name=name).name

    for router in (plain, around):
        router.get("/def")(create)
        router.get("/async")(acreate)
        router.get("/stream")(streamed)
    app.include_router(plain)
    app.include_router(around)
    mount_django(app)
    return TestClient(app, raise_server_exceptions=False)


MADE = ["tests.execution.test_broken_receivers.MakesResponses"]


class MakesResponses(MiddlewareMixin):
    """Answers some requests itself."""

    def process_request(self, request: Any) -> HttpResponse | None:
        return HttpResponse("made") if "made" in request.GET else None


PATHS = [
    "/def?name=a",
    "/async?name=a",
    "/stream?name=a",
    "/middleware/def?name=a",
    "/middleware/async?name=a",
    "/middleware/def?made=1",
    "/admin/login/",
    "/no/such/page",
]


@pytest.fixture
def expected() -> dict[str, int]:
    client = make_site()
    found = {path: client.get(path).status_code for path in PATHS}
    Item.objects.all().delete()
    return found


@pytest.fixture
def broken_receiver() -> Iterator[None]:
    request_finished.connect(broken)
    yield
    request_finished.disconnect(broken)


def test_an_error_at_the_end_of_a_request_is_logged_and_no_error_of_the_request(
    expected: dict[str, int], broken_receiver: None, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_site()

    with caplog.at_level(logging.ERROR):
        found = {path: client.get(path).status_code for path in PATHS * 3}

    assert found == expected
    assert Item.objects.count() == 3 * sum("name=a" in path for path in PATHS)
    errors = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert errors == [Broken] * 3 * len(PATHS)


def test_an_error_at_the_beginning_is_one_of_the_request() -> None:
    client = make_site()
    request_started.connect(broken)
    try:
        found = [client.get(path).status_code for path in PATHS[:2]]
    finally:
        request_started.disconnect(broken)

    assert found == [500, 500]
    assert not Item.objects.exists()
