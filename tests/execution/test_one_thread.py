"""One request is one thread, one connection and one context."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar, Token
from typing import Annotated, Literal

import pytest
from django.db import connection, connections
from django.utils import timezone, translation
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, ConfigDict

from django_mullet import APIRouter
from django_mullet.execution.execution import current_execution
from tests.load import answers
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(transaction=True)

CONCURRENCY = 64

Place = tuple[int, int]
router = APIRouter()


def place() -> Place:
    """Return the thread and the connection that are used here."""
    connection.ensure_connection()
    return threading.get_ident(), id(connection.connection)


def first() -> Place:
    return place()


def second(first: Annotated[Place, Depends(first)]) -> Place:
    return place()


class Third:
    def __init__(self, first: Annotated[Place, Depends(first)]) -> None:
        self.place = place()


def with_exit(request: Request) -> Iterator[Place]:
    entered = place()
    yield entered
    request.app.state.exits.append((entered, place()))


class Row:
    """Something whose attribute is only found out while the response is made."""

    def __init__(self, places: list[Place]) -> None:
        self.places = places

    @property
    def validated_at(self) -> Place:
        return place()


class RowOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    places: list[Place]
    validated_at: Place


@router.get("/places", response_model=RowOut)
def places(
    first: Annotated[Place, Depends(first)],
    second: Annotated[Place, Depends(second)],
    third: Annotated[Third, Depends()],
    with_exit: Annotated[Place, Depends(with_exit)],
) -> Row:
    return Row([first, second, third.place, with_exit, place()])


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    app.state.exits = []
    return app


@pytest.mark.parametrize("concurrency", [1, CONCURRENCY])
def test_a_request_has_one_thread_and_one_connection(app: FastAPI, concurrency: int) -> None:
    found = answers(app, ["/places"] * CONCURRENCY, concurrency=concurrency)

    assert [answer.status for answer in found] == [200] * CONCURRENCY
    for answer in found:
        body = RowOut.model_validate(answer.body)
        assert len({*body.places, body.validated_at}) == 1
    assert len(app.state.exits) == CONCURRENCY
    assert all(entered == left for entered, left in app.state.exits)


@pytest.mark.postgres
def test_a_request_has_one_backend_of_postgresql() -> None:
    def backend() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        return int(pid)

    def held() -> Iterator[int]:
        yield backend()

    app = FastAPI()
    local = APIRouter()

    @local.get("/backends")
    def backends(
        one: Annotated[int, Depends(backend)],
        another: Annotated[int, Depends(backend, use_cache=False)],
        held: Annotated[int, Depends(held)],
    ) -> set[int]:
        return {one, another, held, backend()}

    app.include_router(local)

    found = answers(app, ["/backends"] * CONCURRENCY, concurrency=CONCURRENCY)

    assert [(answer.status, len(answer.body)) for answer in found] == [(200, 1)] * CONCURRENCY  # type: ignore[arg-type]


def keeps() -> bool:
    """Return whether a worker waits for what this request does next."""
    return current_execution.get().has_worker


async def between(first: Annotated[Place, Depends(first)]) -> bool:
    return keeps()


waiting = APIRouter()


@waiting.get("/def")
def waits_between(between: Annotated[bool, Depends(between)]) -> bool:
    return between


@waiting.get("/overridden")
def may_be_overridden(first: Annotated[Place, Depends(place)]) -> object:
    return first


@waiting.get("/async")
async def waits() -> bool:
    await Item.objects.acount()
    return keeps()


@pytest.mark.parametrize("path", ["/def", "/overridden"])
def test_a_request_keeps_its_worker_while_something_awaits_between(
    path: str,
) -> None:
    app = FastAPI()
    app.include_router(waiting)
    if path == "/overridden":
        app.dependency_overrides[place] = between

    [answer] = answers(app, [path])

    assert answer.body is True


@pytest.mark.parametrize("max_age", [0, None])
def test_an_async_endpoint_keeps_its_worker(
    monkeypatch: pytest.MonkeyPatch, max_age: int | None
) -> None:
    for alias in connections:
        monkeypatch.setitem(connections.settings[alias], "CONN_MAX_AGE", max_age)
    app = FastAPI()
    app.include_router(waiting)

    [answer] = answers(app, ["/async"])

    assert answer.body is True


variable: ContextVar[str] = ContextVar("variable", default="unset")


class Seen(BaseModel):
    language: str | None
    time_zone: str
    variable: str


def seen() -> Seen:
    return Seen(
        language=translation.get_language(),
        time_zone=timezone.get_current_timezone_name(),
        variable=variable.get(),
    )


def activate() -> None:
    translation.activate("fr")
    timezone.activate("Europe/Paris")
    variable.set("set")


def activated() -> None:
    activate()


async def aactivated() -> None:
    await asyncio.sleep(0)
    activate()


def activated_until_exit() -> Iterator[None]:
    activate()
    yield


async def aactivated_until_exit() -> AsyncIterator[None]:
    activate()
    yield


@router.get("/def/nothing")
@router.get("/def/sync", dependencies=[Depends(activated)])
@router.get("/def/async", dependencies=[Depends(aactivated)])
@router.get("/def/generator", dependencies=[Depends(activated_until_exit)])
@router.get("/def/async-generator", dependencies=[Depends(aactivated_until_exit)])
def show() -> Seen:
    return seen()


@router.get("/async/nothing")
@router.get("/async/sync", dependencies=[Depends(activated)])
@router.get("/async/async", dependencies=[Depends(aactivated)])
@router.get("/async/generator", dependencies=[Depends(activated_until_exit)])
@router.get("/async/async-generator", dependencies=[Depends(aactivated_until_exit)])
async def ashow() -> Seen:
    return seen()


@pytest.mark.parametrize("colour", ["def", "async"])
@pytest.mark.parametrize("dependency", ["sync", "async", "generator", "async-generator"])
def test_what_a_dependency_activates_is_seen_by_its_request_only(
    app: FastAPI, colour: str, dependency: str
) -> None:
    outside = seen().model_dump()
    changing, other = f"/{colour}/{dependency}", f"/{colour}/nothing"

    found = answers(app, [changing, other] * CONCURRENCY, concurrency=16)

    bodies = {path: [a.body for a in found if a.path == path] for path in (changing, other)}
    inside = {"language": "fr", "time_zone": "Europe/Paris", "variable": "set"}
    assert bodies[changing] == [inside] * CONCURRENCY
    assert bodies[other] == [outside] * CONCURRENCY


@pytest.mark.parametrize("colour", ["def", "async"])
@pytest.mark.parametrize("scope", ["function", "request"])
def test_a_generator_resets_the_context_variable_that_it_set(
    colour: str, scope: Literal["function", "request"]
) -> None:
    resets: list[str] = []

    def set_and_reset() -> Iterator[None]:
        token: Token[str] = variable.set("set")
        yield
        variable.reset(token)
        resets.append(variable.get())

    app = FastAPI()
    local = APIRouter(dependencies=[Depends(set_and_reset, scope=scope)])

    @local.get("/def")
    def show() -> str:
        return variable.get()

    @local.get("/async")
    async def ashow() -> str:
        return variable.get()

    app.include_router(local)

    found = answers(app, [f"/{colour}"] * CONCURRENCY, concurrency=16)

    assert [answer.body for answer in found] == ["set"] * CONCURRENCY
    assert resets == ["unset"] * CONCURRENCY
