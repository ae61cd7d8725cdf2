"""Does a route answer as FastAPI's own, whoever finds its parameters?

The oracle is FastAPI: the same endpoints are behind its router and behind ours, and both are asked
the same.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import date
from enum import Enum
from functools import wraps
from typing import Annotated, Any, Optional

import fastapi
import pytest
from fastapi import (
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
)
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, Json
from starlette.background import BackgroundTask

from django_mullet import APIRouter
from django_mullet.routing.handler import Adapted, adapted, dependant_of

Ask = dict[str, Any]

JSON = {"content-type": "application/json"}


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Item(BaseModel):
    name: str
    size: int = 1


class Shown(BaseModel):
    number: int = Field(alias="id")
    hidden: int | None = None
    colour: Colour = Colour.RED


class Paging(BaseModel):
    limit: int = 10


def routes(router: fastapi.APIRouter, calls: list[str]) -> None:  # noqa: C901  # each endpoint counts
    """Add the endpoints that are compared; those below `/plain` have plain parameters."""

    def user(x_key: Annotated[str, Header()], session: Annotated[str, Cookie()] = "none") -> str:
        calls.append(f"user {x_key}")
        if x_key == "bad":
            raise HTTPException(401, "Who is it?")
        return f"{x_key}/{session}"

    def tenant(user: Annotated[str, Depends(user)]) -> str:
        calls.append("tenant")
        return user.upper()

    def uncached(user: Annotated[str, Depends(user, use_cache=False)]) -> str:
        calls.append("uncached")
        return user

    def opened(size: int = 2) -> Iterator[int]:
        calls.append("enter")
        try:
            yield size
        finally:
            calls.append("exit")

    async def waits(x_key: Annotated[str, Header()]) -> str:
        calls.append("waits")
        return x_key

    scheme = APIKeyHeader(name="x-key")

    @router.get("/plain/none")
    def none() -> str:
        return "nothing"

    @router.get("/plain/scalars/{number}")
    def scalars(
        number: int,
        ratio: Annotated[float, Query(ge=0)],
        colour: Colour = Colour.RED,
        flag: bool | None = None,
        text: Optional[str] = "none",  # noqa: UP045
        renamed: Annotated[int, Query(alias="other")] = 3,
    ) -> dict[str, Any]:
        return {"all": [number, ratio, colour, flag, text, renamed]}

    @router.get("/plain/user", dependencies=[Depends(tenant)])
    def with_user(
        user: Annotated[str, Depends(user)], tenant: Annotated[str, Depends(tenant)]
    ) -> list[str]:
        calls.append("endpoint")
        return [user, tenant]

    @router.get("/plain/uncached")
    def with_uncached(
        first: Annotated[str, Depends(uncached)], second: Annotated[str, Depends(user)]
    ) -> list[str]:
        return [first, second]

    @router.get("/plain/opened")
    def with_opened(
        size: Annotated[int, Depends(opened)], user: Annotated[str, Depends(user)]
    ) -> list[Any]:
        return [size, user]

    @router.get("/plain/waits")
    def with_waits(key: Annotated[str, Depends(waits)], number: int) -> list[Any]:
        return [key, number]

    @router.get("/plain/async")
    async def asynchronous(key: Annotated[str, Depends(user)], number: int) -> list[Any]:
        return [key, number]

    @router.get("/plain/request/{name}")
    def with_request(
        name: str, request: Request, key: Annotated[str, Depends(scheme)]
    ) -> list[str]:
        return [name, request.method, key]

    @router.post("/plain/body", status_code=201)
    def body(item: Item, user: Annotated[str, Depends(user)], number: int = 1) -> list[Any]:
        return [item.name, item.size, user, number]

    @router.post("/plain/async-body")
    async def async_body(item: Item) -> Item:
        return item

    @router.get("/plain/response")
    def a_response(number: int) -> Response:
        return Response(f"{number}", 202, {"x-own": "yes"})

    @router.get("/plain/invalid")
    def invalid(number: int) -> Item:
        return {"name": number}  # type: ignore[return-value]

    @router.get(
        "/plain/options",
        response_model_exclude={"hidden"},
        response_model_by_alias=False,
        response_model_exclude_unset=True,
    )
    def options() -> Shown:
        return Shown(id=1, hidden=2)

    @router.get("/plain/options/none", response_model_exclude_none=True)
    async def options_none() -> Shown:
        return Shown(id=1)

    @router.get("/plain/options/included", response_model_include={"id"})
    async def options_included() -> list[Shown]:
        return [Shown(id=1)]

    @router.get("/plain/html/{name}", response_class=HTMLResponse)
    def html(name: str) -> str:
        return f"<p>{name}</p>"

    @router.get("/plain/redirect", response_class=RedirectResponse)
    def redirect() -> str:
        return "/elsewhere"

    @router.get("/plain/json", response_class=JSONResponse, status_code=202)
    def json_response() -> Shown:
        return Shown(id=1)

    @router.get("/plain/no-model", response_model=None)
    def no_model() -> Any:
        return {"day": date(2026, 1, 1), "shown": Shown(id=1)}

    @router.delete("/plain/no-content", status_code=204)
    def no_content() -> None:
        calls.append("deleted")

    @router.get("/plain/background")
    def background() -> Any:
        return Response(b"", background=BackgroundTask(calls.append, "task"))

    def changes(request: Request) -> None:
        request.scope["path_params"]["name"] = "changed"

    @router.get("/other/changed/{name}", dependencies=[Depends(changes)])
    def changed(name: str) -> str:
        return name

    @router.get("/other/several")
    def several(numbers: Annotated[list[int], Query()], other: int | None = None) -> list[Any]:
        return [*numbers, other]

    @router.get("/other/factory")
    def factory(numbers: Annotated[str, Query(default_factory=lambda: "made")]) -> str:
        return numbers

    @router.get("/other/validated")
    def validated(number: Annotated[int, Query(validate_default=True)] = 5) -> int:
        return number

    @router.get("/other/alias")
    def alias(number: Annotated[int, Query(validation_alias="n")]) -> int:
        return number

    @router.get("/other/json")
    def as_json(number: Annotated[Json[int], Query()]) -> int:
        return number

    @router.get("/other/model")
    def model(paging: Annotated[Paging, Query()]) -> int:
        return paging.limit

    @router.get("/other/tasks")
    def tasks(tasks: BackgroundTasks, response: Response) -> str:
        response.headers["x-own"] = "yes"
        tasks.add_task(calls.append, "task")
        return "later"

    @router.post("/other/embed")
    def embed(item: Annotated[Item, Body(embed=True)]) -> Item:
        return item

    @router.post("/other/two")
    def two(first: Item, second: Item) -> list[Item]:
        return [first, second]

    @router.post("/other/optional")
    def optional(item: Item | None = None) -> Any:
        return item

    @router.post("/other/form")
    def form(name: Annotated[str, Form()]) -> str:
        return name

    def of_body(item: Item) -> Item:
        return item

    @router.post("/other/below")
    def below(item: Annotated[Item, Depends(of_body)]) -> Item:
        return item

    async def generates() -> AsyncIterator[int]:
        yield 1

    @router.get("/other/generates")
    def with_async_generator(number: Annotated[int, Depends(generates)]) -> int:
        return number


class Side:
    """An application, and what was called in it."""

    def __init__(self, router: fastapi.APIRouter) -> None:
        self.calls: list[str] = []
        routes(router, self.calls)
        self.app = FastAPI()
        self.app.include_router(router, prefix="/api")
        self.client = TestClient(self.app, raise_server_exceptions=False, follow_redirects=False)

    def answer(self, path: str, method: str = "GET", **asked: Any) -> Any:
        self.calls.clear()
        response = self.client.request(method, f"/api{path}", **asked)
        return response.status_code, response.content, response.headers, list(self.calls)

    def error(self, path: str) -> str:
        """Return what the server would log of an answer to `path` that is not valid."""
        with pytest.raises(ResponseValidationError) as caught:
            TestClient(self.app, root_path="/mounted").get(f"/api{path}")
        return str(caught.value)


@pytest.fixture(scope="module")
def sides() -> tuple[Side, Side]:
    return Side(APIRouter()), Side(fastapi.APIRouter())


KEY = {"x-key": "k"}
ASKED: list[tuple[str, Ask]] = [
    ("/plain/none", {}),
    ("/plain/scalars/1?ratio=0.5", {}),
    ("/plain/scalars/1?ratio=0.5&colour=blue&flag=on&text=&other=7", {}),
    ("/plain/scalars/1?ratio=0.5&ratio=0.7&text=a&text=b", {}),
    ("/plain/scalars/one?ratio=-1&colour=green", {}),
    ("/plain/scalars/1", {}),
    ("/plain/user", {"headers": KEY}),
    ("/plain/user", {"headers": {**KEY, "cookie": "session=s"}}),
    ("/plain/user", {"headers": {"x-key": "bad"}}),
    ("/plain/user", {}),
    ("/plain/uncached", {"headers": KEY}),
    ("/plain/opened", {"headers": KEY}),
    ("/plain/opened?size=x", {"headers": KEY}),
    ("/plain/opened", {"headers": {"x-key": "bad"}}),
    ("/plain/waits?number=1", {"headers": KEY}),
    ("/plain/waits?number=x", {"headers": KEY}),
    ("/plain/async?number=1", {"headers": KEY}),
    ("/plain/async?number=x", {"headers": {"x-key": "bad"}}),
    ("/plain/request/n", {"headers": KEY}),
    ("/plain/request/n", {}),
    *(
        (path, {"method": "POST", "headers": {**KEY, **kind}, "content": content})
        for path in ("/plain/body", "/plain/async-body")
        for kind in (
            JSON,
            {},
            {"content-type": "application/json; charset=utf-8"},
            {"content-type": "application/problem+json"},
            {"content-type": "text/plain"},
        )
        for content in (b'{"name": "n"}', b'{"name": 1}', b"{", b"\xff", b"", b"null")
    ),
    ("/plain/body", {"method": "POST", "headers": {"x-key": "bad", **JSON}, "content": b"{}"}),
    ("/plain/response?number=4", {}),
    ("/plain/invalid?number=4", {}),
    ("/plain/options", {}),
    ("/plain/options/none", {}),
    ("/plain/options/included", {}),
    ("/plain/html/n", {}),
    ("/plain/redirect", {}),
    ("/plain/json", {}),
    ("/plain/no-model", {}),
    ("/plain/no-content", {"method": "DELETE"}),
    ("/plain/background", {}),
    ("/other/changed/first", {}),
    ("/other/several?numbers=1&numbers=2", {}),
    ("/other/several", {}),
    ("/other/factory", {}),
    ("/other/validated", {}),
    ("/other/alias?n=1", {}),
    ("/other/json?number=1", {}),
    ("/other/model?limit=3", {}),
    ("/other/tasks", {}),
    ("/other/embed", {"method": "POST", "json": {"item": {"name": "n"}}}),
    ("/other/two", {"method": "POST", "json": {"first": {"name": "n"}, "second": {"name": "m"}}}),
    ("/other/optional", {"method": "POST"}),
    ("/other/form", {"method": "POST", "data": {"name": "n"}}),
    ("/other/below", {"method": "POST", "json": {"name": "n"}}),
    ("/other/generates", {}),
]


@pytest.mark.parametrize(("path", "asked"), ASKED)
def test_the_answer_is_fastapi_s(sides: tuple[Side, Side], path: str, asked: Ask) -> None:
    ours, fastapi_s = sides

    assert ours.answer(path, **asked) == fastapi_s.answer(path, **asked)


@given(
    number=st.one_of(st.integers().map(str), st.text(alphabet="0123456789.-ex _", min_size=1)),
    query=st.dictionaries(
        st.sampled_from(["ratio", "colour", "flag", "text", "other"]),
        st.one_of(st.integers().map(str), st.sampled_from(["red", "on", "", "0.5", "none"])),
    ),
)
def test_so_it_is_whatever_the_values(
    sides: tuple[Side, Side], number: str, query: dict[str, str]
) -> None:
    ours, fastapi_s = sides
    path = f"/plain/scalars/{number}"

    assert ours.answer(path, params=query) == fastapi_s.answer(path, params=query)


def test_an_answer_that_is_not_valid_is_fastapi_s_error(sides: tuple[Side, Side]) -> None:
    ours, fastapi_s = (side.error("/plain/invalid?number=4") for side in sides)

    assert ours == fastapi_s
    assert "GET /mounted/api/plain/invalid" in ours


def handlers_of(router: fastapi.APIRouter, path: str) -> Adapted:
    """Return the handlers of the route of `path`, made anew."""
    [route] = [each for each in router.routes if getattr(each, "path", "") == path]
    assert isinstance(route, APIRoute)
    ordinary = super(type(route), route).get_route_handler()  # type: ignore[misc]
    return adapted(ordinary, dependant_of(ordinary), None, is_event_stream=False)


def test_just_plain_routes_have_a_handler_of_their_own() -> None:
    router = APIRouter()
    routes(router, [])

    paths = [route.path for route in router.routes if isinstance(route, APIRoute)]
    plain = {path for path in paths if handlers_of(router, path)._plain}

    assert plain == {path for path in paths if path.startswith("/plain/")}


STEPS = ["solve_dependencies", "run_endpoint_function", "serialize_response"]


@pytest.mark.parametrize("step", STEPS)
def test_who_replaces_a_function_of_fastapi_s_sees_each_call(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = Side(APIRouter())
    seen: list[Any] = []
    original: Any = getattr(fastapi.routing, step)

    async def noted(**kwargs: Any) -> Any:
        result = await original(**kwargs)
        seen.append(getattr(result, "values", result))
        return result

    monkeypatch.setattr(fastapi.routing, step, noted)
    side.answer("/plain/waits?number=1", headers=KEY)

    values = {"key": "k", "number": 1}
    expected = {"solve_dependencies": values, "run_endpoint_function": ["k", 1]}
    assert seen == [expected.get(step, b'["k",1]')]


def test_who_wraps_fastapi_s_handlers_sees_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Sentry does."""
    seen: list[str] = []
    make: Any = fastapi.routing.get_request_handler

    def making(*args: Any, **kwargs: Any) -> Any:
        handler = make(*args, **kwargs)

        @wraps(handler)
        async def noting(request: Request) -> Response:
            seen.append(request.url.path)
            response: Response = await handler(request)
            return response

        return noting

    monkeypatch.setattr(fastapi.routing, "get_request_handler", making)
    side = Side(APIRouter())

    assert side.answer("/plain/none")[:2] == (200, b'"nothing"')
    assert seen == ["/api/plain/none"]


def spans(router: fastapi.APIRouter, path: str) -> list[str]:
    """Return the names of what FastAPI's telemetry notes of a request."""
    export: Any = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory: Any = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    provider = pytest.importorskip("opentelemetry.sdk.trace").TracerProvider()
    exporter = memory.InMemorySpanExporter()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    routes(router, [])
    app = FastAPI(telemetry={"tracer_provider": provider})
    app.include_router(router)
    TestClient(app).get(path, headers=KEY)
    return [span.name for span in exporter.get_finished_spans()]


def test_fastapi_s_telemetry_notes_each_step() -> None:
    pytest.importorskip("fastapi.telemetry")

    ours = spans(APIRouter(), "/plain/waits?number=1")

    assert ours == spans(fastapi.APIRouter(), "/plain/waits?number=1")
    assert len(ours) > 2
