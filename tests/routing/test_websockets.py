"""A WebSocket's dependencies and queries run in Django's workers, and hold none meanwhile."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Annotated, Any

import fastapi
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core import signals
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, transaction
from django.http import HttpRequest
from django.test import TestCase, TransactionTestCase
from django.urls import reverse
from fastapi import Depends, FastAPI, WebSocket
from fastapi.routing import APIWebSocketRoute
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.websockets import WebSocketDisconnect

from django_mullet import APIClient, APIRouter
from django_mullet.execution.execution import current_execution
from tests.testapp.models import Item
from tests.waiting import until

word: ContextVar[str] = ContextVar("word", default="unset")


def here() -> str:
    """Return the kind of thread, and use the database in it."""
    Item.objects.count()
    return threading.current_thread().name.partition("-")[0]


def where() -> str:
    return here()


async def on_loop() -> str:
    return threading.current_thread().name.partition("-")[0]


Where = Annotated[str, Depends(where)]


async def say(websocket: WebSocket, *answers: object) -> None:
    await websocket.accept()
    await websocket.send_json(answers)
    await websocket.close()


def serve(router: fastapi.APIRouter, **options: Any) -> TestClient:
    app = FastAPI(**options)
    app.include_router(router)
    return TestClient(app)


def said(client: TestClient, path: str = "/ws") -> Any:
    with client.websocket_connect(path) as session:
        return session.receive_json()


@pytest.fixture
def router() -> APIRouter:
    return APIRouter()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Return the signals that Django's requests send."""
    names: list[str] = []

    def started(**kwargs: Any) -> None:
        names.append("started")

    def finished(**kwargs: Any) -> None:
        names.append("finished")

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    yield names
    signals.request_started.disconnect(started)
    signals.request_finished.disconnect(finished)


@pytest.mark.django_db
class TestWhereItRuns:
    def test_synchronous_dependencies_run_in_a_worker(self, router: APIRouter) -> None:
        def below(where: Where, websocket: WebSocket) -> list[str]:
            return [where, here(), websocket.url.path]

        @router.websocket("/ws")
        async def endpoint(
            websocket: WebSocket,
            below: Annotated[list[str], Depends(below)],
            on_loop: Annotated[str, Depends(on_loop)],
        ) -> None:
            await say(websocket, below, on_loop == await globals()["on_loop"]())

        assert said(serve(router)) == [["mullet", "mullet", "/ws"], True]

    def test_the_async_orm_and_sync_to_async_run_in_a_worker(self, router: APIRouter) -> None:
        @router.websocket("/ws")
        async def endpoint(websocket: WebSocket) -> None:
            item = await Item.objects.acreate(name="a")
            await say(websocket, item.name, await sync_to_async(here)())

        assert said(serve(router)) == ["a", "mullet"]

    def test_the_dependencies_of_every_inclusion_do_too(self) -> None:
        found: list[str] = []

        def note(where: Where) -> None:
            found.append(where)

        router, outer = APIRouter(dependencies=[Depends(note)]), fastapi.APIRouter()

        @router.websocket("/ws", dependencies=[Depends(lambda: found.append(here()))])
        async def endpoint(websocket: WebSocket) -> None:
            await say(websocket)

        outer.include_router(router, prefix="/b", dependencies=[Depends(note)])
        app = FastAPI()
        app.include_router(outer, prefix="/a", dependencies=[Depends(lambda: found.append(here()))])

        assert said(TestClient(app), "/a/b/ws") == []
        assert set(found) == {"mullet"}
        assert len(found) == 3  # `note` is one dependency, however often it is named

    def test_a_router_that_is_the_application_runs_them_too(self, router: APIRouter) -> None:
        @router.websocket("/ws")
        @router.websocket("/second")
        @router.websocket("/third")
        async def endpoint(websocket: WebSocket, where: Where) -> None:
            await say(websocket, where)

        for path in ("/ws", "/second", "/third"):
            assert said(TestClient(router), path) == ["mullet"]

    def test_so_does_one_included_below_starlette(self, router: APIRouter) -> None:
        @router.websocket("/ws")
        async def endpoint(websocket: WebSocket, where: Where) -> None:
            await say(websocket, where)

        outer = fastapi.APIRouter()
        outer.include_router(router)

        app = Starlette(routes=[Route("/", on_loop), Mount("/m", outer)])

        assert said(TestClient(app), "/m/ws") == ["mullet"]

    def test_a_route_added_by_its_function_runs_them_too(self, router: APIRouter) -> None:
        async def endpoint(websocket: WebSocket, where: Where) -> None:
            await say(websocket, where)

        router.add_api_websocket_route("/ws", endpoint)
        router.routes.append(APIWebSocketRoute("/by-hand", endpoint))

        client = serve(router)
        assert said(client) == ["mullet"]
        assert said(client, "/by-hand") == ["mullet"]

    def test_a_router_of_fastapi_s_stays_fastapi_s(self, router: APIRouter) -> None:
        plain = fastapi.APIRouter()

        @plain.websocket("/ws")
        async def endpoint(
            websocket: WebSocket, where: Annotated[str, Depends(lambda: "not a query")]
        ) -> None:
            await say(websocket, where)

        router.include_router(plain)

        assert said(serve(router)) == ["not a query"]

    def test_overrides_run_in_a_worker(self, router: APIRouter) -> None:
        def override(websocket: WebSocket) -> str:
            return f"{here()} {websocket.url.path}"

        @router.websocket("/ws")
        async def endpoint(websocket: WebSocket, where: Where) -> None:
            await say(websocket, where)

        app = FastAPI()
        app.include_router(router)
        app.dependency_overrides[where] = override

        assert said(TestClient(app)) == ["mullet /ws"]
        app.dependency_overrides.clear()
        assert said(TestClient(app)) == ["mullet"]

    def test_context_variables_flow(self, router: APIRouter) -> None:
        def set_word() -> None:
            word.set(word.get() + " by dependency")

        @router.websocket("/ws", dependencies=[Depends(set_word)])
        async def endpoint(websocket: WebSocket) -> None:
            word.set(word.get() + ", by endpoint")
            await say(websocket, await sync_to_async(word.get)())

        assert said(serve(router)) == ["unset by dependency, by endpoint"]
        assert word.get() == "unset"

    def test_reverse_knows_the_prefix(self, router: APIRouter) -> None:
        def prefix() -> str:
            return reverse("admin:index", urlconf="tests.servers.urls")

        @router.websocket("/ws")
        async def endpoint(websocket: WebSocket, below: Annotated[str, Depends(prefix)]) -> None:
            await say(websocket, below, prefix())

        outside = prefix()
        app = FastAPI()
        app.include_router(router)
        with TestClient(app, root_path="/sub").websocket_connect("/ws") as session:
            assert session.receive_json() == ["/sub/admin/"] * 2
        assert prefix() == outside

    def test_an_endpoint_may_be_a_function_that_returns_a_coroutine(
        self, router: APIRouter
    ) -> None:
        def endpoint(websocket: WebSocket, where: Where) -> Any:
            return say(websocket, where)

        router.websocket("/ws")(endpoint)

        assert said(serve(router)) == ["mullet"]


@pytest.mark.django_db(transaction=True)
class TestLifecycle:
    @pytest.fixture(autouse=True)
    def as_in_production(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("django_mullet.execution.borrowed_connections.in_tests", lambda: False)

    def test_a_socket_is_one_request_that_begins_when_something_runs(
        self, router: APIRouter, sent: list[str]
    ) -> None:
        @router.websocket("/ws")
        async def endpoint(websocket: WebSocket) -> None:
            await websocket.accept()
            while await websocket.receive_text() == "again":
                await Item.objects.acount()
                await websocket.send_json(sent)
            await websocket.close()

        with serve(router).websocket_connect("/ws") as session:
            assert sent == []
            for _ in range(3):
                session.send_text("again")
                assert session.receive_json() == ["started"]
            session.send_text("enough")

        until(lambda: sent == ["started", "finished"])

    def test_one_that_runs_nothing_synchronous_is_no_django_request(
        self, router: APIRouter, sent: list[str]
    ) -> None:
        @router.websocket("/ws")
        async def endpoint(websocket: WebSocket) -> None:
            await say(websocket)

        said(serve(router))

        assert sent == []

    def test_a_generator_exits_in_a_worker_before_the_request_finishes(
        self, router: APIRouter, sent: list[str]
    ) -> None:
        def entered(scope: str) -> Callable[[], Iterator[str]]:
            def dependency() -> Iterator[str]:
                yield here()
                sent.append(f"{scope} exits in {here()}")

            return dependency

        async def async_dependency() -> AsyncIterator[str]:
            await Item.objects.acount()
            yield "async"
            await Item.objects.acount()
            sent.append("async exits")

        @router.websocket("/ws")
        async def endpoint(
            websocket: WebSocket,
            a: Annotated[str, Depends(entered("request"))],
            b: Annotated[str, Depends(entered("function"), scope="function")],
            c: Annotated[str, Depends(async_dependency)],
        ) -> None:
            await say(websocket, a, b, c)

        with serve(router).websocket_connect("/ws") as session:
            assert session.receive_json() == ["mullet", "mullet", "async"]
            until(lambda: "finished" in sent)  # leaving the block cancels

        assert sent == [
            "started",
            "function exits in mullet",
            "async exits",
            "request exits in mullet",
            "finished",
        ]

    def test_an_error_reaches_the_generator_and_the_server(self, router: APIRouter) -> None:
        seen: list[str] = []

        def dependency() -> Iterator[None]:
            try:
                yield
            except LookupError:
                seen.append(here())
                raise

        @router.websocket("/ws", dependencies=[Depends(dependency)])
        async def endpoint(websocket: WebSocket) -> None:
            await websocket.accept()
            raise LookupError("in the middle")

        with (
            pytest.raises(LookupError, match="in the middle"),
            serve(router).websocket_connect("/ws") as session,
        ):
            session.receive_text()
        assert seen == ["mullet"]

    def test_what_waits_for_a_message_has_no_worker_before_its_first_query(
        self, router: APIRouter
    ) -> None:
        def nothing() -> None:
            pass

        @router.websocket("/ws", dependencies=[Depends(nothing)])
        async def endpoint(websocket: WebSocket) -> None:
            await websocket.accept()
            await websocket.send_json(current_execution.get().has_worker)
            await Item.objects.acount()
            await websocket.send_json(current_execution.get().has_worker)

        with serve(router).websocket_connect("/ws") as session:
            assert [session.receive_json() for _ in range(2)] == [False, True]

    def test_an_error_that_is_not_the_lost_database_s_is_left_alone(
        self, router: APIRouter
    ) -> None:
        @router.websocket("/ws")
        async def endpoint(websocket: WebSocket) -> None:
            raise OperationalError("The endpoint's own.")

        connecting = serve(router).websocket_connect("/ws")
        with pytest.raises(OperationalError, match=r"The endpoint's own\."):
            connecting.__enter__()

    def test_a_transaction_keeps_its_worker_and_ends_in_it(
        self, router: APIRouter, sent: list[str]
    ) -> None:
        def dependency() -> Iterator[str]:
            with transaction.atomic():
                yield threading.current_thread().name

        @router.websocket("/ws")
        async def endpoint(
            websocket: WebSocket, worker: Annotated[str, Depends(dependency)]
        ) -> None:
            await websocket.accept()
            for _ in range(3):
                await Item.objects.acreate(name=await websocket.receive_text())
                used = await sync_to_async(threading.current_thread)()
                await websocket.send_json(used.name == worker)
            if await websocket.receive_text() == "fail":
                raise LookupError("in the middle")

        client = serve(router)
        for number, last in enumerate(("commit", "fail"), start=1):
            with suppress(LookupError), client.websocket_connect("/ws") as session:
                for _ in range(3):
                    session.send_text("a")
                    assert session.receive_json() is True
                session.send_text(last)
                until(lambda n=number: sent.count("finished") == n)  # type: ignore[misc]

            assert Item.objects.count() == 3


shared = APIRouter()
left: list[int] = []


@shared.websocket("/names")
async def names(websocket: WebSocket, where: Where) -> None:
    await websocket.accept()
    try:
        while True:
            await Item.objects.acreate(name=await websocket.receive_text())
            await websocket.send_json([item.name async for item in Item.objects.order_by("pk")])
    except WebSocketDisconnect:
        left.append(await Item.objects.acount())


class InTestCase(TestCase):
    def test_a_socket_sees_the_test_s_rows_and_the_test_the_socket_s(self) -> None:
        Item.objects.create(name="a")

        with serve(shared).websocket_connect("/names") as session:
            session.send_text("b")
            assert session.receive_json() == ["a", "b"]
            assert Item.objects.count() == 2
            session.close()
            until(lambda: left)

        assert left.pop() == 2

    def test_nothing_is_left_of_it(self) -> None:
        assert Item.objects.count() == 0


class InTransactionTestCase(TransactionTestCase):
    def test_a_socket_s_rows_are_committed(self) -> None:
        with serve(shared).websocket_connect("/names") as session:
            session.send_text("b")
            assert session.receive_json() == ["b"]
            session.close()
            until(lambda: left and left.pop())

        assert Item.objects.count() == 1


async def say_nothing(websocket: WebSocket) -> None:
    await say(websocket)


class TestMiddleware:
    def test_none_runs_around_a_socket_and_an_error_says_what_to_write(self) -> None:
        router = APIRouter(django_middleware=True)
        router.websocket("/ws")(say_nothing)

        with pytest.raises(ImproperlyConfigured, match="write a 'def' dependency"):
            said(serve(router))

    @pytest.mark.parametrize("outer", [True, None])
    def test_a_socket_may_do_without(self, outer: bool | None) -> None:
        router, around = APIRouter(django_middleware=False), APIRouter(django_middleware=outer)
        router.websocket("/ws")(say_nothing)
        around.include_router(router)

        assert said(serve(around)) == []

    @pytest.mark.django_db
    def test_a_dependency_finds_the_user_of_the_session(self, router: APIRouter) -> None:
        def member(websocket: WebSocket) -> str:
            request: Any = HttpRequest()
            request.session = SessionStore(websocket.cookies.get(settings.SESSION_COOKIE_NAME))
            return str(get_user(request))

        @router.websocket("/ws")
        async def greet(websocket: WebSocket, name: Annotated[str, Depends(member)]) -> None:
            await say(websocket, name)

        client = APIClient(serve(router).app)
        assert said(client) == ["AnonymousUser"]

        client.force_login(User.objects.create_user("ada"))

        assert said(client) == ["ada"]
