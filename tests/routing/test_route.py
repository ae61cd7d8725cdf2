import asyncio
import enum
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Literal

import httpx
import pytest
from django.core import signals
from django.db import InterfaceError, OperationalError, connection
from django.test import override_settings
from django.utils import translation
from fastapi import (
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    Security,
    UploadFile,
    WebSocket,
)
from fastapi import Path as PathParam
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.security import APIKeyHeader, HTTPBasic, OAuth2PasswordBearer, SecurityScopes
from fastapi.sse import EventSourceResponse, ServerSentEvent
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field, field_validator

from django_mullet import APIRouter, DjangoRoute
from django_mullet.execution.execution import Execution
from tests.fastapi_features import needs_body_limits
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db


class Named(BaseModel):
    name: str
    n: int = 0


class ItemOut(BaseModel, from_attributes=True):
    id: int
    name: str

    @field_validator("name")
    @classmethod
    def note_thread(cls, name: str) -> str:
        validated_in.append(threading.current_thread().name)
        return name


validated_in: list[str] = []


def here() -> str:
    """Return the name of the thread, and use the database in it."""
    Item.objects.count()
    return threading.current_thread().name


def serve(router: APIRouter, **options: Any) -> TestClient:
    app = FastAPI(**options)
    app.include_router(router)
    return TestClient(app)


@pytest.fixture
def router() -> APIRouter:
    return APIRouter()


def test_the_router_is_fastapi_s_with_another_kind_of_route(router: APIRouter) -> None:
    router.add_api_route("/", lambda: None)

    [route] = router.routes
    assert type(route) is DjangoRoute


def test_the_kind_of_route_can_be_replaced() -> None:
    class Special(DjangoRoute):
        pass

    router = APIRouter(route_class=Special)
    router.add_api_route("/", lambda: None)

    assert type(router.routes[0]) is Special


# Endpoints


def test_a_synchronous_endpoint_runs_in_a_worker(router: APIRouter) -> None:
    @router.get("/")
    def endpoint() -> str:
        return here()

    assert serve(router).get("/").json().startswith("mullet-")


def test_an_asynchronous_endpoint_runs_on_the_loop_and_its_orm_in_a_worker(
    router: APIRouter,
) -> None:
    @router.get("/")
    async def endpoint() -> list[str]:
        item = await Item.objects.acreate(name="fish")
        loaded = await Item.objects.aget(pk=item.pk)
        return [loaded.name, threading.current_thread().name]

    name, thread = serve(router).get("/").json()
    assert name == "fish"
    assert not thread.startswith("mullet-")
    assert Item.objects.get().name == "fish"


def test_the_response_is_validated_where_the_rows_are_read(router: APIRouter) -> None:
    @router.get("/", response_model=list[ItemOut])
    def endpoint() -> Any:
        return Item.objects.all()

    item = Item.objects.create(name="fish")
    validated_in.clear()

    response = serve(router).get("/")

    assert response.json() == [{"id": item.pk, "name": "fish"}]
    assert [name.startswith("mullet-") for name in validated_in] == [True]


def test_all_kinds_of_parameters_arrive(router: APIRouter) -> None:
    @router.put("/{a}/{b:path}", status_code=202)
    def endpoint(
        a: int,
        b: str,
        body: Named,
        q: Annotated[list[int], Query()],
        x_header: Annotated[str, Header()],
        sid: Annotated[str, Cookie()],
        request: Request,
        response: Response,
    ) -> dict[str, Any]:
        response.headers["X-Seen"] = request.url.path
        return {"a": a, "b": b, "body": body, "q": q, "header": x_header, "sid": sid}

    client = serve(router)
    client.cookies.set("sid", "s")

    response = client.put(
        "/7/x/y", params={"q": [1, 2]}, json={"name": "n"}, headers={"X-Header": "h"}
    )

    assert response.status_code == 202
    assert response.headers["X-Seen"] == "/7/x/y"
    assert response.json() == {
        "a": 7,
        "b": "x/y",
        "body": {"name": "n", "n": 0},
        "q": [1, 2],
        "header": "h",
        "sid": "s",
    }


@pytest.mark.parametrize("asynchronous", [False, True])
def test_every_request_is_one_request_of_django(router: APIRouter, asynchronous: bool) -> None:
    @router.get("/sync")
    def sync() -> None:
        Item.objects.count()

    @router.get("/async")
    async def asynch() -> None:
        await Item.objects.acount()
        await Item.objects.acount()

    events: list[tuple[str, str]] = []

    def started(**kwargs: Any) -> None:
        assert kwargs["scope"]["path"] == path
        events.append(("started", threading.current_thread().name))

    def finished(**kwargs: Any) -> None:
        assert issubclass(kwargs["sender"], Execution)
        events.append(("finished", threading.current_thread().name))

    path = "/async" if asynchronous else "/sync"
    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    try:
        serve(router).get(path)
    finally:
        signals.request_started.disconnect(started)
        signals.request_finished.disconnect(finished)

    assert [name for name, _ in events] == ["started", "finished"]
    assert all(thread.startswith("mullet-") for _, thread in events)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_every_method_is_served(router: APIRouter, method: str) -> None:
    @router.api_route("/", methods=[method.upper()])
    def endpoint(request: Request) -> str:
        return request.method + here()[:6]

    assert getattr(serve(router), method)("/").json() == method.upper() + "mullet"


def test_a_head_route_sends_no_body(router: APIRouter) -> None:
    @router.head("/")
    def endpoint() -> None:
        here()

    assert serve(router).head("/").status_code == 200


def test_an_endpoint_may_be_an_instance_that_can_be_called(router: APIRouter) -> None:
    class Endpoint:
        def __call__(self, q: int) -> str:
            return f"{q}{here()}"

    class AsyncEndpoint:
        async def __call__(self, q: int) -> int:
            return q + await Item.objects.acount()

    router.add_api_route("/sync", Endpoint())
    router.add_api_route("/async", AsyncEndpoint())
    client = serve(router)

    assert client.get("/sync?q=1").json().startswith("1mullet-")
    assert client.get("/async?q=1").json() == 1


def test_a_router_may_be_the_application_s_own() -> None:
    app = FastAPI()
    app.router.route_class = DjangoRoute

    @app.get("/")
    def endpoint() -> str:
        return here()

    assert TestClient(app).get("/").json().startswith("mullet-")


def test_one_router_may_be_included_twice(router: APIRouter) -> None:
    @router.get("/x")
    def endpoint(request: Request) -> str:
        here()
        return request.url.path

    app = FastAPI()
    app.include_router(router, prefix="/a")
    app.include_router(router, prefix="/b")
    client = TestClient(app)

    assert [client.get(path).json() for path in ("/a/x", "/b/x")] == ["/a/x", "/b/x"]


def test_nested_routers_add_up_prefixes_and_dependencies() -> None:
    order: list[str] = []

    def note(name: str) -> Any:
        def dependency() -> None:
            order.append(f"{name} {here()[:6]}")

        return Depends(dependency)

    inner = APIRouter(prefix="/inner", dependencies=[note("inner")])
    middle = APIRouter(prefix="/middle", dependencies=[note("middle")])

    @inner.get("/{pk}", dependencies=[note("route")])
    def endpoint(pk: int, _: Annotated[None, note("parameter")]) -> int:
        return pk

    middle.include_router(inner, prefix="/x", dependencies=[note("include x")])
    app = FastAPI(dependencies=[note("app")])
    app.include_router(middle, prefix="/api", dependencies=[note("include api")])

    response = TestClient(app).get("/api/middle/x/inner/3")

    assert response.json() == 3
    assert order == [
        f"{name} mullet"
        for name in ("app", "include api", "middle", "include x", "inner", "route", "parameter")
    ]


def test_fastapi_s_routers_and_ours_mix() -> None:
    import fastapi

    plain, ours = fastapi.APIRouter(), APIRouter()

    @plain.get("/plain")
    def plain_endpoint() -> str:
        return threading.current_thread().name

    @ours.get("/ours")
    def our_endpoint() -> str:
        return here()

    plain.include_router(ours, prefix="/in")
    client = TestClient(app := FastAPI())
    app.include_router(plain)

    assert not client.get("/plain").json().startswith("mullet-")
    assert client.get("/in/ours").json().startswith("mullet-")


def test_a_mounted_application_is_served_below_its_path(router: APIRouter) -> None:
    @router.get("/x")
    def endpoint(request: Request) -> list[str]:
        from django.urls import get_script_prefix

        here()
        return [request.scope["root_path"], get_script_prefix()]

    inner, outer = FastAPI(), FastAPI()
    inner.include_router(router)
    outer.mount("/sub", inner)

    assert TestClient(outer).get("/sub/x").json() == ["/sub", "/sub/"]


def test_what_one_request_sets_the_next_does_not_see(router: APIRouter) -> None:
    @router.get("/sync")
    def sync() -> str:
        before = translation.get_language()
        translation.activate("de")
        return before

    @router.get("/async")
    async def asynch() -> str:
        before = translation.get_language()
        translation.activate("de")
        return before

    client = serve(router)

    answers = [client.get(path).json() for path in ("/sync", "/async") * 3]

    assert answers == ["en-us"] * 6


def test_the_language_follows_a_request_from_dependency_to_endpoint(router: APIRouter) -> None:
    def sync_german() -> None:
        translation.activate("de")

    async def async_german() -> None:
        translation.activate("de")

    def language() -> str:
        here()
        return translation.get_language()

    async def async_language() -> str:
        return translation.get_language()

    for first in (sync_german, async_german):
        for endpoint in (language, async_language):
            path = f"/{first.__name__}/{endpoint.__name__}"
            router.add_api_route(path, endpoint, dependencies=[Depends(first)])
    client = serve(router)

    paths = [route.path for route in router.routes]  # type: ignore[attr-defined]
    assert [client.get(path).json() for path in paths] == ["de"] * 4


# Forms and files


def test_a_form_arrives(router: APIRouter) -> None:
    @router.post("/sync")
    def sync(name: Annotated[str, Form()], n: Annotated[int, Form()] = 1) -> list[Any]:
        return [name, n, here()[:6]]

    @router.post("/async")
    async def asynch(form: Annotated[Named, Form()]) -> list[Any]:
        return [form.name, form.n]

    client = serve(router)

    assert client.post("/sync", data={"name": "fish", "n": "2"}).json() == ["fish", 2, "mullet"]
    assert client.post("/async", data={"name": "fish"}).json() == ["fish", 0]
    assert client.post("/sync", data={}).status_code == 422


ROLLED = 1024 * 1024 + 10  # bytes: kept on disk, not in memory


@pytest.mark.parametrize("size", [10, ROLLED])
def test_uploaded_files_arrive_in_every_form(router: APIRouter, size: int) -> None:
    @router.post("/bytes")
    def as_bytes(file: Annotated[bytes, File()]) -> list[Any]:
        return [len(file), here()[:6]]

    @router.post("/file")
    def as_file(file: UploadFile) -> list[Any]:
        return [len(file.file.read()), here()[:6]]

    @router.post("/async-bytes")
    async def as_async_bytes(file: Annotated[bytes, File()]) -> list[Any]:
        return [len(file), "mullet"]

    @router.post("/async-file")
    async def as_async_file(file: UploadFile) -> list[Any]:
        return [len(await file.read()), "mullet"]

    @router.post("/many")
    def as_many(files: Annotated[list[bytes], File(alias="file")]) -> list[Any]:
        return [sum(map(len, files)), here()[:6]]

    client = serve(router)

    for path in ("/bytes", "/file", "/async-bytes", "/async-file", "/many"):
        response = client.post(path, files={"file": ("f.bin", b"x" * size)})
        assert response.json() == [size, "mullet"], path


def test_a_file_that_a_dependency_reads_arrives(router: APIRouter) -> None:
    def size(file: Annotated[bytes, File()]) -> int:
        here()
        return len(file)

    @router.post("/")
    def endpoint(size: Annotated[int, Depends(size)]) -> int:
        return size

    response = serve(router).post("/", files={"file": ("f", b"x" * ROLLED)})

    assert response.json() == ROLLED


# Bodies


def test_malformed_json_is_a_validation_error(router: APIRouter) -> None:
    @router.post("/sync")
    def sync(body: Named) -> None: ...

    @router.post("/async")
    async def asynch(body: Named) -> None: ...

    client = serve(router)
    headers = {"Content-Type": "application/json"}

    answers = [client.post(path, content="{", headers=headers) for path in ("/sync", "/async")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["detail"][0]["type"] == "json_invalid"


def test_a_body_that_is_no_utf8_is_refused(router: APIRouter) -> None:
    @router.post("/")
    def endpoint(body: Named) -> None: ...

    headers = {"Content-Type": "application/json"}
    response = serve(router).post("/", content=b"\xff\xfe\xfa", headers=headers)

    assert (response.status_code, response.json()) == (
        400,
        {"detail": "There was an error parsing the body"},
    )


def test_bodies_of_other_types_arrive_as_bytes(router: APIRouter) -> None:
    @router.post("/")
    def endpoint(body: Annotated[bytes, Body(media_type="text/plain")]) -> int:
        return len(body)

    response = serve(router).post("/", content="abc", headers={"Content-Type": "text/plain"})

    assert response.json() == 3


def test_an_endpoint_may_do_without_the_body_that_is_sent(router: APIRouter) -> None:
    @router.post("/")
    def endpoint() -> str:
        return here()

    assert serve(router).post("/", content=b"x" * 100_000).status_code == 200


@pytest.mark.parametrize("is_overridden", [False, True])
def test_nobody_waits_for_a_body_that_no_parameter_takes(
    router: APIRouter, is_overridden: bool
) -> None:
    called: list[str] = []

    def original() -> None:
        called.append("original")

    def override() -> None:
        called.append("override")

    @router.post("/", dependencies=[Depends(original)])
    def endpoint() -> None:
        called.append(here()[:6])

    app = FastAPI()
    app.include_router(router)
    if is_overridden:
        app.dependency_overrides[original] = override
    sent: list[Any] = []

    async def receive() -> Any:
        called.append("receive")
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope_of("/"), receive, send))

    assert sent[0]["status"] == 200
    assert called == ["override" if is_overridden else "original", "mullet"]


def test_an_asynchronous_endpoint_may_read_the_body_itself(router: APIRouter) -> None:
    @router.post("/")
    async def endpoint(request: Request) -> int:
        return len(await request.body())

    assert serve(router).post("/", content=b"abc").json() == 3


def test_a_dependency_may_read_the_body_of_a_synchronous_endpoint(router: APIRouter) -> None:
    async def length(request: Request) -> int:
        return len(await request.body())

    @router.post("/")
    def endpoint(body: Named, length: Annotated[int, Depends(length)]) -> list[Any]:
        here()
        return [body.name, length]

    assert serve(router).post("/", content=b'{"name":"f"}', headers=JSON).json() == ["f", 12]


JSON = {"Content-Type": "application/json"}


@needs_body_limits
@pytest.mark.parametrize("path", ["/sync", "/async", "/form"])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_long_is_refused(path: str, announced: bool) -> None:
    router = APIRouter()

    @router.post("/sync")
    def sync(body: Named) -> None: ...

    @router.post("/async")
    async def asynch(body: Named) -> None: ...

    @router.post("/form")
    def form(file: UploadFile) -> None: ...

    client = serve(router, max_body_size=100)
    boundary = b"--b\r\nContent-Disposition: form-data; name=file; filename=f\r\n\r\n"
    content = boundary + b"x" * 200 + b"\r\n--b--\r\n"
    kind = "multipart/form-data; boundary=b" if path == "/form" else "application/json"

    response = client.post(
        path,
        content=content if announced else iter([content[:90], content[90:]]),
        headers={"Content-Type": kind},
    )

    assert response.status_code == 413


def scope_of(path: str, method: str = "POST", **headers: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("test", 1),
        "server": ("test", 80),
    }


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_a_client_that_leaves_before_its_body_is_there_gets_as_far_as_in_fastapi(
    router: APIRouter, path: str
) -> None:
    called: list[str] = []

    @router.post("/sync")
    def sync(body: Named) -> None:
        called.append("sync")

    @router.post("/async")
    async def asynch(body: Named) -> None:
        called.append("async")

    app = FastAPI()
    app.include_router(router)
    messages = [
        {"type": "http.request", "body": b'{"name"', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope_of(path, **{"content-type": "application/json"}), receive, send))

    assert called == []
    assert sent[0]["status"] == 400
    assert json.loads(sent[1]["body"]) == {"detail": "There was an error parsing the body"}


# Errors


def test_an_http_exception_is_answered(router: APIRouter) -> None:
    @router.get("/sync")
    def sync() -> None:
        here()
        raise HTTPException(418, detail="teapot", headers={"X-Tea": "green"})

    @router.get("/async")
    async def asynch() -> None:
        raise HTTPException(418, detail="teapot", headers={"X-Tea": "green"})

    client = serve(router)

    for path in ("/sync", "/async"):
        response = client.get(path)
        assert (response.status_code, response.json()) == (418, {"detail": "teapot"})
        assert response.headers["X-Tea"] == "green"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_reaches_the_application_s_handler(router: APIRouter, asynchronous: bool) -> None:
    def sync() -> None:
        Item.objects.get(name="missing")

    async def asynch() -> None:
        await Item.objects.aget(name="missing")

    router.add_api_route("/", asynch if asynchronous else sync)
    app = FastAPI()
    app.include_router(router)

    @app.exception_handler(Item.DoesNotExist)
    async def not_found(request: Request, error: Exception) -> Response:
        return PlainTextResponse("gone", 404)

    response = TestClient(app).get("/")

    assert (response.status_code, response.text) == (404, "gone")


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_error_of_a_database_that_is_there_is_the_server_s(
    router: APIRouter, asynchronous: bool, error: type[Exception]
) -> None:
    def sync() -> None:
        Item.objects.count()
        raise error("canceled")

    async def asynch() -> None:
        await Item.objects.acount()
        raise error("canceled")

    router.add_api_route("/", asynch if asynchronous else sync)

    with pytest.raises(error, match="canceled"):
        serve(router).get("/")


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_an_unexpected_error_is_the_server_s(router: APIRouter, path: str) -> None:
    @router.get("/sync")
    def sync() -> None:
        raise KeyError(here()[:6])

    @router.get("/async")
    async def asynch() -> None:
        raise KeyError("mullet")

    app = FastAPI()
    app.include_router(router)

    with pytest.raises(KeyError, match="mullet"):
        TestClient(app).get(path)
    assert TestClient(app, raise_server_exceptions=False).get(path).status_code == 500


def test_a_handler_of_validation_errors_may_read_the_body(router: APIRouter) -> None:
    @router.post("/sync")
    def sync(body: Named) -> None: ...

    @router.post("/async")
    async def asynch(body: Named) -> None: ...

    app = FastAPI()
    app.include_router(router)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return JSONResponse({"body": (await request.body()).decode(), "had": error.body}, 422)

    client = TestClient(app)

    for path in ("/sync", "/async"):
        response = client.post(path, json={"n": 1})
        assert response.status_code == 422
        assert response.json() == {"body": '{"n":1}', "had": {"n": 1}}


def test_a_response_that_does_not_fit_its_model_is_an_error(router: APIRouter) -> None:
    @router.get("/sync", response_model=int)
    def sync() -> Any:
        return "five"

    @router.get("/async", response_model=int)
    async def asynch() -> Any:
        return "five"

    client = serve(router)

    for path in ("/sync", "/async"):
        with pytest.raises(ResponseValidationError, match="GET " + path):
            client.get(path)


def test_the_location_of_an_error_is_the_user_s_own_function(router: APIRouter) -> None:
    @router.get("/", response_model=int)
    def endpoint_of_the_user() -> Any:
        return "five"

    with pytest.raises(ResponseValidationError) as caught:
        serve(router).get("/")

    assert caught.value.endpoint_function == "endpoint_of_the_user"
    assert caught.value.endpoint_file == __file__


def test_a_status_without_a_body_has_none(router: APIRouter) -> None:
    @router.delete("/", status_code=204)
    def endpoint() -> None:
        here()

    response = serve(router).delete("/")

    assert (response.status_code, response.content) == (204, b"")


def test_a_returned_response_is_sent_as_it_is(router: APIRouter) -> None:
    @router.get("/")
    def endpoint() -> Response:
        here()
        return PlainTextResponse("raw", 203, headers={"X-Own": "1"})

    response = serve(router).get("/")

    assert (response.status_code, response.text, response.headers["X-Own"]) == (203, "raw", "1")


@override_settings(MULLET={"THREADS": 1, "QUEUE": 1, "RETRY_AFTER": 7})
@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_an_overloaded_server_says_so(
    router: APIRouter,
    path: str,
    all_workers_busy: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    @router.get("/sync")
    def sync() -> str:
        return here()

    @router.get("/async")
    async def asynch() -> int:
        return await Item.objects.acount()

    all_workers_busy()

    response = serve(router).get(path)

    assert response.status_code == 503
    assert response.json() == {"detail": "The server is busy."}
    assert response.headers["Retry-After"] == "7"
    [logged] = [record for record in caplog.records if record.name == "django.request"]
    assert logged.levelname == "WARNING"
    assert logged.message.startswith(f"Busy: {path}: All workers are busy")


# After the response


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_background_tasks_run_in_the_request_s_worker(router: APIRouter, path: str) -> None:
    ran: list[tuple[str, str]] = []

    def later(name: str, *, create: bool = False) -> None:
        if create:
            Item.objects.create(name=name)
        ran.append((name, here()[:6]))

    async def later_async(name: str) -> None:
        await Item.objects.acreate(name=name)
        ran.append((name, threading.current_thread().name[:6]))

    @router.get("/sync")
    def sync(tasks: BackgroundTasks) -> None:
        tasks.add_task(later, "first", create=True)
        tasks.add_task(later_async, "second")

    @router.get("/async")
    async def asynch(tasks: BackgroundTasks) -> None:
        tasks.add_task(later, "first", create=True)
        tasks.add_task(later_async, "second")

    assert serve(router).get(path).status_code == 200

    assert [name for name, _ in ran] == ["first", "second"]
    assert ran[0][1] == "mullet"
    assert ran[1][1] != "mullet"
    assert sorted(item.name for item in Item.objects.all()) == ["first", "second"]


def test_one_background_task_on_a_returned_response_runs_too(router: APIRouter) -> None:
    from starlette.background import BackgroundTask

    ran: list[str] = []

    @router.get("/")
    def endpoint() -> Response:
        return PlainTextResponse("x", background=BackgroundTask(lambda: ran.append(here()[:6])))

    assert serve(router).get("/").text == "x"
    assert ran == ["mullet"]


def test_tasks_of_dependencies_and_endpoint_run_in_their_order(router: APIRouter) -> None:
    ran: list[str] = []

    def dependency(tasks: BackgroundTasks) -> None:
        tasks.add_task(ran.append, "dependency")

    @router.get("/", dependencies=[Depends(dependency)])
    def endpoint(tasks: BackgroundTasks) -> None:
        tasks.add_task(ran.append, "endpoint")

    serve(router).get("/")

    assert ran == ["dependency", "endpoint"]


def test_a_failing_background_task_is_an_error_of_the_server(router: APIRouter) -> None:
    def fail() -> None:
        raise LookupError(here()[:6])

    @router.get("/")
    def endpoint(tasks: BackgroundTasks) -> None:
        tasks.add_task(fail)

    with pytest.raises(LookupError, match="mullet"):
        serve(router).get("/")


@pytest.mark.parametrize("path", ["/sync", "/async", "/async-sync-body"])
def test_a_streamed_body_is_made_in_the_request_s_worker(router: APIRouter, path: str) -> None:
    def rows() -> Iterator[str]:
        for item in Item.objects.order_by("pk").iterator(chunk_size=1):
            yield f"{item.name} {here()[:6]}\n"

    async def async_rows() -> AsyncIterator[str]:
        async for item in Item.objects.order_by("pk"):
            yield f"{item.name} mullet\n"

    @router.get("/sync")
    def sync() -> StreamingResponse:
        return StreamingResponse(rows())

    @router.get("/async")
    async def asynch() -> StreamingResponse:
        return StreamingResponse(async_rows())

    @router.get("/async-sync-body")
    async def asynch_with_sync_body() -> StreamingResponse:
        return StreamingResponse(rows())

    for name in "abc":
        Item.objects.create(name=name)

    assert serve(router).get(path).text == "a mullet\nb mullet\nc mullet\n"


def test_a_streamed_list_arrives(router: APIRouter) -> None:
    @router.get("/")
    def endpoint() -> StreamingResponse:
        return StreamingResponse(["a", "b"])

    assert serve(router).get("/").text == "ab"


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_generator_endpoints_send_json_lines(router: APIRouter, path: str) -> None:
    @router.get("/sync")
    def sync(prefix: str) -> Iterator[Named]:
        for item in Item.objects.order_by("pk"):
            yield Named(name=f"{prefix}{item.name}{here()[:6]}")

    @router.get("/async")
    async def asynch(prefix: str) -> AsyncIterator[Named]:
        async for item in Item.objects.order_by("pk"):
            yield Named(name=f"{prefix}{item.name}mullet")

    Item.objects.create(name="a")
    Item.objects.create(name="b")

    response = serve(router).get(path, params={"prefix": "-"})

    assert response.headers["Content-Type"] == "application/jsonl"
    assert [json.loads(line)["name"] for line in response.text.splitlines()] == [
        "-amullet",
        "-bmullet",
    ]


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_generator_endpoints_send_events(router: APIRouter, path: str) -> None:
    @router.get("/sync", response_class=EventSourceResponse)
    def sync() -> Iterator[ServerSentEvent]:
        for item in Item.objects.order_by("pk"):
            yield ServerSentEvent(data=f"{item.name} {here()[:6]}", event="row")

    @router.get("/async", response_class=EventSourceResponse)
    async def asynch() -> AsyncIterator[ServerSentEvent]:
        async for item in Item.objects.order_by("pk"):
            yield ServerSentEvent(data=f"{item.name} mullet", event="row")

    Item.objects.create(name="a")
    Item.objects.create(name="b")

    response = serve(router).get(path)

    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert response.text == ('event: row\ndata: "a mullet"\n\nevent: row\ndata: "b mullet"\n\n')


@pytest.mark.parametrize("path", ["/sync", "/async"])
def test_generator_endpoints_send_raw_pieces(router: APIRouter, path: str) -> None:
    @router.get("/sync", response_class=StreamingResponse)
    def sync() -> Iterator[bytes]:
        yield b"a"
        yield here()[:6].encode()

    @router.get("/async", response_class=StreamingResponse)
    async def asynch() -> AsyncIterator[bytes]:
        yield b"a"
        await Item.objects.acount()
        yield b"mullet"

    assert serve(router).get(path).text == "amullet"


def test_dependencies_of_a_stream_are_left_after_its_last_piece(router: APIRouter) -> None:
    order: list[str] = []

    def dependency() -> Iterator[None]:
        order.append("enter " + here()[:6])
        yield
        order.append("leave " + here()[:6])

    @router.get("/")
    def endpoint(_: Annotated[None, Depends(dependency)]) -> StreamingResponse:
        def body() -> Iterator[str]:
            order.append("body " + here()[:6])
            yield "x"

        return StreamingResponse(body())

    assert serve(router).get("/").text == "x"
    assert order == ["enter mullet", "body mullet", "leave mullet"]


# Clients, and the rest of FastAPI


def test_an_asynchronous_client_is_served(router: APIRouter) -> None:
    @router.get("/sync")
    def sync() -> int:
        return Item.objects.count()

    @router.get("/async")
    async def asynch() -> int:
        return await Item.objects.acount()

    Item.objects.create(name="fish")
    app = FastAPI()
    app.include_router(router)

    async def main() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            paths = ["/sync", "/async"] * 5
            return [r.json() for r in await asyncio.gather(*map(client.get, paths))]

    assert asyncio.run(main()) == [1] * 10


def serve_methods() -> TestClient:
    """Serve `/api/items/{id}` with methods in two routers and in the application."""
    app, outer, inner = FastAPI(), APIRouter(), APIRouter()
    inner.get("/items/{id}")(lambda: None)
    inner.delete("/items/new")(lambda: None)
    outer.api_route("/items/{id}", methods=["PUT", "PATCH"])(lambda: None)
    outer.include_router(inner)
    app.include_router(outer, prefix="/api")
    app.delete("/api/items/{id}")(lambda: None)
    app.websocket("/api/items/{id}")(lambda websocket: None)
    return TestClient(app)


def test_a_405_names_the_methods_of_all_routes_of_the_path() -> None:
    client = serve_methods()

    answer, head = client.post("/api/items/1"), client.head("/api/items/1")

    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["allow"] == head.headers["allow"] == "DELETE, GET, PATCH, PUT"


def test_a_405_of_a_mounted_application_names_its_own_methods() -> None:
    inner, outer = FastAPI(), FastAPI()
    router = APIRouter()
    router.get("/items")(lambda: None)
    router.post("/items")(lambda: None)
    inner.include_router(router)
    outer.delete("/items")(lambda: None)
    outer.mount("/v1", inner)

    assert TestClient(outer).put("/v1/items").headers["allow"] == "GET, POST"


def test_a_router_without_an_application_answers_405(router: APIRouter) -> None:
    router.get("/items")(lambda: None)

    answer = TestClient(router).put("/items")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


def test_telemetry_may_be_off(router: APIRouter) -> None:
    @router.get("/sync")
    def sync() -> str:
        return here()

    @router.get("/async")
    async def asynch() -> int:
        return await Item.objects.acount()

    client = serve(router, telemetry={"tracing": False, "metrics": False, "logs": False})

    assert client.get("/sync").json().startswith("mullet-")
    assert client.get("/async").json() == 0


def test_a_request_is_answered_with_debugging_on(router: APIRouter) -> None:
    @router.get("/")
    def endpoint() -> None:
        raise KeyError(here())

    app = FastAPI(debug=True)
    app.include_router(router)
    response = TestClient(app, raise_server_exceptions=False).get("/")

    assert response.status_code == 500
    assert "KeyError" in response.text


def test_middleware_of_the_application_sees_every_request(router: APIRouter) -> None:
    @router.get("/")
    def endpoint(request: Request) -> str:
        here()
        return str(request.state.seen)

    app = FastAPI()
    app.include_router(router)

    @app.middleware("http")
    async def middleware(request: Request, call_next: Any) -> Any:
        request.state.seen = "seen"
        response = await call_next(request)
        response.headers["X-Seen"] = "1"
        return response

    response = TestClient(app).get("/")

    assert (response.json(), response.headers["X-Seen"]) == ("seen", "1")


def test_websockets_are_fastapi_s(router: APIRouter) -> None:
    @router.websocket("/ws")
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text((await websocket.receive_text())[::-1])
        await websocket.close()

    with serve(router).websocket_connect("/ws") as session:
        session.send_text("fish")

        assert session.receive_text() == "hsif"


def test_the_worker_uses_the_test_s_connection(router: APIRouter) -> None:
    @router.get("/")
    def endpoint() -> bool:
        return connection.in_atomic_block

    assert serve(router).get("/").json() is True


# The OpenAPI document


def test_the_openapi_document_is_byte_for_byte_fastapi_s() -> None:
    import fastapi

    ours, theirs = described(APIRouter), described(fastapi.APIRouter)

    assert json.dumps(ours) == json.dumps(theirs)
    assert len(ours["paths"]) == 14
    assert set(ours["webhooks"]) == {"created"}


class Color(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=0, le=9, description="left")] = 9


class Dog(BaseModel):
    kind: Literal["dog"]
    color: Color = Color.RED
    friends: list["Dog | Cat"] = []


class Headers(BaseModel):
    x_trace: str
    accept_language: str | None = None


class Problem(BaseModel):
    detail: str


class Pages:
    """A page."""

    def __init__(self, page: int = 1, size: Annotated[int, Query(le=100)] = 10) -> None: ...


def described(router_class: Any) -> dict[str, Any]:  # noqa: C901 - a list, not a program
    """Return the document of an application that uses about everything."""
    oauth = OAuth2PasswordBearer(tokenUrl="token", scopes={"read": "Read", "write": "Write"})
    key = APIKeyHeader(name="X-Key", description="a key")

    def user(scopes: SecurityScopes, token: Annotated[str, Depends(oauth)]) -> str:
        return token

    class Permission:
        def __call__(
            self,
            user: Annotated[str, Security(user, scopes=["write"])],
            x_tenant: Annotated[str | None, Header()] = None,
        ) -> str:
            return user

    def generator(user: Annotated[str, Depends(user)]) -> Iterator[str]:
        yield user

    async def async_generator(deep: Annotated[int, Query(alias="deep-down")] = 0) -> Any:
        yield deep

    callbacks, router = router_class(), router_class(tags=["all"])

    @callbacks.post("{$request.body.url}/done", response_model=Problem)
    def done(body: Cat) -> None:
        """Called back."""

    @router.get("/union/{color}", summary="A union", response_description="One or the other")
    def union(color: Color, pages: Annotated[Pages, Depends()]) -> Dog | Cat | None:
        """Return a pet.

        In *markdown*.
        """

    @router.post("/body/{pk}", status_code=201, responses={409: {"model": Problem}})
    async def body(
        pk: Annotated[int, PathParam(gt=0, title="Key")],
        pet: Annotated[Dog | Cat, Body(discriminator="kind")],
        note: Annotated[str, Body(examples=["n"])] = "",
    ) -> Cat: ...

    @router.put("/form")
    def form(a: Annotated[str, Form()], b: Annotated[list[int], Form()]) -> None: ...

    @router.put("/form-model")
    def form_model(form: Annotated[Cat, Form()]) -> None: ...

    @router.post("/files")
    def files(
        one: UploadFile,
        raw: Annotated[bytes, File(description="raw")],
        many: list[UploadFile] | None = None,
    ) -> list[str]: ...

    @router.get("/headers")
    def headers(
        all_headers: Annotated[Headers, Header()],
        session: Annotated[str | None, Cookie(deprecated=True)] = None,
    ) -> None: ...

    @router.get("/secured", dependencies=[Security(key), Depends(generator)])
    async def secured(
        permission: Annotated[str, Depends(Permission())],
        deep: Annotated[int, Depends(async_generator)],
        basic: Annotated[Any, Depends(HTTPBasic())],
        request: Request,
        tasks: BackgroundTasks,
    ) -> None: ...

    @router.delete("/gone", status_code=204, deprecated=True, operation_id="remove")
    def gone() -> None: ...

    @router.get("/hidden", include_in_schema=False)
    def hidden() -> None: ...

    @router.post("/callback", callbacks=callbacks.routes, openapi_extra={"x-own": [1]})
    def callback(url: str) -> None: ...

    @router.get("/model", response_model=list[Dog], response_model_exclude={"friends"})
    def model() -> Any: ...

    @router.get("/raw", response_class=PlainTextResponse)
    def raw() -> str: ...

    @router.get("/lines")
    def lines() -> Iterator[Cat]:
        yield Cat(kind="cat")

    @router.get("/events", response_class=EventSourceResponse)
    async def events() -> AsyncIterator[Cat]:
        yield Cat(kind="cat")

    @router.api_route("/both", methods=["PATCH"], name="named")
    def both(q: Annotated[set[int], Query(min_length=1)]) -> dict[str, list[Color]]: ...

    outer = router_class(dependencies=[Depends(user)], responses={418: {"description": "Tea"}})
    outer.include_router(router, prefix="/v1", tags=["one"], deprecated=None)
    app = FastAPI(title="T", version="2", dependencies=[Depends(Pages)], servers=[{"url": "/s"}])
    app.include_router(outer, prefix="/api")
    app.webhooks.post("created")(lambda body: None)
    return app.openapi()
