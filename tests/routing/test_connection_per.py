"""With `connection="call"` each call has a connection to itself, and not the whole request."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from io import StringIO
from typing import Annotated, Any, cast

import fastapi
import httpx
import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.backends.signals import connection_created
from django.test import override_settings
from fastapi import Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from django_mullet import APIRouter, Atomic, ConnectionPer, DjangoRoute, atomic, mount_django
from django_mullet.execution.connection_share import share
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.execution import Execution
from django_mullet.execution.workers import pool
from tests.backends import terminate
from tests.executing import entered
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

ONE = {"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.3}
PER_CALL = Depends(ConnectionPer("call"))
PER_REQUEST = Depends(ConnectionPer("request"))


@pytest.fixture(autouse=True)
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have a request hold what it holds in production, and nothing of the test's."""
    monkeypatch.delattr(mail, "outbox")
    pool.stop()
    slots_of.cache_clear()
    with override_settings(MULLET=ONE):
        yield
    until(lambda: len(pool._idle) == pool.size)
    assert len(slots_of("default")._idle) == slots_of("default").open
    pool.stop()
    assert slots_of("default").open == 0
    assert share.count == 0


async def two_calls(between: Callable[[], Coroutine[Any, Any, object]]) -> list[object]:
    """Return what two queries, and what is done between them, return."""
    first = await Item.objects.acount()
    return [first, await between(), await Item.objects.acount()]


def asked_meanwhile(*routers: fastapi.APIRouter) -> list[Any]:
    """Return what "/two" of `routers` answers, which asks "/one" between its two queries."""
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    app.include_router(ordinary)
    transport = httpx.ASGITransport(app)

    async def main() -> Any:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:

            async def ask() -> int:
                return (await client.get("/one")).status_code

            app.state.ask = ask
            return (await client.get("/two", timeout=20)).json()

    return cast("list[Any]", asyncio.run(main()))


ordinary = APIRouter()


@ordinary.get("/one")
def one() -> int:
    return Item.objects.count()


async def two(request: fastapi.Request) -> list[Any]:
    return await two_calls(request.app.state.ask)


def including(inner: fastapi.APIRouter, *arguments: Any, **options: Any) -> APIRouter:
    """Return a router with `options` that includes `inner`."""
    outer = APIRouter(*arguments, **options)
    outer.include_router(inner)
    return outer


def with_two(route: dict[str, Any] | None = None, **options: Any) -> APIRouter:
    """Return a router with `options` and the route "/two", with the options `route`."""
    router = APIRouter(**options)
    router.get("/two", **(route or {}))(two)
    return router


LENDING: list[Callable[[], APIRouter]] = [
    lambda: with_two(connection="call"),
    lambda: with_two({"dependencies": [PER_CALL]}),
    lambda: with_two({"dependencies": [PER_CALL]}, connection="request"),
    lambda: including(with_two(), connection="call"),
    lambda: including(with_two(connection="call"), connection="request"),
    lambda: including(including(with_two(), connection="call"), connection="request"),
]
KEEPING: list[Callable[[], APIRouter]] = [
    with_two,
    lambda: with_two(connection="request"),
    lambda: with_two({"dependencies": [PER_REQUEST]}, connection="call"),
    lambda: including(with_two(connection="request"), connection="call"),
    lambda: including(with_two({"dependencies": [PER_REQUEST]}, connection="call")),
]


@pytest.mark.parametrize("router", LENDING)
def test_others_have_the_connection_between_two_calls(router: Callable[[], APIRouter]) -> None:
    assert asked_meanwhile(router()) == [0, 200, 0]


@pytest.mark.parametrize("router", KEEPING)
def test_others_wait_in_vain_while_a_request_has_it(router: Callable[[], APIRouter]) -> None:
    assert asked_meanwhile(router()) == [0, 503, 0]


def test_an_application_says_it_for_what_it_includes() -> None:
    app = FastAPI(dependencies=[PER_CALL])
    app.include_router(with_two())
    transport = httpx.ASGITransport(app)

    async def ask() -> bool:
        await asyncio.to_thread(until, lambda: slots_of("default")._idle)
        return True

    async def main() -> Any:
        app.state.ask = ask
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return (await client.get("/two")).json()

    assert asyncio.run(main()) == [0, True, 0]


SOCKETS = {
    "router": (True, APIRouter(connection="call"), {}),
    "route": (True, APIRouter(), {"dependencies": [PER_CALL]}),
    "undone": (False, APIRouter(connection="call"), {"dependencies": [PER_REQUEST]}),
    "ordinary": (False, APIRouter(), {}),
}


@pytest.mark.parametrize("name", SOCKETS)
def test_a_socket_has_none_between_two_calls(name: str) -> None:
    lends, router, options = SOCKETS[name]
    counts: list[int] = []

    @router.websocket("/socket", **options)
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        while await websocket.receive_text() != "end":
            await websocket.send_json(await Item.objects.acount())
            counts.append(share.count)

    app = FastAPI()
    app.include_router(router)
    app.include_router(ordinary)
    with TestClient(app) as client, client.websocket_connect("/socket") as session:
        for _ in range(2):
            session.send_text("count")
            assert session.receive_json() == 0
            assert client.get("/one").status_code == (200 if lends else 503)
        session.send_text("end")

    # What has no connection between its calls is not in the share of what lasts.
    assert counts == [0 if lends else 1] * 2


@pytest.mark.parametrize("kind", ["socket", "stream", "async stream", "task"])
def test_what_lasts_does_not_count(kind: str) -> None:
    router = APIRouter(connection="call")
    seen: list[int] = []

    def body() -> Iterator[str]:
        for _ in range(2):
            yield str(Item.objects.count())
            seen.append(share.count)

    async def abody() -> AsyncIterator[str]:
        for _ in range(2):
            yield str(await Item.objects.acount())
            seen.append(share.count)

    @router.get("/stream")
    async def stream() -> StreamingResponse:
        await Item.objects.acount()
        return StreamingResponse(body())

    @router.get("/async-stream")
    async def async_stream() -> StreamingResponse:
        await Item.objects.acount()
        return StreamingResponse(abody())

    @router.get("/task")
    async def task(tasks: fastapi.BackgroundTasks) -> None:
        tasks.add_task(lambda: seen.append(Item.objects.count()))
        tasks.add_task(lambda: seen.append(share.count))

    @router.websocket("/socket")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        seen.extend([await Item.objects.acount(), share.count])
        await websocket.send_text("")

    app = FastAPI()
    app.include_router(router)
    share.enter()
    client = TestClient(app)
    if kind == "socket":
        with client.websocket_connect("/socket") as session:
            session.receive_text()
        seen.remove(0)  # the rows
        seen.append(1)
    else:
        assert client.get("/" + kind.replace(" ", "-")).status_code == 200
    share.leave()

    assert seen in ([1, 1], [0, 1])


# What is given back


def in_calls(*functions: Callable[[], Any], between: Callable[[], object] = int) -> list[Any]:
    """Return what the functions return, each of which is a call of its own."""

    async def main() -> list[Any]:
        found = []
        async with entered(unit="call") as execution:
            for function in functions:
                found.append(await execution.run(function))
                between()
        return found

    return asyncio.run(main())


def sql(statement: str) -> Callable[[], Any]:
    """Return what runs `statement`, and returns the value that it returns."""

    def run() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None

    return run


LEFT = {
    "set": ("SET work_mem = '123kB'", "SHOW work_mem", "4MB"),
    "time zone": ("SET TIME ZONE 'Pacific/Auckland'", "SHOW TIME ZONE", "UTC"),
    "table": ("CREATE TEMP TABLE left_over (id int)", "SELECT to_regclass('left_over')", None),
    "lock": (
        "SELECT pg_advisory_lock(7)",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
        0,
    ),
    "listen": ("LISTEN something", "SELECT count(*) FROM pg_listening_channels()", 0),
    "prepare": (
        "PREPARE left_over AS SELECT 1",
        "SELECT count(*) FROM pg_prepared_statements WHERE name = 'left_over'",
        0,
    ),
    "search path": ("SET search_path = 'nowhere'", "SHOW search_path", '"$user", public'),
}


@pytest.mark.postgres
@pytest.mark.parametrize("name", LEFT)
def test_what_the_session_was_told_is_forgotten(name: str) -> None:
    leave, look, expected = LEFT[name]
    pid = "SELECT pg_backend_pid()"

    first, _, found, last = in_calls(sql(pid), sql(leave), sql(look), sql(pid))

    assert found == expected
    assert first == last  # it has been cleaned, and not closed


@pytest.mark.postgres
def test_after_a_transaction_the_session_is_as_new() -> None:
    def leave() -> None:
        with transaction.atomic():
            sql("SET work_mem = '123kB'")()

    assert in_calls(leave, sql("SHOW work_mem")) == [None, "4MB"]


@pytest.mark.postgres
def test_a_session_that_others_set_up_is_closed_instead() -> None:
    told: list[object] = []

    def set_up(connection: Any, **kwargs: Any) -> None:
        told.append(connection)

    connection_created.connect(set_up)
    try:
        first, second = in_calls(*[sql("SELECT pg_backend_pid()")] * 2)
    finally:
        connection_created.disconnect(set_up)

    assert first != second
    assert len(told) == 2


@pytest.mark.postgres
@pytest.mark.usefixtures("pooled")
@pytest.mark.parametrize("is_set_up", [False, True])
def test_a_pool_has_it_back_cleaned_or_closed(is_set_up: bool) -> None:
    def set_up(**kwargs: Any) -> None: ...

    leave, look, expected = LEFT["set"]
    if is_set_up:
        connection_created.connect(set_up)
    try:
        [_, found] = in_calls(sql(leave), sql(look))
    finally:
        connection_created.disconnect(set_up)

    assert found == expected


@pytest.mark.postgres
def test_a_session_that_cannot_be_cleaned_is_closed() -> None:
    def kill_itself() -> int:
        pid: int = sql("SELECT pg_backend_pid()")()
        terminate(pid)
        return pid

    first, second = in_calls(kill_itself, sql("SELECT pg_backend_pid()"))

    assert first != second


def test_a_call_that_has_closed_its_connection_leaves_nothing_to_clean() -> None:
    assert in_calls(lambda: (Item.objects.count(), connection.close())) == [(0, None)]


# What keeps it


def given_back() -> bool:
    return len(slots_of("default")._idle) == slots_of("default").open


def run(use: Callable[[Execution], Coroutine[Any, Any, None]], runner: Any = asyncio) -> None:
    """Run `use` with an execution with the unit "call", on the event loop of `runner`."""

    async def main() -> None:
        async with entered({"type": "http", "path": "/"}, unit="call") as execution:
            await asyncio.wait_for(use(execution), 20)

    runner.run(main())


def test_a_transaction_is_a_unit() -> None:
    async def use(execution: Execution) -> None:
        async with atomic():
            await Item.objects.acreate(name="row")
            assert not given_back()
            async with atomic():
                await Item.objects.acreate(name="row")
            assert not given_back()
            assert await Item.objects.acount() == 2
        assert given_back()

    run(use)

    assert Item.objects.count() == 2


def test_a_transaction_that_is_rolled_back_is_a_unit() -> None:
    async def use(execution: Execution) -> None:
        with suppress(LookupError):
            async with atomic():
                await Item.objects.acreate(name="row")
                raise LookupError
        assert given_back()

    run(use)

    assert not Item.objects.exists()


def test_one_that_is_begun_by_hand_is_a_unit() -> None:
    async def use(execution: Execution) -> None:
        await execution.run(lambda: transaction.set_autocommit(False))
        await Item.objects.acreate(name="row")
        assert not given_back()
        await execution.run(transaction.rollback)
        assert not given_back()
        await execution.run(lambda: transaction.set_autocommit(True))
        assert given_back()

    run(use)

    assert not Item.objects.exists()


def test_one_that_is_left_open_ends_with_the_request(caplog: pytest.LogCaptureFixture) -> None:
    async def use(execution: Execution) -> None:
        await execution.run(lambda: transaction.set_autocommit(False))
        await Item.objects.acreate(name="row")

    run(use)

    assert not Item.objects.exists()
    assert "Transaction left open, and rolled back, on default" in caplog.text


def test_what_is_being_read_is_a_unit() -> None:
    Item.objects.bulk_create(Item(name=str(number)) for number in range(5))

    async def use(execution: Execution) -> None:
        names = []
        async for item in Item.objects.order_by("pk").aiterator(chunk_size=2):
            names.append(item.name)
            if len(names) == 2:
                assert not given_back()
            assert await Item.objects.acount() == 5
        assert names == list("01234")
        await Item.objects.acount()
        assert given_back()

    run(use)


def test_what_is_not_read_to_its_end_is_given_back_with_the_request() -> None:
    Item.objects.bulk_create(Item(name=str(number)) for number in range(500))

    rows = Item.objects.aiterator(chunk_size=2)

    async def use(execution: Execution) -> None:
        await anext(rows)

    with asyncio.Runner() as runner:
        run(use, runner)

        Item.objects.all().delete()  # which SQLite refuses while a database in memory is read


def test_a_def_route_is_one_call() -> None:
    router = APIRouter(connection="call")

    @router.get("/def")
    def twice() -> bool:
        Item.objects.count()
        first = connection.connection
        Item.objects.count()
        return first is connection.connection

    app = FastAPI()
    app.include_router(router)

    assert TestClient(app).get("/def").json() is True


@pytest.mark.postgres
@pytest.mark.parametrize("atomic_requests", [True, False])
def test_what_comes_between_two_calls_of_one_request(
    monkeypatch: pytest.MonkeyPatch, atomic_requests: bool
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", atomic_requests)
    router = APIRouter(connection="call")

    @router.get("/told")
    async def told() -> str:
        await sync_to_async(sql("SET work_mem = '123kB'"))()
        return cast("str", await sync_to_async(sql("SHOW work_mem"))())

    app = FastAPI()
    app.include_router(router)

    assert TestClient(app).get("/told").json() == ("123kB" if atomic_requests else "4MB")


def test_middleware_runs_around_it() -> None:
    middleware = ["tests.routing.test_connection_per.looks_at_rows"]
    router = with_two(connection="call", django_middleware=middleware)

    assert asked_meanwhile(router) == [0, 200, 0]


def test_middleware_that_is_a_function_and_has_queried_is_in_the_middle_of_its_own_call() -> None:
    middleware = ["tests.routing.test_connection_per.looks_at_rows_before"]
    router = with_two(connection="call", django_middleware=middleware)

    assert asked_meanwhile(router) == [0, 503, 0]


def looks_at_rows_before(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Is Django middleware that queries before."""

    def middleware(request: Any) -> Any:
        Item.objects.count()
        return get_response(request)

    return middleware


def looks_at_rows(get_response: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Is Django middleware that queries after."""

    def middleware(request: Any) -> Any:
        response = get_response(request)
        Item.objects.count()
        return response

    return middleware


# Where it cannot be


@pytest.mark.parametrize("value", ["", "session", None, 1])
def test_anything_else_is_refused(value: Any) -> None:
    told = re.escape(f"'connection' must be 'request' or 'call', not {value!r}.")
    with pytest.raises(ValueError, match=f"^{told}$"):
        ConnectionPer(value)


def test_so_it_is_by_the_router() -> None:
    with pytest.raises(ValueError, match="must be 'request' or 'call', not 'task'"):
        APIRouter(connection=cast("Any", "task"))


@pytest.mark.parametrize("unit", [PER_CALL, PER_REQUEST])
def test_an_ordinary_route_says_what_to_write(unit: Any) -> None:
    app = FastAPI()
    app.get("/plain", dependencies=[unit])(lambda: None)

    with pytest.raises(ImproperlyConfigured) as caught:
        TestClient(app).get("/plain")

    assert str(caught.value) == (
        "A route with 'connection' must run as a Django request: use 'from django_mullet import "
        "APIRouter', or 'route_class=DjangoRoute'."
    )


def test_a_route_class_is_enough() -> None:
    router = fastapi.APIRouter(route_class=DjangoRoute, dependencies=[PER_CALL])
    router.get("/two")(two)

    assert asked_meanwhile(router) == [0, 200, 0]


def opened() -> Iterator[int]:
    yield Item.objects.count()


async def aopened() -> AsyncIterator[int]:
    yield await Item.objects.acount()


def below(opened: Annotated[int, Depends(opened)]) -> int:
    return opened


class Opened:
    def __call__(self) -> Iterator[int]:
        yield Item.objects.count()


REFUSED: dict[str, tuple[str, Any]] = {
    "generator": ("opened", opened),
    "below another": ("opened", below),
    "instance": ("Opened", Opened()),
}


def adds(router: APIRouter, *, is_socket: bool, dependency: Any) -> None:
    """Define a route or WebSocket with `dependency`."""
    if is_socket:
        router.websocket("/socket", dependencies=[dependency])(_socket)
    else:
        router.get("/route", dependencies=[dependency])(one)


async def _socket(websocket: WebSocket) -> None: ...


@pytest.mark.parametrize("is_socket", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_a_generator_is_refused(name: str, is_socket: bool) -> None:
    called, dependency = REFUSED[name]
    router = APIRouter(connection="call")

    with pytest.raises(ImproperlyConfigured) as caught:
        adds(router, is_socket=is_socket, dependency=Depends(dependency))

    assert str(caught.value) == (
        f"'connection' cannot be 'call' where '{called}' is a dependency: the code before its "
        "'yield' and the code after it need the same connection. Write 'async with atomic():' "
        "around the calls that belong together."
    )


def test_a_transaction_around_a_route_is_refused() -> None:
    router = APIRouter(connection="call")

    async def create(_: Atomic) -> None: ...

    with pytest.raises(ImproperlyConfigured, match="where 'Atomic' is a dependency"):
        router.post("/create")(create)


@pytest.mark.parametrize("is_socket", [False, True])
def test_an_async_generator_is_not_refused(is_socket: bool) -> None:
    adds(APIRouter(connection="call"), is_socket=is_socket, dependency=Depends(aopened))


@pytest.mark.parametrize("is_socket", [False, True])
def test_nor_is_one_of_a_route_that_undoes_it(is_socket: bool) -> None:
    router = APIRouter(dependencies=[PER_CALL, PER_REQUEST])

    adds(router, is_socket=is_socket, dependency=Depends(opened))


@pytest.mark.parametrize("is_socket", [False, True])
def test_a_backend_that_keeps_state_is_refused(
    monkeypatch: pytest.MonkeyPatch, is_socket: bool
) -> None:
    engine = f"tests.foreign.{connection.vendor}"
    tenants = {**connections.settings["default"], "ENGINE": engine}
    monkeypatch.setitem(connections.settings, "tenants", tenants)

    with pytest.raises(ImproperlyConfigured) as caught:
        adds(APIRouter(connection="call"), is_socket=is_socket, dependency=Depends(one))

    assert str(caught.value) == (
        f"'connection' cannot be 'call' with the backend '{engine}' of database 'tenants': it "
        "keeps state for the length of a request, which would be lost between two calls. Write "
        'connection="request".'
    )
    pool.stop()


application = FastAPI()


def test_routes_tells_where_each_call_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    app = FastAPI()
    for path, router in {"/calls": with_two(connection="call"), "/request": with_two()}.items():
        app.include_router(router, prefix=path)
    mount_django(app)
    output = StringIO()
    monkeypatch.setattr("tests.routing.test_connection_per.application", app)

    with override_settings(ASGI_APPLICATION="tests.routing.test_connection_per.application"):
        call_command("routes", stdout=output, no_color=True)

    told = [line.split() for line in output.getvalue().splitlines() if "/two" in line]
    assert ["a connection for each call" in " ".join(line) for line in told] == [True, False]
