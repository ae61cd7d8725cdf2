import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core import mail, signals
from django.db import close_old_connections, connection, connections, transaction
from django.test import TestCase, TransactionTestCase
from fastapi import BackgroundTasks, FastAPI
from fastapi.testclient import TestClient

from django_mullet import APIRouter
from django_mullet.execution import borrowed_connections
from django_mullet.execution.execution import Execution
from django_mullet.execution.workers import pool
from tests.testapp.models import Author, Item

router = APIRouter()
app = FastAPI()


@router.post("/items")
def create(name: str) -> int:
    item = Item.objects.create(name=name)
    transaction.on_commit(lambda: committed.append(name))
    return item.pk


@router.get("/items")
def names() -> list[str]:
    return list(Item.objects.order_by("pk").values_list("name", flat=True))


@router.get("/async-items")
async def async_names() -> list[str]:
    return [item.name async for item in Item.objects.order_by("pk")]


def note(name: str) -> None:
    Item.objects.create(name=f"first {name}")
    done.append(f"first {name}")


async def note_later(name: str) -> None:
    done.append(f"then {name}")


@router.post("/tasks")
def create_with_tasks(name: str, tasks: BackgroundTasks, *, at_once: bool = False) -> None:
    def add() -> None:
        tasks.add_task(note, name)
        tasks.add_task(note_later, name=name)

    if at_once:
        add()
    else:
        transaction.on_commit(add)


@router.post("/async-tasks")
async def create_with_tasks_of_its_own(name: str, tasks: BackgroundTasks) -> None:
    await sync_to_async(create_with_tasks)(name, tasks)


app.include_router(router)
client = TestClient(app)
committed: list[str] = []
done: list[str] = []


def execute(*functions: Callable[[], object]) -> list[Any]:
    """Return what `functions` return in the worker of one execution."""

    async def main() -> list[Any]:
        execution = Execution({"type": "http"})
        try:
            return [await execution.run(function) for function in functions]
        finally:
            await execution.aclose()

    return asyncio.run(main())


class InTestCase(TestCase):
    databases = {"default", "other"}

    def setUp(self) -> None:
        committed.clear()

    def test_a_request_sees_what_the_test_has_written(self) -> None:
        Item.objects.create(name="fish")

        assert client.get("/items").json() == ["fish"]
        assert client.get("/async-items").json() == ["fish"]

    def test_the_test_sees_what_a_request_has_written(self) -> None:
        client.post("/items", params={"name": "fish"})

        assert Item.objects.get().name == "fish"

    def test_what_a_request_writes_is_rolled_back_with_the_test(self) -> None:
        block = transaction.atomic()
        block.__enter__()
        client.post("/items", params={"name": "fish"})
        transaction.set_rollback(True)
        block.__exit__(None, None, None)

        assert not Item.objects.exists()

    def test_nothing_is_left_of_other_tests(self) -> None:
        assert client.get("/items").json() == []

    def test_queries_of_a_request_are_counted(self) -> None:
        with self.assertNumQueries(1):
            client.get("/items")
        with self.assertNumQueries(1):
            client.get("/async-items")

    def test_commit_hooks_of_a_request_are_captured(self) -> None:
        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            client.post("/items", params={"name": "fish"})

        assert len(callbacks) == 1
        assert committed == ["fish"]

    def test_background_tasks_that_commit_hooks_add_run(self) -> None:
        for path in ("/tasks", "/async-tasks"):
            done.clear()
            with self.captureOnCommitCallbacks(execute=True):
                client.post(path, params={"name": "fish"})
                assert done == []

            assert done == ["first fish", "then fish"]
        assert Item.objects.filter(name__startswith="first").count() == 2

    def test_background_tasks_of_a_request_run_with_it(self) -> None:
        done.clear()

        client.post("/tasks", params={"name": "fish", "at_once": True})

        assert done == ["first fish", "then fish"]

    def test_a_worker_uses_the_connections_of_the_test(self) -> None:
        mine = {alias: connections[alias] for alias in connections}

        [borrowed] = execute(lambda: {alias: connections[alias] for alias in connections})

        assert borrowed == mine

    def test_a_worker_gives_the_connections_back(self) -> None:
        done = threading.Event()
        used: list[object] = []
        execute(Item.objects.count)

        def job() -> None:
            used.append(connections["default"])
            done.set()

        pool.submit(job)

        assert done.wait(5)
        assert used != [connections["default"]]
        assert not connections["default"].allow_thread_sharing

    def test_the_signals_of_a_request_do_not_close_the_connection(self) -> None:
        assert connection.connection is not None
        open_before = connection.connection

        execute(
            lambda: signals.request_started.send(sender=None),
            lambda: signals.request_finished.send(sender=None),
        )

        assert connection.connection is open_before
        assert close_old_connections in receivers(signals.request_started)
        assert close_old_connections in receivers(signals.request_finished)

    def test_one_worker_at_a_time_has_the_connections(self) -> None:
        inside, most = [0], [0]

        def work() -> None:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            threading.Event().wait(0.01)
            inside[0] -= 1

        async def one() -> None:
            execution = Execution({"type": "http"})
            await execution.run(work)
            await execution.aclose()

        async def main() -> None:
            await asyncio.gather(*(one() for _ in range(5)))

        asyncio.run(main())

        assert most == [1]

    def test_a_worker_that_leaves_in_a_transaction_keeps_the_connections(self) -> None:
        order: list[str] = []

        async def main() -> None:
            first, second = Execution({"type": "http"}), Execution({"type": "http"})
            block = transaction.atomic()
            await first.run(block.__enter__)
            other = asyncio.ensure_future(second.run(lambda: order.append("second")))
            await asyncio.sleep(0.05)
            await first.run(lambda: order.append("first"))
            await first.run(lambda: block.__exit__(None, None, None))
            await other
            await first.aclose()
            await second.aclose()

        asyncio.run(main())

        assert order == ["first", "second"]


class InTestCaseOfOneDatabase(TestCase):
    databases = {"other"}

    def test_a_worker_has_the_test_s_connection_to_that_database_only(self) -> None:
        mine = {alias: connections[alias] for alias in connections}

        [borrowed] = execute(lambda: {alias: connections[alias] for alias in connections})

        assert borrowed["other"] is mine["other"]
        assert borrowed["default"] is not mine["default"]

    def test_a_thread_that_had_no_connection_has_none_afterwards(self) -> None:
        mine = connections["other"]
        seen: list[object] = []

        def borrow() -> None:
            shared = borrowed_connections.held_by_test()
            assert shared is not None
            with shared:
                seen.append(connections["other"])
            seen.extend(connections.all(initialized_only=True))

        thread = threading.Thread(target=borrow)
        thread.start()
        thread.join()

        assert seen == [mine]


class WithTestData(TestCase):
    author: Author

    @classmethod
    def setUpTestData(cls) -> None:
        cls.author = Author.objects.create(name="Ann")

    def test_a_request_sees_the_data_of_the_class(self) -> None:
        [names] = execute(lambda: [author.name for author in Author.objects.all()])

        assert names == ["Ann"]


class InTransactionTestCase(TransactionTestCase):
    def test_nothing_is_shared_where_the_test_holds_no_transaction(self) -> None:
        Item.objects.create(name="fish")
        mine = connections["default"]

        [borrowed] = execute(lambda: connections["default"])

        assert borrowed_connections.held_by_test() is None
        assert borrowed is not mine
        assert client.get("/items").json() == ["fish"]

    def test_a_transaction_of_the_test_s_own_is_shared(self) -> None:
        with transaction.atomic():
            Item.objects.create(name="fish")

            assert client.get("/items").json() == ["fish"]


@pytest.mark.django_db
def test_a_test_of_pytest_shares_its_connection() -> None:
    Item.objects.create(name="fish")

    assert client.get("/items").json() == ["fish"]
    assert connection.in_atomic_block


@pytest.mark.django_db
def test_nothing_is_shared_outside_of_django_s_test_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert connection.in_atomic_block
    monkeypatch.delattr(mail, "outbox")

    assert not borrowed_connections.in_tests()
    assert borrowed_connections.held_by_test() is None


def test_this_is_django_s_test_environment() -> None:
    assert borrowed_connections.in_tests()


def receivers(signal: Any) -> list[object]:
    """Return the synchronous receivers of `signal`, those that are there still."""
    live: list[object] = signal._live_receivers(None)[0]
    return live
