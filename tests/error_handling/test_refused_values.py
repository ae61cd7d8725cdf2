"""Is a value that a database cannot take the client's mistake, if the client has sent it?"""

import logging
from base64 import b64encode
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest
from django.db import DataError, IntegrityError
from django.db.models import F, SmallIntegerField
from django.db.models.functions import Cast
from fastapi import Body, Cookie, Depends, FastAPI, Form, Header, Request, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from fastapi.testclient import TestClient

from django_mullet import APIRouter, mount_django, prepared
from tests.fieldtypes.models import Documents, Numbers
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db

postgres = pytest.mark.postgres
router = APIRouter()


@prepared
def all_items() -> Any:
    return Item.objects.order_by("pk")


@router.get("/prepared")
def slice_of_prepared(limit: int = 20, offset: int = 0) -> int:
    return len(list(all_items()[offset : offset + limit]))


@router.get("/slice")
def slice_of_items(limit: int = 20, offset: int = 0) -> int:
    return len(list(Item.objects.order_by("pk")[offset : offset + limit]))


@router.get("/async-slice")
async def slice_in_async(limit: int = 20, offset: int = 0) -> int:
    return len([item async for item in Item.objects.order_by("pk")[offset : offset + limit]])


@router.get("/numbers/{number}")
def numbers(number: int) -> int:
    return Numbers.objects.filter(integer__in=[number, 1]).count()


@router.get("/range")
def number_range(first: int, last: int = 5) -> int:
    return Numbers.objects.filter(big__range=(first, last)).count()


@router.get("/sum")
def added(number: int) -> int:
    return Item.objects.annotate(sum=F("n") + number).filter(sum__gt=1).count()


@router.get("/decimals")
def decimals(least: Decimal) -> int:
    return Numbers.objects.filter(decimal__gt=least).count()


@router.post("/decimals")
def decimals_of_body(least: Annotated[Decimal, Body(embed=True)]) -> int:
    return Numbers.objects.filter(decimal__gt=least).count()


@router.get("/cookie")
def by_cookie(name: Annotated[str, Cookie()]) -> int:
    return Item.objects.filter(name=name).count()


@router.get("/raw-cookie")
def by_raw_cookie(request: Request) -> int:
    return Item.objects.filter(name=request.cookies["name"]).count()


@router.get("/header")
def by_header(x_name: Annotated[str, Header()]) -> int:
    return Item.objects.filter(name=x_name).count()


@router.get("/header-number")
def by_number_in_header(x_number: Annotated[int, Header()]) -> int:
    return Item.objects.annotate(sum=F("n") + x_number).filter(sum__gt=1).count()


@router.get("/basic")
def by_user(credentials: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> int:
    return Item.objects.filter(name__in=[credentials.username, credentials.password]).count()


@router.post("/items")
def create(body: dict[str, Any]) -> None:
    Item.objects.create(**body)


@router.post("/form")
def create_of_form(name: Annotated[str, Form()]) -> None:
    Item.objects.create(name=name)


@router.post("/documents")
def store(body: Annotated[Any, Body()]) -> None:
    Documents.objects.create(document=body)


@router.post("/raw")
async def create_of_raw_body(request: Request) -> None:
    await Item.objects.acreate(name=(await request.body()).decode())


@router.get("/small/{number}")
def small(number: int) -> list[int]:
    cast: Any = Cast(number, SmallIntegerField())
    return list(Item.objects.annotate(cast=cast).values_list("cast", flat=True))


@router.get("/bugs/division")
def divided(number: int) -> list[int]:
    inverse: Any = number / (F("n") - 1)
    return list(Item.objects.annotate(inverse=inverse).values_list("inverse", flat=True))


@router.get("/bugs/constraint")
def same_key(number: int) -> int:
    first = Item.objects.first()
    assert first is not None
    Item.objects.create(pk=first.pk, n=number)
    return 1


@router.get("/bugs/value")
def no_number(text: str) -> int:
    return Item.objects.filter(n=f"{text}?").count()


@router.get("/bugs/number")
def multiplied(number: int) -> int:
    Item.objects.create(name="x", n=2**70 + number)
    return 1


@router.get("/bugs/slice")
def sliced_by_mistake(number: int) -> int:
    return len(Item.objects.all()[-1:number])


@router.get("/bugs/date")
def much_later(days: int) -> date:
    return date(2026, 1, 1) + timedelta(days=days)


@router.get("/bugs/text")
def long_name(name: str) -> None:
    Item.objects.create(name=name * 101)


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    app.include_router(router)
    mount_django(app)
    Item.objects.create(name="first", n=1)
    return TestClient(app, raise_server_exceptions=False)


def basic(credentials: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}


HUGE = 10**30
JSON = {"Content-Type": "application/json"}
RANGE = "This number is out of range."
NUL = "Null characters are not allowed."

REFUSED: list[Any] = [
    *[
        pytest.param("GET", f"/{path}?{name}={value}", {}, ["query", name], message)
        for path in ("prepared", "slice", "async-slice")
        for name in ("offset", "limit")
        for value, message in ((-1, "Negative numbers are not allowed."), (HUGE, RANGE))
    ],
    pytest.param("GET", f"/header-number?{HUGE}", {"headers": {"x-number": f"{2**63 - 1}"}},
                 ["header", "x-number"], RANGE, marks=postgres),
    pytest.param("GET", f"/sum?number={2**63 - 1}", {}, ["query", "number"], RANGE, marks=postgres),
    pytest.param("GET", "/decimals?least=1e200000", {}, ["query", "least"], RANGE, marks=postgres),
    pytest.param("GET", "/decimals?least=1e-200000", {}, ["query", "least"], RANGE, marks=postgres),
    pytest.param("POST", "/decimals", {"json": {"least": "9" * 131_073}}, ["body", "least"], RANGE,
                 marks=postgres),
    pytest.param("GET", "/cookie", {"headers": {"Cookie": 'name="a\\000"'}}, ["cookie", "name"],
                 NUL, marks=postgres),
    pytest.param("GET", "/raw-cookie", {"headers": {"Cookie": 'name="a\\000"'}}, ["cookie", "name"],
                 NUL, marks=postgres),
    pytest.param("GET", "/header", {"headers": {"x-name": "a\0"}}, ["header", "x-name"], NUL,
                 marks=postgres),
    pytest.param("GET", "/basic", {"headers": basic("a\0:b")}, ["header", "authorization"], NUL,
                 marks=postgres),
    pytest.param("GET", "/basic", {"headers": basic("a:b\0")}, ["header", "authorization"], NUL,
                 marks=postgres),
    pytest.param("GET", "/small/40000", {}, ["path", "number"], RANGE, marks=postgres),
    pytest.param("POST", "/form", {"data": {"name": "a\0"}}, ["body", "name"], NUL, marks=postgres),
    pytest.param("POST", "/form", {"data": {"name": "a" * 101}}, ["body", "name"],
                 "At most 100 characters are allowed.", marks=postgres),
    pytest.param("POST", "/items", {"json": {"name": "a" * 101}}, ["body", "name"],
                 "At most 100 characters are allowed.", marks=postgres),
    pytest.param("POST", "/items", {"json": {"name": "a", "n": 2**31}}, ["body", "n"], RANGE,
                 marks=postgres),
    pytest.param("POST", "/items", {"json": {"name": "a", "n": 2**70, "code": None}}, ["body", "n"],
                 RANGE),
    pytest.param("POST", "/items", {"content": b'{"name": "\\ud800"}', "headers": JSON},
                 ["body", "name"], "Surrogates without their other half are not allowed."),
    pytest.param("POST", "/documents", {"json": {"a": [True, {"b": "\0"}]}}, ["body", "a", 1, "b"],
                 NUL, marks=postgres),
    pytest.param("POST", "/documents", {"json": {"a\0": {"b": 1}}}, ["body", "a\0", "b"], NUL,
                 marks=postgres),
    pytest.param("POST", "/documents", {"content": b'["\\ud800"]', "headers": JSON}, ["body", 0],
                 "This cannot be stored as JSON.", marks=postgres),
    pytest.param("POST", "/documents", {"content": b'{"a": NaN}', "headers": JSON}, ["body", "a"],
                 "This cannot be stored as JSON."),
]  # fmt: skip


@pytest.mark.parametrize(("method", "url", "options", "place", "message"), REFUSED)
def test_what_the_database_cannot_take_is_a_422_that_names_it(
    client: TestClient, method: str, url: str, options: Any, place: Any, message: str
) -> None:
    answer = client.request(method, url, **options)

    expected = {"type": "value_error", "loc": place, "msg": message}
    assert (answer.status_code, answer.json()) == (422, {"detail": [expected]})


@pytest.mark.parametrize(
    "url", [f"/numbers/{HUGE}", f"/range?first=-{HUGE}", f"/sum?number={HUGE}"]
)
def test_a_number_beyond_all_columns_is_no_error_of_the_server(
    client: TestClient, url: str
) -> None:
    answer = client.get(url)

    # PostgreSQL compares numbers of any size; SQLite has no such number.
    assert answer.status_code in (200, 422), answer.text


BUGS = [
    "/bugs/number?number=5",
    "/bugs/slice?number=5",
    "/bugs/date?days=99999999999",
    "/bugs/constraint?number=2",
    "/bugs/value?text=99999999999",
    pytest.param("/bugs/division?number=99999999999", marks=postgres),
    pytest.param("/bugs/text?name=a", marks=postgres),
]


@pytest.mark.parametrize("url", BUGS)
def test_what_no_client_has_sent_is_a_bug(client: TestClient, url: str) -> None:
    answer = client.get(url, headers={"X-Number": str(HUGE), "Authorization": "Basic ?"})

    assert (answer.status_code, answer.text) == (500, "Internal Server Error")


@postgres
@pytest.mark.parametrize("authorization", ["Basic a", "Bearer x", "Basic /w=="])
def test_a_nul_that_no_client_has_sent_is_a_bug(authorization: str) -> None:
    app, bugs = FastAPI(), APIRouter()

    @bugs.get("/")
    @bugs.post("/")
    def find() -> int:
        return Item.objects.filter(name="\0").count()

    app.include_router(bugs)
    mount_django(app)
    client = TestClient(app)

    with pytest.raises(DataError):
        client.get("/", headers={"Authorization": authorization})
    # What a body held that nobody has kept is not known.
    assert client.post("/", content=b"a").status_code == 422


@postgres
def test_a_body_that_is_no_json_is_not_looked_into(client: TestClient) -> None:
    assert client.post("/raw", content="a" * 101).status_code == 500


def test_routes_of_starlette_have_handlers_too() -> None:
    async def fail(request: Request) -> Response:
        raise IntegrityError("datatype mismatch")

    app = FastAPI()
    app.add_route("/", fail)
    mount_django(app)

    answer = TestClient(app).get("/", params={"offset": HUGE})

    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, ["query", "offset"])


def test_the_log_tells_the_program_what_it_let_pass(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    client.get("/slice?offset=-1")

    [record] = [each for each in caplog.records if "Refused" in each.message]
    assert record.levelno == logging.WARNING
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ValueError)


def test_a_problem_says_the_same(client: TestClient, settings: Any) -> None:
    settings.MULLET = {"PROBLEM_DETAILS": True}

    answer = client.get("/slice?offset=-1")

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["loc"] == ["query", "offset"]
