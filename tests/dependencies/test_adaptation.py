import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from types import SimpleNamespace
from typing import Annotated, Any

import fastapi
import pytest
from asgiref.sync import sync_to_async
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Security
from fastapi.dependencies import models
from fastapi.responses import Response, StreamingResponse
from fastapi.security import APIKeyHeader, HTTPBasic, OAuth2PasswordBearer, SecurityScopes
from fastapi.testclient import TestClient
from pydantic import BaseModel, computed_field

from django_mullet import APIRouter
from django_mullet.dependencies.adaptation import Kind, adapt, adapt_endpoint, kind
from django_mullet.dependencies.overrides import Overrides, with_signature
from tests.fastapi_features import LIMITS, needs_dependency_limits
from tests.testapp.models import Item


def sync() -> None: ...


def generator() -> Iterator[None]:
    yield


async def asynchronous() -> None: ...


async def async_generator() -> AsyncIterator[None]:
    yield


def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def async_wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


def instance(method: Any) -> Any:
    return type("Instance", (), {"__call__": method})()


class Methods:
    def sync(self) -> None: ...

    def generator(self) -> Iterator[None]:
        yield

    async def asynchronous(self) -> None: ...

    async def async_generator(self) -> AsyncIterator[None]:
        yield

    @classmethod
    async def of_class(cls) -> None: ...

    @staticmethod
    def static() -> Iterator[None]:
        yield


class Plain:
    def __init__(self, q: int = 0) -> None: ...

    async def __call__(self) -> None: ...


def with_self(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that is of the same kind as `function`."""
    return {
        sync: Methods.sync,
        generator: Methods.generator,
        asynchronous: Methods.asynchronous,
        async_generator: Methods.async_generator,
    }[function]


FUNCTIONS = [sync, generator, asynchronous, async_generator]
METHODS = [
    getattr(Methods(), name)
    for name in ("sync", "generator", "asynchronous", "async_generator", "of_class", "static")
]
CALLABLES = [
    *FUNCTIONS,
    *METHODS,
    Plain,
    Plain(),
    len,
    dict,
    lambda: None,
    *(functools.partial(call) for call in (*FUNCTIONS, *METHODS, Plain, Plain())),
    *(functools.partial(functools.partial(call)) for call in FUNCTIONS),
    *(wrapped(call) for call in (*FUNCTIONS, *METHODS)),
    *(async_wrapped(call) for call in FUNCTIONS),
    *(functools.partial(wrapped(call)) for call in FUNCTIONS),
    *(wrapped(functools.partial(call)) for call in FUNCTIONS),
    *(instance(with_self(call)) for call in FUNCTIONS),
    *(instance(wrapped(with_self(call))) for call in FUNCTIONS),
    *(functools.partial(instance(with_self(call))) for call in FUNCTIONS),
    *(instance(staticmethod(functools.partial(call))) for call in FUNCTIONS),
    *(wrapped(instance(with_self(call))) for call in FUNCTIONS),
    HTTPBasic(),
    APIKeyHeader(name="key"),
    OAuth2PasswordBearer(tokenUrl="token"),
]


def kind_for_fastapi(call: Callable[..., Any]) -> Kind:
    if models._is_gen_callable(call):
        return Kind.GENERATOR
    if models._is_async_gen_callable(call):
        return Kind.ASYNC_GENERATOR
    return Kind.ASYNC if models._is_coroutine_callable(call) else Kind.SYNC


@pytest.mark.parametrize("call", CALLABLES, ids=lambda call: f"{type(call).__name__}")
def test_the_kind_of_a_callable_is_what_fastapi_takes_it_for(call: Callable[..., Any]) -> None:
    assert kind(call) is kind_for_fastapi(call)


def test_each_kind_is_told_from_the_others() -> None:
    assert [kind(call) for call in FUNCTIONS] == [
        Kind.SYNC,
        Kind.GENERATOR,
        Kind.ASYNC,
        Kind.ASYNC_GENERATOR,
    ]


# Adapting


@pytest.mark.parametrize("call", FUNCTIONS)
def test_equal_dependencies_are_adapted_to_the_same_callable(call: Callable[..., Any]) -> None:
    assert adapt(call) is adapt(call)
    assert adapt(call, "function") is adapt(call, "function") is not adapt(call)


@pytest.mark.parametrize("limited", [False, True])
@pytest.mark.parametrize("call", [*FUNCTIONS, instance(Methods.sync), Plain])
def test_fastapi_awaits_what_is_adapted(call: Callable[..., Any], limited: bool) -> None:
    assert kind_for_fastapi(adapt(call, limited=limited)) in (Kind.ASYNC, Kind.ASYNC_GENERATOR)


def test_what_is_adapted_keeps_its_name() -> None:
    adapted = adapt(sync)

    assert (adapted.__name__, adapted.__module__) == ("sync", __name__)


def test_an_asynchronous_endpoint_is_left_alone() -> None:
    assert adapt_endpoint(asynchronous) is asynchronous


def test_security_schemes_of_fastapi_are_left_alone() -> None:
    scheme = APIKeyHeader(name="key")

    assert adapt(scheme) is scheme


def test_an_unadapted_callable_needs_no_signature() -> None:
    scheme = APIKeyHeader(name="key")

    assert with_signature(scheme) is scheme
    assert not hasattr(scheme, "__signature__")


def test_there_are_no_overrides_without_an_application() -> None:
    assert not Overrides(None)
    assert not Overrides(SimpleNamespace(dependency_overrides={}))
    assert Overrides(SimpleNamespace(dependency_overrides={sync: sync}))


# Over HTTP


def here() -> str:
    Item.objects.count()
    return threading.current_thread().name.split("-")[0]


@pytest.fixture
def app() -> FastAPI:
    return FastAPI()


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app)


db = pytest.mark.django_db
ENDPOINTS = ["sync", "async"]


def add(app: FastAPI, path: str, dependency: Any) -> None:
    """Add routes that return what `dependency`, a `Depends`, gives: `/sync…` and `/async…`."""
    router = APIRouter()

    @router.get(f"/sync{path}")
    def sync_endpoint(value: Any = dependency) -> Any:
        here()
        return value

    @router.get(f"/async{path}")
    async def async_endpoint(value: Any = dependency) -> Any:
        return value

    app.include_router(router)


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("scope", ["function", "request"])
@pytest.mark.parametrize("limit", LIMITS)
def test_every_kind_of_dependency_runs_where_it_belongs(
    app: FastAPI, client: TestClient, endpoint: str, scope: Any, limit: dict[str, Any]
) -> None:
    def by_function(q: int) -> str:
        return f"{q} {here()}"

    def by_generator(q: int) -> Iterator[str]:
        yield f"{q} {here()}"
        left.append(here())

    async def by_coroutine(q: int) -> str:
        return f"{q} {await Item.objects.acount()} {on_loop()}"

    async def by_async_generator(q: int) -> AsyncIterator[str]:
        yield f"{q} {await Item.objects.acount()} {on_loop()}"
        left.append(f"{await Item.objects.acount()} {on_loop()}")

    class ByClass(BaseModel):
        def __init__(self, q: int) -> None:
            super().__init__()
            self._value = f"{q} {here()}"

        @computed_field
        def value(self) -> str:
            return self._value

        _value: str = ""

    def on_loop() -> bool:
        return not threading.current_thread().name.startswith("mullet")

    left: list[str] = []
    results = []
    for call in (by_function, by_generator, by_coroutine, by_async_generator, ByClass):
        its_scope = scope if "generator" in call.__name__ else None
        add(app, f"/{call.__name__}", Depends(call, scope=its_scope, **limit))
        results.append(client.get(f"/{endpoint}/{call.__name__}", params={"q": 7}).json())

    assert results == ["7 mullet", "7 mullet", "7 0 True", "7 0 True", {"value": "7 mullet"}]
    assert left == ["mullet", "0 True"]


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("call", FUNCTIONS)
def test_a_shared_dependency_is_called_once(
    app: FastAPI, client: TestClient, endpoint: str, call: Callable[..., Any]
) -> None:
    calls: list[str] = []

    def shared() -> str:
        calls.append("x")
        return "x"

    def shared_generator() -> Iterator[str]:
        yield shared()

    async def shared_async() -> str:
        return shared()

    async def shared_async_generator() -> AsyncIterator[str]:
        yield shared()

    dependency = {
        sync: shared,
        generator: shared_generator,
        asynchronous: shared_async,
        async_generator: shared_async_generator,
    }[call]

    def left(value: str = Depends(dependency)) -> str:
        return f"left {value}"

    async def right(value: str = Depends(dependency)) -> str:
        return f"right {value}"

    def both(a: str = Depends(left), b: str = Depends(right), c: str = Depends(dependency)) -> Any:
        return [a, b, c]

    add(app, "", Depends(both))

    assert client.get(f"/{endpoint}").json() == ["left x", "right x", "x"]
    assert len(calls) == 1


@db
def test_a_dependency_without_cache_is_called_each_time(app: FastAPI, client: TestClient) -> None:
    calls: list[str] = []

    def uncached() -> int:
        calls.append(here())
        return len(calls)

    def both(
        a: int = Depends(uncached, use_cache=False), b: int = Depends(uncached, use_cache=False)
    ) -> list[int]:
        return [a, b]

    add(app, "", Depends(both))

    assert client.get("/sync").json() == [1, 2]


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_security_schemes_answer_as_in_fastapi(
    app: FastAPI, client: TestClient, endpoint: str
) -> None:
    add(app, "/key", Security(APIKeyHeader(name="X-Key")))
    add(app, "/basic", Depends(HTTPBasic()))

    assert client.get(f"/{endpoint}/key").status_code == 401
    assert client.get(f"/{endpoint}/key", headers={"X-Key": "k"}).json() == "k"
    assert client.get(f"/{endpoint}/basic").headers["WWW-Authenticate"] == "Basic"
    answer = client.get(f"/{endpoint}/basic", auth=("me", "pw")).json()
    assert answer == {"username": "me", "password": "pw"}


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_security_scopes_are_those_of_the_way_to_the_dependency(
    app: FastAPI, client: TestClient, endpoint: str
) -> None:
    def user(scopes: SecurityScopes) -> list[str]:
        here()
        return scopes.scopes

    def inner(user: Annotated[list[str], Security(user, scopes=["inner"])]) -> list[str]:
        return user

    def outer(
        inner: Annotated[list[str], Security(inner, scopes=["outer"])],
        alone: Annotated[list[str], Security(user, scopes=["alone"])],
    ) -> list[list[str]]:
        return [inner, alone]

    add(app, "", Depends(outer))

    assert client.get(f"/{endpoint}").json() == [["outer", "inner"], ["alone"]]


@db
def test_a_class_is_a_dependency_by_its_annotation(app: FastAPI, client: TestClient) -> None:
    class Pages:
        def __init__(self, page: int = 1, size: Annotated[int, Query(le=100)] = 10) -> None:
            self.page, self.size, self.thread = page, size, here()

    router = APIRouter()

    @router.get("/")
    def endpoint(pages: Annotated[Pages, Depends()]) -> Any:
        return vars(pages)

    app.include_router(router)

    assert client.get("/?page=3").json() == {"page": 3, "size": 10, "thread": "mullet"}
    assert client.get("/?size=101").status_code == 422


@db
def test_an_instance_is_a_dependency(app: FastAPI, client: TestClient) -> None:
    class Above:
        def __init__(self, least: int) -> None:
            self.least = least

        def __call__(self, q: int) -> list[Any]:
            return [q > self.least, here()]

    class AboveGenerator(Above):
        def __call__(self, q: int) -> Any:
            yield super().__call__(q)

    add(app, "/call", Depends(Above(3)))
    add(app, "/generator", Depends(AboveGenerator(3)))

    for path in ("/sync/call", "/async/call", "/sync/generator", "/async/generator"):
        assert client.get(path, params={"q": 4}).json() == [True, "mullet"]


# Leaving


def noting(events: list[str], *, swallow: bool = False, replace: bool = False) -> Any:
    def dependency() -> Iterator[None]:
        events.append(f"enter {here()}")
        try:
            yield
        except Exception as error:
            events.append(f"{type(error).__name__} {here()}")
            if replace:
                raise HTTPException(409) from error
            if not swallow:
                raise
        else:
            events.append(f"leave {here()}")

    return dependency


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("scope", ["function", "request"])
@pytest.mark.parametrize("limit", LIMITS)
def test_a_generator_is_left_where_it_was_entered(
    app: FastAPI, client: TestClient, endpoint: str, scope: Any, limit: dict[str, int]
) -> None:
    events: list[str] = []
    add(app, "", Depends(noting(events), scope=scope, **limit))

    assert client.get(f"/{endpoint}").status_code == 200
    assert events == ["enter mullet", "leave mullet"]


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("scope", ["function", "request"])
@pytest.mark.parametrize("limit", LIMITS)
def test_a_generator_sees_the_error_of_the_endpoint(
    endpoint: str, scope: Any, limit: dict[str, int], app: FastAPI, client: TestClient
) -> None:
    events: list[str] = []
    router = APIRouter()

    def fail(_: Any) -> None:
        raise HTTPException(418)

    async def async_fail(_: Any) -> None:
        raise HTTPException(418)

    for path, function in (("/sync", fail), ("/async", async_fail)):
        function.__annotations__["_"] = Annotated[
            None, Depends(noting(events), scope=scope, **limit)
        ]
        router.add_api_route(path, function)
    app.include_router(router)

    assert client.get(f"/{endpoint}").status_code == 418
    assert events == ["enter mullet", "HTTPException mullet"]


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("scope", ["function", "request"])
@pytest.mark.parametrize("limit", LIMITS)
def test_a_generator_may_raise_another_error(
    endpoint: str, scope: Any, limit: dict[str, int], app: FastAPI, client: TestClient
) -> None:
    events: list[str] = []
    dependency = Depends(noting(events, replace=True), scope=scope, **limit)
    router = APIRouter(dependencies=[dependency])

    @router.get("/sync")
    def fail() -> None:
        raise KeyError

    @router.get("/async")
    async def async_fail() -> None:
        raise KeyError

    app.include_router(router)

    assert client.get(f"/{endpoint}").status_code == 409


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("limit", LIMITS)
def test_a_generator_that_swallows_an_error_is_told_off_as_in_fastapi(
    endpoint: str, limit: dict[str, int]
) -> None:
    def swallowing() -> Iterator[None]:
        with suppress(KeyError):
            yield

    def error_with(router: fastapi.APIRouter) -> tuple[type[BaseException], str]:
        @router.get("/sync")
        def fail() -> None:
            raise KeyError

        @router.get("/async")
        async def async_fail() -> None:
            raise KeyError

        app = FastAPI(dependencies=[Depends(swallowing, **limit)])
        app.include_router(router)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the question
            TestClient(app).get(f"/{endpoint}")
        return caught.type, str(caught.value)

    assert error_with(APIRouter()) == error_with(fastapi.APIRouter())


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("limit", LIMITS)
def test_an_error_swallowed_in_function_scope_is_an_error_still(
    endpoint: str, limit: dict[str, int], app: FastAPI
) -> None:
    router = APIRouter()

    @router.get("/sync")
    def fail() -> None:
        raise KeyError

    @router.get("/async")
    async def async_fail() -> None:
        raise KeyError

    dependency = Depends(noting([], swallow=True), scope="function", **limit)
    app.include_router(router, dependencies=[dependency])
    client = TestClient(app, raise_server_exceptions=False)

    assert client.get(f"/{endpoint}").status_code == 500


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_function_scope_ends_before_the_response_and_request_scope_after(
    app: FastAPI, client: TestClient, endpoint: str
) -> None:
    events: list[str] = []

    def dependency(name: str) -> Any:
        def dependency() -> Iterator[None]:
            yield
            events.append(f"{name} {here()}")

        return dependency

    class Noting(Response):
        async def __call__(self, *args: Any) -> None:
            events.append("response")
            await super().__call__(*args)

    router = APIRouter(
        dependencies=[
            Depends(dependency("request"), scope="request"),
            Depends(dependency("function"), scope="function"),
        ]
    )

    @router.get("/sync")
    def sync_endpoint() -> Response:
        return Noting()

    @router.get("/async")
    async def async_endpoint() -> Response:
        return Noting()

    app.include_router(router)
    client.get(f"/{endpoint}")

    assert events == ["function mullet", "response", "request mullet"]


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_dependencies_are_left_in_the_reverse_order_whatever_their_kind(
    app: FastAPI, client: TestClient, endpoint: str
) -> None:
    events: list[str] = []

    def first() -> Iterator[None]:
        yield
        events.append(f"first {here()}")

    async def second(_: Annotated[None, Depends(first)]) -> AsyncIterator[None]:
        yield
        events.append("second")

    def third(_: Annotated[None, Depends(second)]) -> Iterator[None]:
        yield
        events.append(f"third {here()}")

    add(app, "", Depends(third))
    client.get(f"/{endpoint}")

    assert events == ["third mullet", "second", "first mullet"]


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_invalid_request_leaves_what_was_entered(
    app: FastAPI, client: TestClient, endpoint: str
) -> None:
    events: list[str] = []
    router = APIRouter(dependencies=[Depends(noting(events))])

    @router.get("/sync")
    def sync_endpoint(q: int) -> None: ...

    @router.get("/async")
    async def async_endpoint(q: int) -> None: ...

    app.include_router(router)

    assert client.get(f"/{endpoint}").status_code == 422
    assert events == ["enter mullet", "RequestValidationError mullet"]


@needs_dependency_limits
@db
def test_at_most_so_many_requests_are_in_a_limited_dependency(app: FastAPI) -> None:
    inside, most = [0], [0]

    def limited() -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        threading.Event().wait(0.02)
        inside[0] -= 1

    add(app, "", Depends(limited, max_concurrency=1))
    with ExitStack() as stack:
        client = stack.enter_context(TestClient(app))
        threads = [threading.Thread(target=client.get, args=["/sync"]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert most == [1]


# Overrides


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("original", FUNCTIONS)
@pytest.mark.parametrize("override", FUNCTIONS)
def test_every_kind_of_dependency_can_be_overridden_by_every_other(
    app: FastAPI,
    client: TestClient,
    endpoint: str,
    original: Callable[..., Any],
    override: Callable[..., Any],
) -> None:
    left: list[str] = []

    def by_function(q: int = 0) -> str:
        return f"function {q} {here()}"

    def by_generator(q: int = 0) -> Iterator[str]:
        yield f"generator {q} {here()}"
        left.append(here())

    async def by_coroutine(q: int = 0) -> str:
        return f"coroutine {q} {await Item.objects.acount()}"

    async def by_async_generator(q: int = 0) -> AsyncIterator[str]:
        yield f"async generator {q} {await Item.objects.acount()}"
        left.append(str(await Item.objects.acount()))

    replacement, answer, after = {
        sync: (by_function, "function 5 mullet", []),
        generator: (by_generator, "generator 5 mullet", ["mullet"]),
        asynchronous: (by_coroutine, "coroutine 5 0", []),
        async_generator: (by_async_generator, "async generator 5 0", ["0"]),
    }[override]
    add(app, "", Depends(original))
    app.dependency_overrides[original] = replacement

    assert client.get(f"/{endpoint}?q=5").json() == answer
    assert left == after


@db
def test_what_an_asynchronous_override_calls_runs_in_the_request_s_worker() -> None:
    def original() -> str:
        return ""

    async def override() -> str:
        return await sync_to_async(here)()

    app, router = FastAPI(), APIRouter()

    @router.get("/")
    def endpoint(thread: Annotated[str, Depends(original)]) -> list[str]:
        return [thread, here()]

    app.include_router(router)
    app.dependency_overrides[original] = override

    assert TestClient(app).get("/").json() == ["mullet", "mullet"]


@needs_dependency_limits
@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_dependencies_below_an_override_run_in_the_worker_and_can_be_overridden(
    app: FastAPI, client: TestClient, endpoint: str
) -> None:
    def lowest() -> str:
        return f"lowest {here()}"

    def other_lowest() -> str:
        return f"other {here()}"

    class Middle:
        def __init__(self, lowest: Annotated[str, Depends(lowest)]) -> None:
            self.value = f"{lowest} {here()}"

    def limited() -> Iterator[str]:
        yield here()

    async def replacement(
        middle: Annotated[Middle, Depends()],
        limited: Annotated[str, "note", Depends(limited, max_concurrency=1)],
        request: Request,
        by_default: str = Depends(lowest),
        q: Annotated[int, Query()] = 3,
    ) -> list[Any]:
        return [middle.value, limited, by_default, q, request.url.path]

    add(app, "", Depends(sync))
    app.dependency_overrides[sync] = replacement
    path = f"/{endpoint}"

    assert client.get(path).json() == [
        "lowest mullet mullet",
        "mullet",
        "lowest mullet",
        3,
        path,
    ]

    app.dependency_overrides[lowest] = other_lowest
    assert client.get(path).json()[0] == "other mullet mullet"


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_override_keeps_the_scope_of_what_it_replaces(
    app: FastAPI, client: TestClient, endpoint: str
) -> None:
    events: list[str] = []

    def replacement() -> Iterator[None]:
        yield
        events.append(f"leave {here()}")

    class Noting(Response):
        async def __call__(self, *args: Any) -> None:
            events.append("response")
            await super().__call__(*args)

    router = APIRouter(dependencies=[Depends(generator, scope="function")])

    @router.get("/sync")
    def sync_endpoint() -> Response:
        return Noting()

    @router.get("/async")
    async def async_endpoint() -> Response:
        return Noting()

    app.include_router(router)
    app.dependency_overrides[generator] = replacement
    client.get(f"/{endpoint}")

    assert events == ["leave mullet", "response"]


@db
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_security_schemes_can_be_overridden(
    app: FastAPI, client: TestClient, endpoint: str
) -> None:
    scheme = OAuth2PasswordBearer(tokenUrl="token")

    def user(scopes: SecurityScopes, token: Annotated[str, Depends(scheme)]) -> list[Any]:
        return [token, scopes.scopes]

    add(app, "", Security(user, scopes=["a"]))
    app.dependency_overrides[scheme] = lambda: "overridden"

    assert client.get(f"/{endpoint}").json() == ["overridden", ["a"]]


@db
def test_overrides_may_come_and_go_between_requests(app: FastAPI, client: TestClient) -> None:
    def original() -> str:
        return f"original {here()}"

    add(app, "", Depends(original))

    before = client.get("/sync").json()
    app.dependency_overrides[original] = lambda: "override"
    during = client.get("/sync").json()
    app.dependency_overrides.clear()
    after = client.get("/sync").json()

    assert (before, during, after) == ("original mullet", "override", "original mullet")


@db
def test_an_override_of_something_else_changes_nothing(app: FastAPI, client: TestClient) -> None:
    def original() -> Iterator[str]:
        yield here()

    add(app, "", Depends(original))
    app.dependency_overrides[sync] = lambda: "other"

    assert client.get("/sync").json() == client.get("/async").json() == "mullet"


@db
def test_streams_and_overrides_go_together(app: FastAPI, client: TestClient) -> None:
    router = APIRouter()

    @router.get("/")
    def endpoint(value: Annotated[str, Depends(sync)]) -> StreamingResponse:
        return StreamingResponse(iter([value, here()]))

    app.include_router(router)
    app.dependency_overrides[sync] = lambda: "a"

    assert client.get("/").text == "amullet"


@db
def test_what_wraps_a_generator_may_give_any_iterator(app: FastAPI, client: TestClient) -> None:
    router = APIRouter()

    def letters() -> Iterator[str]:
        yield "a"

    @functools.wraps(letters)
    def capitals() -> Iterator[str]:
        return map(str.upper, letters())

    router.add_api_route("/", capitals)
    app.include_router(router)

    assert client.get("/").text == '"A"\n'
