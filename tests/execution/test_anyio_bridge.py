"""`anyio.from_thread` finds the event loop of the request in whatever its worker runs."""

import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Annotated, Any, TypeVar

import anyio
import pytest
from anyio import from_thread, to_thread
from anyio.lowlevel import EventLoopToken, current_token
from asgiref.sync import sync_to_async
from django.core import signals
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import PlainTextResponse, StreamingResponse
from fastapi.testclient import TestClient

from django_mullet import APIRouter, Atomic, mount_django
from django_mullet.execution.execution import Execution, current_execution
from tests.executing import execute, here
from tests.testapp.models import Item

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

T = TypeVar("T")

word: ContextVar[str] = ContextVar("word", default="")
noted: list[str] = []


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    noted.clear()


async def count() -> str:
    """Return where this runs, and how many rows its request sees."""
    thread = "mullet" if here() == "mullet" else "loop"
    return f"{thread} {await Item.objects.acount()}"


def ask() -> str:
    Item.objects.create(name="row")
    return f"{here()} {from_thread.run(count)}"


# Where it works

router = APIRouter()


def generator() -> Iterator[str]:
    yield ask()
    noted.append(ask())


Asked = Annotated[str, Depends(ask)]
Generator = Annotated[str, Depends(generator)]
FunctionScope = Annotated[str, Depends(generator, scope="function")]


class Response(PlainTextResponse):
    def render(self, content: Any) -> bytes:
        return ask().encode()


@router.get("/endpoint")
def in_endpoint() -> str:
    return ask()


@router.get("/atomic")
def in_atomic_endpoint(_: Atomic) -> str:
    with transaction.atomic():
        return ask()


@router.get("/dependency")
def in_dependency(found: Asked) -> str:
    return found


@router.get("/dependency-of-async")
async def in_dependency_of_async(found: Asked) -> str:
    return found


@router.get("/generator")
def in_generator(found: Generator) -> str:
    return found


@router.get("/generator-of-async")
async def in_generator_of_async(found: Generator) -> str:
    return found


@router.get("/function-scope")
async def in_generator_of_function_scope(found: FunctionScope) -> str:
    return found


@router.get("/response", response_class=Response)
def in_response() -> None: ...


@router.get("/background")
def in_background(tasks: BackgroundTasks) -> str:
    tasks.add_task(lambda: noted.append(ask()))
    return "mullet loop 1"


@router.get("/body")
def in_body() -> StreamingResponse:
    return StreamingResponse(ask() for _ in range(1))


@router.websocket("/socket")
async def in_socket(socket: WebSocket, found: Generator) -> None:
    await socket.accept()
    await socket.send_text(found)
    await socket.close()


def middleware(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    def around(request: HttpRequest) -> HttpResponse:
        found = ask()
        response = get_response(request)
        noted.append(ask())
        response["X-Found"] = found
        return response

    return around


inside = APIRouter(django_middleware=[f"{__name__}.middleware"])


@inside.get("/inside")
def in_middleware() -> None: ...


@inside.get("/async-inside")
async def in_middleware_of_async() -> None: ...


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ask())


urlpatterns = [path("view", view)]

app = FastAPI()
app.include_router(router)
app.include_router(inside)
mount_django(app)

PATHS = [
    "endpoint",
    "atomic",
    "dependency",
    "dependency-of-async",
    "generator",
    "generator-of-async",
    "function-scope",
    "response",
    "background",
    "body",
    "view",
]
TWICE = {"generator", "generator-of-async", "function-scope"}


@pytest.mark.parametrize("name", PATHS)
def test_synchronous_code_of_a_request_finds_its_event_loop(name: str) -> None:
    response = TestClient(app).get(f"/{name}")

    assert response.text.strip('"') == "mullet loop 1"
    if name in TWICE:
        assert noted == ["mullet loop 2"]
    elif name == "background":
        assert noted == ["mullet loop 1"]


@pytest.mark.parametrize("name", ["inside", "async-inside"])
def test_django_s_middleware_finds_its_event_loop(name: str) -> None:
    response = TestClient(app).get(f"/{name}")

    assert [response.headers["X-Found"], *noted] == ["mullet loop 1", "mullet loop 2"]


def test_a_socket_s_dependency_finds_its_event_loop() -> None:
    with TestClient(app).websocket_connect("/socket") as socket:
        assert socket.receive_text() == "mullet loop 1"
    assert noted == ["mullet loop 2"]


@pytest.mark.django_db(transaction=True)
def test_what_runs_on_the_loop_sees_the_transaction_of_the_caller() -> None:
    def use() -> list[str]:
        with transaction.atomic():
            inside = ask()
            transaction.set_rollback(True)
        return [inside, f"{here()} {from_thread.run(count)}"]

    async def run(execution: Execution) -> list[str]:
        return await execution.run(use)

    assert execute(run) == ["mullet loop 1", "mullet loop 0"]


@pytest.mark.django_db(transaction=True)
def test_synchronous_code_keeps_its_connection_meanwhile() -> None:
    """What it has told the session stays: a lock, a setting, a temporary table."""

    async def other_request() -> int:
        execution = Execution({"type": "http"})
        try:
            return await execution.run(Item.objects.count)
        finally:
            await execution.aclose()

    async def meanwhile() -> list[int]:
        return [await Item.objects.acount(), await other_request(), await Item.objects.acount()]

    def use() -> list[object]:
        Item.objects.create(name="row")
        session = connection.connection
        return [*from_thread.run(meanwhile), connection.connection is session]

    async def run(execution: Execution) -> list[object]:
        return await execution.run(use)

    assert execute(run) == [1, 1, 1, True]


def test_it_may_be_called_below_itself() -> None:
    async def outer() -> list[object]:
        in_worker = await current_execution.get().run(ask)
        in_thread_of_anyio_s = await to_thread.run_sync(from_thread.run_sync, threading.get_ident)
        return [in_worker, in_thread_of_anyio_s == threading.get_ident()]

    async def use(execution: Execution) -> list[object]:
        return await execution.run(lambda: from_thread.run(outer))

    assert execute(use) == ["mullet loop 1", True]


def test_a_portal_leads_to_its_own_event_loop() -> None:
    def use() -> bool:
        with from_thread.start_blocking_portal() as portal:
            return portal.call(threading.get_ident) == from_thread.run_sync(threading.get_ident)

    async def run(execution: Execution) -> bool:
        return await execution.run(use)

    assert not execute(run)


def test_context_variables_flow_to_the_loop_and_back() -> None:
    async def double() -> None:
        word.set(word.get() * 2)

    def use() -> list[str]:
        word.set("a")
        from_thread.run(double)
        return [word.get(), from_thread.run_sync(word.get)]

    async def run(execution: Execution) -> list[str]:
        return await execution.run(use)

    assert execute(run) == ["aa", "aa"]


def test_arguments_results_and_errors_are_passed_on() -> None:
    async def divide(a: int, b: int) -> float:
        return a / b

    def use() -> list[float]:
        with pytest.raises(ZeroDivisionError):
            from_thread.run(divide, 1, 0)
        with pytest.raises(ZeroDivisionError):
            from_thread.run_sync(int.__floordiv__, 1, 0)
        return [from_thread.run(divide, 1, 2), from_thread.run_sync(divmod, 5, 2)[0]]

    async def run(execution: Execution) -> list[float]:
        return await execution.run(use)

    assert execute(run) == [0.5, 2]


def test_a_function_runs_in_the_thread_of_the_loop() -> None:
    async def use(execution: Execution) -> list[str]:
        return await execution.run(lambda: [here(), from_thread.run_sync(here)])

    assert execute(use) == ["mullet", "MainThread"]


def test_a_resource_may_be_entered_in_one_call_and_left_in_another() -> None:
    """In the same task, as task groups and cancel scopes want it."""

    def use() -> str:
        group = from_thread.run_sync(anyio.create_task_group)
        from_thread.run(group.__aenter__)
        from_thread.run_sync(group.start_soon, anyio.sleep, 0)
        from_thread.run(group.__aexit__, None, None, None)
        return "left"

    async def run(execution: Execution) -> str:
        return await execution.run(use)

    assert execute(run) == "left"


# Where it does not


def calls() -> list[Callable[[], object]]:
    return [
        lambda: from_thread.run(count),
        lambda: from_thread.run_sync(here),
        from_thread.check_cancelled,
    ]


@pytest.mark.parametrize("call", calls())
def test_below_sync_to_async_it_finds_no_event_loop(call: Callable[[], object]) -> None:
    """As in FastAPI, where asgiref has threads of its own."""

    async def use(execution: Execution) -> None:
        with pytest.raises(anyio.NoEventLoopError, match="finds no event loop inside"):
            await sync_to_async(call)()

    execute(use)


@pytest.mark.parametrize("name", ["endpoint", "generator", "dependency-of-async"])
def test_when_the_request_is_finished_it_finds_no_event_loop(name: str) -> None:
    def receiver(**kwargs: Any) -> None:
        with pytest.raises(anyio.NoEventLoopError):
            from_thread.run(count)
        noted.append("finished")

    signals.request_finished.connect(receiver)
    try:
        TestClient(app).get(f"/{name}")
    finally:
        signals.request_finished.disconnect(receiver)

    assert noted[-1] == "finished"


async def loop_token() -> EventLoopToken:
    return current_token()


def test_a_token_leads_anyio_to_the_event_loop_as_in_any_thread() -> None:
    router = APIRouter()

    @router.get("/")
    def endpoint(token: Annotated[Any, Depends(loop_token)]) -> list[bool]:
        there = from_thread.run_sync(threading.get_ident, token=token)
        return [here() == "mullet", there == from_thread.run_sync(threading.get_ident)]

    app = FastAPI()
    app.include_router(router)

    assert TestClient(app).get("/").json() == [True, True]
