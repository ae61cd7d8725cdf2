"""Around which routes does the middleware run?"""

from typing import Annotated, Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from fastapi import Depends, FastAPI

from django_mullet import APIClient, APIRouter, DjangoMiddleware, DjangoRequest, DjangoRoute
from django_mullet.execution.handoff import in_worker
from tests.middleware.serving import client, named

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_nearest_router_counts() -> None:
    def router(setting: Any, *included: Any) -> APIRouter:
        made = APIRouter(django_middleware=setting)
        for prefix, other in included:
            made.include_router(other, prefix=prefix)

        @made.get("/x")
        def x() -> None: ...

        return made

    phases = named("Phases")
    api = client(
        router(
            phases,
            ("/inherits", router(None)),
            ("/none", router(False)),
            ("/other", router(named("OwnCall"))),
        )
    )

    assert "x-phases" in api.get("/x").headers
    assert "x-phases" in api.get("/inherits/x").headers
    assert "x-phases" not in api.get("/none/x").headers
    assert "x-phases" not in api.get("/other/x").headers
    assert "x-own" in api.get("/other/x").headers


def test_a_whole_application_may_have_middleware() -> None:
    app = FastAPI(dependencies=[Depends(DjangoMiddleware(named("Phases")))])
    app.router.route_class = DjangoRoute

    @app.get("/")
    def root() -> None: ...

    assert "x-phases" in APIClient(app).get("/").headers


def test_a_route_that_is_not_ours_refuses() -> None:
    app = FastAPI(dependencies=[Depends(DjangoMiddleware())])

    @app.get("/")
    def root() -> None: ...

    with pytest.raises(ImproperlyConfigured, match="must run as a Django request"):
        APIClient(app).get("/")


def test_without_middleware_there_is_no_django_request() -> None:
    router = APIRouter()

    @router.get("/")
    def root(request: DjangoRequest) -> None: ...

    with pytest.raises(ImproperlyConfigured) as caught:
        client(router).get("/")

    assert str(caught.value) == (
        "'/' asks for Django's request, but runs without Django's middleware: write "
        "'APIRouter(django_middleware=True)'."
    )


def test_the_document_is_the_same() -> None:
    documents = []
    for setting in (None, True):
        router = APIRouter(django_middleware=setting)

        @router.get("/")
        def root(number: int) -> int:
            return number

        documents.append(client(router).get("/openapi.json").json())

    assert documents[0] == documents[1]


def test_overridden_dependencies_work() -> None:
    router = APIRouter(django_middleware=named("function", "Phases"))

    def value() -> str:
        return "value"

    @router.get("/")
    def root(value: Annotated[str, Depends(value)]) -> str:
        return f"{value} {in_worker()}"

    app = FastAPI()
    app.include_router(router)
    app.dependency_overrides[value] = lambda: "override"

    assert APIClient(app).get("/").json() == "override True"
