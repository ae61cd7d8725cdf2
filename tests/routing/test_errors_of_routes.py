"""Is what an endpoint raises answered as in FastAPI?"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import override_settings
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.testclient import TestClient

from django_mullet import APIRouter
from tests.routing.serving import Named, here, serve
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db


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
