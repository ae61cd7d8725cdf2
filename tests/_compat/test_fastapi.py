"""Can FastAPI's handler, its dependencies and its stacks be replaced?"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, get_request_handler
from fastapi.testclient import TestClient

from django_mullet import UnsupportedFastAPI
from django_mullet._compat import fastapi


@pytest.mark.parametrize(
    "name",
    ["dependant", "dependency_overrides_provider", "stream_item_field", "is_json_stream"],
)
def test_fastapi_s_handler_has_the_variables(name: str) -> None:
    app = FastAPI()
    app.add_api_route("/", lambda: None)
    route = app.routes[-1]
    assert isinstance(route, APIRoute)

    cell = fastapi.handler_variable(route.get_route_handler(), name)

    expected = {
        "dependant": route.dependant,
        "dependency_overrides_provider": app,
        "stream_item_field": route.stream_item_field,
        "is_json_stream": route.is_json_stream,
    }
    assert cell.cell_contents is expected[name]


def test_replacing_the_variable_changes_what_the_handler_does() -> None:
    def dependency() -> str:
        return "dependency"

    class Overriding:
        dependency_overrides = {dependency: lambda: "override"}

    app = FastAPI()

    class Route(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()
            cell = fastapi.handler_variable(handler, "dependency_overrides_provider")
            cell.cell_contents = Overriding()
            return handler

    app.router.route_class = Route

    @app.get("/")
    def endpoint(value: Annotated[Any, Depends(dependency)]) -> Any:
        return value

    assert TestClient(app).get("/").json() == "override"


def test_a_copy_of_a_dependant_has_what_is_unknown_and_nothing_that_was_kept() -> None:
    @dataclass
    class Newer(Dependant):
        priority: int = 0

        @cached_property
        def is_slow(self) -> bool:
            return self.call is len

    old = Newer(call=len, priority=7)
    assert old.is_slow
    vars(old)["noted"] = "by a tool"

    new: Any = fastapi.changed_dependant(old, call=print)

    assert (new.priority, new.noted, new.is_slow) == (7, "by a tool", False)
    assert (old.call, old.is_slow) == (len, True)


def handler_with(unknown: Any) -> Any:
    dependant, dependency_overrides_provider, response_field = Dependant(call=print), None, None

    def app() -> Any:
        return dependant, dependency_overrides_provider, response_field, unknown

    app.__module__ = "fastapi.routing"
    return app


def calling(call: Any) -> Any:
    return lambda: call()


def with_an_empty_variable() -> Any:
    def function() -> Any:
        return empty

    if function.__closure__ is None:
        empty = None
    return function


class Steps(list[Any]):
    def run(self) -> None: ...


@pytest.mark.parametrize(
    "unknown",
    [
        print,
        partial(print, sep=""),
        partial(iter, print, None),
        calling([print]),
        lambda call=print: call(),
        {"calls": (len, [print])},
        Steps([print]).run,
    ],
)
def test_a_variable_that_leads_to_the_endpoint_is_reported(unknown: Any) -> None:
    with pytest.raises(UnsupportedFastAPI, match="The variable 'unknown' of FastAPI's request"):
        fastapi.require_sole_references(handler_with(unknown))


@pytest.mark.parametrize(
    "unknown", [None, 5, len, partial(len), {"a": [len]}, calling(len), with_an_empty_variable()]
)
def test_a_variable_that_leads_elsewhere_is_not(unknown: Any) -> None:
    fastapi.require_sole_references(handler_with(unknown))


@pytest.mark.parametrize(
    "handler", [get_request_handler, lambda request: None, print, AsyncExitStack()]
)
def test_a_handler_without_the_variable_is_reported(handler: Any) -> None:
    with pytest.raises(UnsupportedFastAPI) as caught:
        fastapi.handler_variable(handler, "missing")

    assert str(caught.value) == (
        "FastAPI's request handler has no variable 'missing'. Install a FastAPI release that "
        "this release of django-mullet supports, or a newer django-mullet."
    )


def test_fastapi_leaves_its_two_stacks_in_the_scope() -> None:
    order: list[str] = []
    app = FastAPI()

    @app.get("/")
    async def endpoint(request: Request) -> None:
        fastapi.request_stack(request.scope).callback(order.append, "request")
        fastapi.function_stack(request.scope).callback(order.append, "function")

    TestClient(app).get("/")

    assert order == ["function", "request"]


def test_fastapi_puts_exits_on_the_stack_that_replaces_its_own() -> None:
    order: list[str] = []
    app = FastAPI()
    replacement = AsyncExitStack()

    async def dependency() -> AsyncIterator[None]:
        yield
        order.append("left")

    class Route(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def replaced(request: Request) -> Any:
                async with replacement:
                    fastapi.replace_function_stack(request.scope, replacement)
                    response = await handler(request)
                    order.append("response")
                return response

            return replaced

    app.router.route_class = Route

    @app.get("/")
    async def endpoint(_: Annotated[None, Depends(dependency, scope="function")]) -> None: ...

    TestClient(app).get("/")

    assert order == ["response", "left"]


def test_fastapi_puts_exits_on_the_request_s_stack_that_replaces_its_own() -> None:
    order: list[str] = []
    app = FastAPI()

    async def dependency() -> AsyncIterator[None]:
        yield
        order.append("left")

    class Route(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def replaced(request: Request) -> Any:
                async with AsyncExitStack() as replacement:
                    fastapi.replace_request_stack(request.scope, replacement)
                    response = await handler(request)
                    order.append("response")
                order.append("outside")
                return response

            return replaced

    app.router.route_class = Route

    @app.get("/")
    async def endpoint(_: Annotated[None, Depends(dependency)]) -> None: ...

    TestClient(app).get("/")

    assert order == ["response", "left", "outside"]
