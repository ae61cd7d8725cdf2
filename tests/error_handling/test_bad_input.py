"""What a schema knows to be wrong, and what only the database knows to be, is answered 4xx.

Nothing of it is written.
"""

import json
from datetime import date, datetime
from typing import Annotated, Any

import httpx
import pytest
from django.db import connection
from fastapi import FastAPI, Form, Query
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field, StringConstraints

from django_mullet import APIRouter, Atomic, mount_django
from tests.fastapi_features import needs_body_limits
from tests.server import running
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db

MAX_BODY_SIZE = 100_000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ROUTES = ["/def", "/async"]


WITHOUT_NUL = r"^[^\x00]*$"


class Body(BaseModel):
    name: Annotated[str, StringConstraints(max_length=100, pattern=WITHOUT_NUL)]
    n: Annotated[int, Field(ge=0, lt=2**31)] = 0
    on: date | None = None
    at: datetime | None = None
    nested: object = None


class LaxBody(BaseModel):
    """What a user writes who knows nothing of the database."""

    name: str
    n: int = 0


router = APIRouter()


@router.post("/def")
def create(body: Body, _: Atomic) -> str:
    return Item.objects.create(name=body.name, n=body.n).name


@router.post("/async")
async def acreate(body: Body, _: Atomic) -> str:
    return (await Item.objects.acreate(name=body.name, n=body.n)).name


@router.post("/def/lax")
def create_lax(body: LaxBody, _: Atomic) -> str:
    return Item.objects.create(name=body.name, n=body.n).name


@router.post("/async/lax")
async def acreate_lax(body: LaxBody, _: Atomic) -> str:
    return (await Item.objects.acreate(name=body.name, n=body.n)).name


@router.post("/def/form")
def create_from_form(name: Annotated[str, Form(max_length=100)], _: Atomic) -> str:
    return Item.objects.create(name=name).name


@router.post("/def/form/strict")
def create_from_strict_form(
    name: Annotated[str, Form(max_length=100, pattern=WITHOUT_NUL)], _: Atomic
) -> str:
    return Item.objects.create(name=name).name


@router.get("/def/search")
def search(name: str) -> int:
    return Item.objects.filter(name=name).count()


@router.get("/async/search")
async def asearch(name: str) -> int:
    return await Item.objects.filter(name=name).acount()


@router.get("/def/search/strict")
def search_strictly(name: Annotated[str, Query(pattern=WITHOUT_NUL)]) -> int:
    return Item.objects.filter(name=name).count()


@router.get("/async/search/strict")
async def asearch_strictly(name: Annotated[str, Query(pattern=WITHOUT_NUL)]) -> int:
    return await Item.objects.filter(name=name).acount()


@router.get("/def/on/{on}")
def on(on: date, at: datetime | None = None) -> int:
    return Item.objects.count()


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    return TestClient(app, raise_server_exceptions=False)


def post(client: TestClient, path: str, content: bytes) -> Any:
    headers = {"Content-Type": "application/json"}
    return client.post(path, content=content, headers=headers)


def assert_refused(response: Any) -> None:
    assert 400 <= response.status_code < 500, (response.status_code, response.text[:500])
    assert response.json()["detail"]
    assert not Item.objects.exists()


MALFORMED = {
    "empty": b"",
    "cut off": b'{"name": "x"',
    "no JSON": b"name=x",
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16 BOM": b"\xff\xfe{\x00",
    "NUL byte": b"\x00",
    "lone surrogate in raw UTF-8": b'{"name": "\xed\xa0\x80"}',
    "control character": b'{"name": "a\nb"}',
    "trailing text": b'{"name": "x"} x',
    "endless number": b'{"name": "x", "n": ' + b"9" * 5000 + b"}",
    "100,000 lists": b'{"name": "x", "nested": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"name":"x","nested":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "100,000 opening brackets": b"[" * 100_000,
}

WRONG: dict[str, object] = {
    "null": None,
    "a list": [],
    "a string": "x",
    "a number": 1,
    "no name": {},
    "name is null": {"name": None},
    "name is a number": {"name": 1},
    "name is a list": {"name": ["x"]},
    "name is an object": {"name": {"a": "b"}},
    "name too long": {"name": "x" * 101},
    "name much too long": {"name": "x" * 50_000},
    "name with NUL": {"name": "a\0b"},
    "name with NUL at the end": {"name": "a\0"},
    "name with a lone surrogate": {"name": "\ud800"},
    "name with a lone surrogate in a pair's order": {"name": "\udc00\ud800"},
    "key with a lone surrogate": {"\ud800": "x"},
    "n is text": {"name": "x", "n": "one"},
    "n is a fraction": {"name": "x", "n": 1.5},
    "n is infinite": {"name": "x", "n": float("inf")},
    "n is no number": {"name": "x", "n": float("nan")},
    "n is too large": {"name": "x", "n": 2**31},
    "n is much too large": {"name": "x", "n": 10**4000},
    "n is negative": {"name": "x", "n": -1},
    "no such day": {"name": "x", "on": "2026-02-30"},
    "no such month": {"name": "x", "on": "2026-13-01"},
    "no date": {"name": "x", "on": "yesterday"},
    "year 0": {"name": "x", "on": "0000-01-01"},
    "year 10,000": {"name": "x", "on": "10000-01-01"},
    "no such hour": {"name": "x", "at": "2026-01-01T25:00:00Z"},
    "no such second of the epoch": {"name": "x", "at": 10**300},
    "infinite date": {"name": "x", "at": float("-inf")},
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_refused(client: TestClient, path: str, content: bytes) -> None:
    assert_refused(post(client, path, content))


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("value", WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_refused(client: TestClient, path: str, value: object) -> None:
    assert_refused(post(client, path, json.dumps(value).encode()))


@pytest.mark.parametrize("path", ["/def/on/2026-02-30", "/def/on/x", "/def/on/2026-01-01?at=x"])
def test_a_bad_date_in_the_url_is_refused(client: TestClient, path: str) -> None:
    assert_refused(client.get(path))


@pytest.mark.parametrize("path", ["/def/form"])
@pytest.mark.parametrize("content", [b"", b"other=1", b"name=" + b"x" * 101])
def test_a_bad_form_is_refused(client: TestClient, path: str, content: bytes) -> None:
    assert_refused(client.post(path, content=content, headers=FORM))


NUL = {"name": "a\0b"}
TOO_MUCH_FOR_THE_DATABASE = {
    "too long": {"name": "x" * 101},
    "too large for the column": {"name": "x", "n": 2**31},
    "too large for any column": {"name": "x", "n": 2**63},
}
by_value = pytest.mark.parametrize(
    "value", TOO_MUCH_FOR_THE_DATABASE.values(), ids=TOO_MUCH_FOR_THE_DATABASE
)


@pytest.mark.postgres
@pytest.mark.parametrize("path", ["/def/lax", "/async/lax"])
@by_value
def test_what_only_the_database_refuses_is_refused(
    client: TestClient, path: str, value: object
) -> None:
    response = post(client, path, json.dumps(value).encode())

    assert_refused(response)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_what_only_the_database_refuses_is_logged() -> None:
    paths = ["/api/def/items", "/api/async/items"]
    values = TOO_MUCH_FOR_THE_DATABASE.values()

    with running() as server:
        url = server.url
        bad = [httpx.post(url + path, json=value) for path in paths for value in values]
        good = [httpx.post(url + path, json={"name": "x"}) for path in paths]
        log = server.log()

    assert [answer.status_code for answer in bad] == [422] * 6
    assert [answer.status_code for answer in good] == [200] * 2
    assert log.count("Refused by the database") == 6
    assert Item.objects.count() == 2


@pytest.mark.postgres
@pytest.mark.parametrize("path", ["/def/lax", "/async/lax"])
def test_nul_is_refused(client: TestClient, path: str) -> None:
    assert_refused(post(client, path, json.dumps(NUL).encode()))


@pytest.mark.parametrize("path", ROUTES)
def test_nul_is_refused_by_a_schema_that_says_so(client: TestClient, path: str) -> None:
    assert_refused(post(client, path, json.dumps(NUL).encode()))


@pytest.mark.parametrize("path", ROUTES)
@by_value
def test_what_the_database_would_refuse_is_refused_by_a_schema_that_says_so(
    client: TestClient, path: str, value: object
) -> None:
    assert_refused(post(client, path, json.dumps(value).encode()))


@pytest.mark.postgres
@pytest.mark.parametrize("path", ["/def/search", "/async/search"])
def test_nul_in_a_query_is_refused(client: TestClient, path: str) -> None:
    assert_refused(client.get(path + "?name=a%00b"))


@pytest.mark.parametrize("path", ["/def/search/strict", "/async/search/strict"])
def test_nul_in_a_query_is_refused_by_a_pattern(client: TestClient, path: str) -> None:
    assert_refused(client.get(path + "?name=a%00b"))


@pytest.mark.postgres
def test_nul_in_a_form_is_refused(client: TestClient) -> None:
    assert_refused(client.post("/def/form", content=b"name=a%00b", headers=FORM))


def test_nul_in_a_form_is_refused_by_a_pattern(client: TestClient) -> None:
    assert_refused(client.post("/def/form/strict", content=b"name=a%00b", headers=FORM))


@needs_body_limits
@pytest.mark.parametrize("path", [*ROUTES, "/def/form"])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_oversized_body_is_refused(path: str, chunked: bool) -> None:
    app = FastAPI(max_body_size=MAX_BODY_SIZE)
    app.include_router(router)
    mount_django(app)
    client = TestClient(app, raise_server_exceptions=False)
    is_form = path.endswith("form")
    head, tail = (b"name=", b"") if is_form else (b'{"name": "', b'"}')
    content = head + b"x" * MAX_BODY_SIZE + tail
    media_type = "application/x-www-form-urlencoded" if is_form else "application/json"

    response = client.post(
        path,
        content=iter([content[:50], content[50:]]) if chunked else content,
        headers={"Content-Type": media_type},
    )

    assert response.status_code == 413
    assert not Item.objects.exists()


@pytest.mark.parametrize("path", ROUTES)
def test_after_bad_input_good_input_is_written(client: TestClient, path: str) -> None:
    for content in MALFORMED.values():
        post(client, path, content)

    response = post(client, path, b'{"name": "\\ud83d\\udc10", "n": 2147483647}')

    assert response.status_code == 200
    assert Item.objects.get().name == "\N{GOAT}"
    assert connection.is_usable()
