"""Does an endpoint of an `APIRouter` run as a Django request, however it is included?"""

import threading
from typing import Annotated, Any

import pytest
from django.core import signals
from django.utils import translation
from fastapi import Cookie, Depends, FastAPI, Header, Query, Request, Response
from fastapi.testclient import TestClient
from pydantic import BaseModel, field_validator

from django_mullet import APIRouter, DjangoRoute
from django_mullet.execution.execution import Execution
from tests.routing.serving import Named, here, serve
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db


class ItemOut(BaseModel, from_attributes=True):
    id: int
    name: str

    @field_validator("name")
    @classmethod
    def note_thread(cls, name: str) -> str:
        validated_in.append(threading.current_thread().name)
        return name


validated_in: list[str] = []


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
