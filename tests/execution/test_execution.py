import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TypeVar

import pytest
from asgiref.sync import sync_to_async
from django.core import signals
from django.db import OperationalError, connection, connections, transaction
from django.test import override_settings
from django.urls import get_script_prefix
from django.utils import timezone, translation

from django_mullet import Overloaded
from django_mullet.execution import worker_lease
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.execution import Execution, current_execution
from django_mullet.execution.handoff import (
    WorkerCall,
    await_from_sync,
    in_worker,
    to_loop,
    to_worker,
)
from django_mullet.execution.orm_calls import OrmCall
from django_mullet.execution.workers import pool
from tests.executing import entered, execute, here
from tests.testapp.models import Item
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")

number: ContextVar[int] = ContextVar("number", default=0)


def thread() -> str:
    return threading.current_thread().name


@pytest.fixture
def only_worker() -> Iterator[threading.Event]:
    """Occupies the only worker until the event is set."""
    with override_settings(MULLET={"THREADS": 1, "QUEUE": 1}):
        pool.stop()
        end, started = threading.Event(), threading.Event()

        def job() -> None:
            started.set()
            end.wait(10)

        pool.submit(job)
        assert started.wait(5)
        yield end
        end.set()


# Functions


def test_a_function_runs_in_a_worker() -> None:
    async def use(execution: Execution) -> str:
        return await execution.run(here)

    assert execute(use) == "mullet"


def test_an_error_in_the_worker_is_raised_on_the_loop() -> None:
    def fail() -> None:
        raise LookupError(here())

    async def use(execution: Execution) -> None:
        await execution.run(fail)

    with pytest.raises(LookupError, match="mullet"):
        execute(use)


def test_context_variables_flow_in_and_out() -> None:
    def double() -> None:
        number.set(number.get() * 2)

    async def use(execution: Execution) -> list[int]:
        number.set(1)
        await execution.run(double)
        first = number.get()
        number.set(10)
        await execution.run(double)
        return [first, number.get()]

    assert execute(use) == [2, 20]


def test_context_variables_flow_out_of_a_function_that_fails() -> None:
    def fail() -> None:
        number.set(5)
        raise LookupError

    async def use(execution: Execution) -> int:
        with suppress(LookupError):
            await execution.run(fail)
        return number.get()

    assert execute(use) == 5


def test_language_and_time_zone_flow_in_and_out() -> None:
    def change() -> str:
        before = translation.get_language()
        translation.activate("fr")
        return before

    async def use(execution: Execution) -> list[str]:
        translation.activate("de")
        timezone.activate("Europe/Berlin")
        seen = await execution.run(change)
        name = await execution.run(timezone.get_current_timezone_name)
        return [seen, translation.get_language(), name]

    assert execute(use) == ["de", "fr", "Europe/Berlin"]


def test_the_worker_forgets_the_context_of_an_execution() -> None:
    async def change(execution: Execution) -> None:
        await execution.run(lambda: number.set(7))
        await execution.run(lambda: translation.activate("fr"))

    async def look(execution: Execution) -> list[Any]:
        return [await execution.run(number.get), await execution.run(translation.get_language)]

    execute(change)

    assert execute(look) == [0, "en-us"]


def test_the_prefix_of_the_application_is_known_in_worker_and_on_loop() -> None:
    async def main() -> list[str]:
        async with entered({"type": "http", "root_path": "/sub"}) as execution:
            prefixes = [get_script_prefix(), await execution.run(get_script_prefix)]
        return [*prefixes, get_script_prefix()]

    assert asyncio.run(main()) == ["/sub/", "/sub/", "/"]


def test_the_current_execution_is_known_while_it_is_entered() -> None:
    async def main() -> None:
        async with entered() as execution:
            assert current_execution.get() is execution
            assert await execution.run(current_execution.get) is execution
        assert current_execution.get(None) is None

    asyncio.run(main())


def test_an_execution_keeps_its_worker_from_its_first_query_on() -> None:
    async def main() -> tuple[list[str], str]:
        async with entered() as execution, entered() as other:
            await execution.run(thread)
            assert not execution.has_worker
            await execution.run(Item.objects.count)
            assert execution.has_worker
            mine = [await execution.run(thread)]
            elsewhere = await other.run(thread)
            mine.append(await execution.run(thread))
        assert not execution.has_worker
        return mine, elsewhere

    (first, second), other = asyncio.run(main())

    assert first == second != other


@pytest.mark.postgres  # SQLite keeps a database in memory open
@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_an_execution_that_closes_its_connections_lets_its_worker_go() -> None:
    def query() -> None:
        for alias in ("default", "other"):
            Item.objects.using(alias).count()

    async def use(execution: Execution) -> list[bool]:
        await execution.run(query)
        held = [execution.has_worker]
        for alias in ("default", "other"):
            await execution.run(lambda alias=alias: connections[alias].close())  # type: ignore[misc]
            held.append(execution.has_worker)
        return held

    assert execute(use) == [True, True, False]


def test_calls_of_an_execution_run_one_after_the_other_on_one_connection() -> None:
    running: list[int] = []
    most: list[int] = []

    def call() -> int:
        running.append(0)
        most.append(len(running))
        Item.objects.count()
        time.sleep(0.01)
        running.pop()
        return id(connection.connection)

    async def use(execution: Execution) -> set[int]:
        return set(await asyncio.gather(*(sync_to_async(call)() for _ in range(5))))

    assert len(execute(use)) == 1
    assert set(most) == {1}


def test_a_transaction_that_is_left_open_keeps_its_worker() -> None:
    async def main() -> None:
        async with entered() as execution, entered() as other:
            block = transaction.atomic()
            await execution.run(block.__enter__)
            mine = await execution.run(thread)
            assert await other.run(thread) != mine
            assert await execution.run(thread) == mine
            assert await execution.run(lambda: connection.in_atomic_block)
            assert not await other.run(lambda: connection.in_atomic_block)
            await execution.run(lambda: Item.objects.create(name="row"))
            await execution.run(lambda: transaction.set_rollback(True))
            await execution.run(lambda: block.__exit__(None, None, None))

    asyncio.run(main())

    assert not Item.objects.exists()


def test_a_transaction_that_is_never_ended_is_undone_with_the_request() -> None:
    async def use(execution: Execution) -> None:
        await execution.run(transaction.atomic().__enter__)
        await execution.run(lambda: Item.objects.create(name="lost"))

    async def look(execution: Execution) -> list[Any]:
        return await execution.run(lambda: [connection.in_atomic_block, Item.objects.count()])

    execute(use)

    assert execute(look) == [False, 0]


# Lifecycle


@pytest.fixture
def events() -> Iterator[list[str]]:
    events: list[str] = []

    def started(sender: type, **kwargs: Any) -> None:
        events.append(f"started {here()} {kwargs['scope']['type']}")

    def finished(sender: type, **kwargs: Any) -> None:
        events.append(f"finished {here()}")

    signals.request_started.connect(started)
    signals.request_finished.connect(finished)
    yield events
    signals.request_started.disconnect(started)
    signals.request_finished.disconnect(finished)


@pytest.mark.parametrize("work", [lambda: None, Item.objects.count])
def test_a_request_starts_and_finishes_once(events: list[str], work: Callable[[], object]) -> None:
    async def use(execution: Execution) -> None:
        for _ in range(3):
            await execution.run(work)
        assert events == ["started mullet http"]
        assert execution.is_started

    execute(use)

    assert events == ["started mullet http", "finished mullet"]


def test_the_signals_of_a_request_need_no_connection(events: list[str]) -> None:
    """Though Django's receivers look whether those that are open can be used."""

    async def query(execution: Execution) -> None:
        await execution.run(Item.objects.count)

    async def use(execution: Execution) -> bool:
        await execution.run(lambda: None)
        return execution.has_worker

    pool.stop()
    execute(query)

    assert execute(use) is False


def test_without_work_nothing_starts(events: list[str]) -> None:
    async def use(execution: Execution) -> None:
        assert not execution.is_started

    execute(use)

    assert events == []


def test_a_full_queue_does_not_keep_a_request_from_its_end(events: list[str]) -> None:
    async def main() -> None:
        end = threading.Event()
        async with entered() as execution:
            await execution.run(lambda: None)
            with override_settings(MULLET={"THREADS": 1, "QUEUE": 1}):
                await asyncio.to_thread(pool.stop)
                for _ in range(2):
                    pool.submit(lambda: end.wait(10))
                asyncio.get_running_loop().call_later(0.05, end.set)
                await execution.aclose()

    asyncio.run(main())

    assert events == ["started mullet http", "finished mullet"]


def test_a_request_that_is_cancelled_at_its_end_is_finished(events: list[str]) -> None:
    async def main() -> None:
        end = threading.Event()
        execution = Execution({"type": "http"})
        await execution.run(lambda: None)
        with override_settings(MULLET={"THREADS": 1}):
            await asyncio.to_thread(pool.stop)
            pool.submit(lambda: end.wait(10))
            ending = asyncio.ensure_future(execution.aclose())
            await asyncio.sleep(0.01)
            ending.cancel()
            await asyncio.sleep(0.01)
            end.set()
            await asyncio.wait([ending])
            await execution.run(lambda: None)  # after what waited before it

    asyncio.run(main())

    assert events == ["started mullet http", "finished mullet"]


def test_after_its_end_an_execution_needs_no_worker_of_its_own() -> None:
    async def main() -> None:
        async with entered() as execution:
            await execution.run(Item.objects.count)
        assert not execution.has_worker
        assert await execution.run(here) == "mullet"
        assert not execution.has_worker
        await execution.aclose()

    asyncio.run(main())


# Cancellation


def test_a_call_that_is_cancelled_before_it_begins_is_never_made(
    only_worker: threading.Event,
) -> None:
    called: list[str] = []

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(execution.run(lambda: called.append("x")))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)
    only_worker.set()
    until(lambda: pool.waiting == 0)

    assert called == []


def test_a_call_that_is_cancelled_while_it_runs_is_waited_for() -> None:
    started, end = threading.Event(), threading.Event()
    called: list[str] = []

    def work() -> str:
        started.set()
        end.wait(5)
        called.append(here())
        return "lost"

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(execution.run(work))
        await asyncio.to_thread(started.wait, 5)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0.01)
            assert not task.done()
        end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert called == ["mullet"]

    execute(use)


def test_a_call_that_fails_after_it_is_cancelled_raises_its_error() -> None:
    """As a thread of anyio's does, and a coroutine that is cancelled."""
    started, end = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        end.wait(5)
        raise LookupError(here())

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(execution.run(work))
        await asyncio.to_thread(started.wait, 5)
        task.cancel()
        await asyncio.sleep(0)
        end.set()
        with pytest.raises(LookupError, match="mullet"):
            await task

    execute(use)


def test_a_call_that_is_cancelled_when_it_is_just_done_is_not_waited_for_in_vain() -> None:
    called: list[str] = []

    async def use(execution: Execution) -> None:
        pool.stop()
        task = asyncio.ensure_future(execution.run(lambda: called.append(here())))
        await asyncio.sleep(0)
        # Without going back to the loop, which so hears of the end after the cancellation.
        until(lambda: called and len(pool._idle) == pool.size)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert called == ["mullet"]


def test_a_worker_outlives_a_loop_that_is_closed() -> None:
    started, end = threading.Event(), threading.Event()
    done: list[str] = []

    def work() -> None:
        started.set()
        end.wait(5)
        done.append(here())

    async def begin() -> Any:
        execution = Execution({"type": "http"})
        task = asyncio.ensure_future(execution.run(work))
        await asyncio.to_thread(started.wait, 5)
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    task._log_destroy_pending = False
    end.set()

    until(lambda: done)
    assert execute(lambda execution: execution.run(here)) == "mullet"


# Coroutines


def test_a_coroutine_moves_between_loop_and_worker() -> None:
    async def travel() -> list[Any]:
        seen: list[Any] = [(here(), in_worker())]
        for move in (to_loop, to_worker, to_worker, to_loop, to_worker):
            await move()
            seen.append((here(), in_worker()))
        return seen

    async def use(execution: Execution) -> list[Any]:
        return await execution.run_coroutine(travel())

    main, worker = ("MainThread", False), ("mullet", True)
    assert execute(use) == [main, main, worker, worker, main, worker]


def test_a_coroutine_waits_on_the_loop_between_its_moves() -> None:
    async def travel() -> str:
        await to_worker()
        await to_loop()
        await asyncio.sleep(0.001)
        future = asyncio.get_running_loop().create_future()
        future.set_result(here())
        return str(await future)

    async def use(execution: Execution) -> str:
        return await execution.run_coroutine(travel())

    assert execute(use) == "MainThread"


@pytest.mark.parametrize("move", [to_worker, to_loop])
def test_an_error_of_a_coroutine_is_raised(move: Callable[[], Any]) -> None:
    async def travel() -> None:
        await move()
        raise LookupError(here())

    async def use(execution: Execution) -> None:
        await execution.run_coroutine(travel())

    with pytest.raises(LookupError, match=r"mullet|MainThread"):
        execute(use)


def test_an_error_on_the_loop_reaches_the_coroutine() -> None:
    async def travel() -> str:
        failing = asyncio.get_running_loop().create_future()
        failing.set_exception(LookupError("from the loop"))
        try:
            await failing
        except LookupError as error:
            await to_worker()
            return f"{error} {here()}"
        return "no error"

    async def use(execution: Execution) -> str:
        return await execution.run_coroutine(travel())

    assert execute(use) == "from the loop mullet"


def test_waiting_for_the_loop_in_a_worker_is_an_error() -> None:
    closed: list[str] = []

    async def travel() -> None:
        await to_worker()
        try:
            await asyncio.sleep(0)
        finally:
            closed.append(here())

    async def use(execution: Execution) -> None:
        await execution.run_coroutine(travel())

    with pytest.raises(RuntimeError) as caught:
        execute(use)

    assert str(caught.value) == (
        "A coroutine waited for the event loop in a worker thread, where there is none."
    )
    assert closed == ["mullet"]


def cancelled_in_worker(travel: Callable[[threading.Event, threading.Event], Any]) -> None:
    """Cancel the coroutine while its worker is between the two events."""
    started, end = threading.Event(), threading.Event()

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(wrap(execution.run_coroutine(travel(started, end))))
        await asyncio.to_thread(started.wait, 5)
        task.cancel()
        await asyncio.sleep(0.01)
        assert not task.done()
        end.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)


async def wrap(awaitable: Any) -> Any:
    return await awaitable


def test_a_coroutine_that_is_cancelled_in_the_worker_ends_there_first() -> None:
    events: list[str] = []

    async def travel(started: threading.Event, end: threading.Event) -> None:
        await to_worker()
        started.set()
        end.wait(5)
        events.append(here())

    cancelled_in_worker(travel)

    assert events == ["mullet"]


def test_a_coroutine_that_is_cancelled_in_the_worker_hears_of_it_on_the_loop() -> None:
    events: list[str] = []

    async def travel(started: threading.Event, end: threading.Event) -> None:
        await to_worker()
        started.set()
        end.wait(5)
        try:
            await to_loop()
        except asyncio.CancelledError:
            await to_worker()
            events.append(here())
            raise

    cancelled_in_worker(travel)

    assert events == ["mullet"]


def test_a_coroutine_that_is_cancelled_on_the_loop_may_still_go_to_the_worker() -> None:
    events: list[str] = []

    async def travel() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            await to_worker()
            events.append(here())
            raise

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(wrap(execution.run_coroutine(travel())))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert events == ["mullet"]


def test_a_coroutine_that_is_cancelled_on_its_way_to_the_worker_hears_of_it(
    only_worker: threading.Event,
) -> None:
    events: list[str] = []

    async def travel() -> None:
        try:
            await to_worker()
        except asyncio.CancelledError:
            events.append(here())
            raise

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(wrap(execution.run_coroutine(travel())))
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert events == ["MainThread"]


def test_a_coroutine_may_go_on_where_there_is_no_worker_for_it(
    only_worker: threading.Event,
) -> None:
    pool.submit(lambda: None)

    async def travel() -> str:
        try:
            await to_worker()
        except Overloaded:
            return here()
        return "no error"

    async def use(execution: Execution) -> str:
        return await execution.run_coroutine(travel())

    assert execute(use) == "MainThread"


# asgiref


def test_the_asynchronous_orm_runs_in_the_worker() -> None:
    async def use(execution: Execution) -> list[Any]:
        await Item.objects.acreate(name="row")
        return [await Item.objects.acount(), await sync_to_async(here)()]

    assert execute(use) == [1, "mullet"]


def test_an_error_of_the_asynchronous_orm_is_raised() -> None:
    async def use(execution: Execution) -> None:
        await Item.objects.aget(name="missing")

    with pytest.raises(Item.DoesNotExist):
        execute(use)


def test_the_asynchronous_orm_and_functions_share_a_transaction() -> None:
    async def use(execution: Execution) -> int:
        block = transaction.atomic()
        await execution.run(block.__enter__)
        await Item.objects.acreate(name="row")
        inside = await execution.run(Item.objects.count)
        await execution.run(lambda: transaction.set_rollback(True))
        await sync_to_async(block.__exit__)(None, None, None)
        return inside

    assert execute(use) == 1
    assert Item.objects.count() == 0


def test_many_queries_at_once_are_all_answered() -> None:
    Item.objects.create(name="row")

    async def use(execution: Execution) -> list[int]:
        return await asyncio.gather(*(Item.objects.acount() for _ in range(20)))

    assert execute(use) == [1] * 20


def test_a_query_is_refused_where_there_is_no_worker_for_it(only_worker: threading.Event) -> None:
    pool.submit(lambda: None)

    async def use(execution: Execution) -> None:
        await Item.objects.acount()

    with pytest.raises(Overloaded):
        execute(use)


def test_a_query_that_is_cancelled_before_it_begins_is_never_made(
    only_worker: threading.Event,
) -> None:
    called: list[str] = []

    async def use(execution: Execution) -> None:
        task = asyncio.ensure_future(sync_to_async(lambda: called.append("x"))())
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)
    only_worker.set()
    until(lambda: pool.waiting == 0)

    assert execute(lambda execution: execution.run(here)) == "mullet"
    assert called == []


def test_below_async_to_sync_the_orm_runs_in_the_worker_too() -> None:
    from asgiref.sync import async_to_sync

    async def main() -> list[str]:
        async with entered():
            inside = await sync_to_async(here)()
        return [inside, await sync_to_async(here)()]

    assert async_to_sync(main)() == ["mullet", "MainThread"]


# Connections


def test_a_query_that_fails_does_not_mean_that_the_database_is_away() -> None:
    def fail() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM missing")

    async def use(execution: Execution) -> bool:
        with suppress(Exception):
            await execution.run(fail)
        return execution.connection_lost

    assert execute(use) is False


def test_a_database_that_is_away_is_noted() -> None:
    pool.stop()  # none of its connections is there to be taken over
    slots_of.cache_clear()

    def fail() -> None:
        wrapper = connections["default"]
        right = wrapper.settings_dict
        wrapper.settings_dict = {**right, "NAME": "/missing/directory/database"}
        try:
            wrapper.close()
            wrapper.connection = None  # SQLite keeps a database in memory open
            wrapper.ensure_connection()
        finally:
            wrapper.settings_dict = right

    async def use(execution: Execution) -> bool:
        with pytest.raises(OperationalError):
            await execution.run(fail)
        return execution.connection_lost

    assert execute(use) is True


def test_a_task_that_outlives_its_request_runs_without_a_request() -> None:
    sent: list[Any] = []

    def note(sender: Any, **kwargs: Any) -> None:
        sent.append(sender)

    async def main() -> None:
        execution = Execution({"type": "http"})
        await execution.run(Item.objects.count)
        await execution.aclose()

        await execution.run(Item.objects.count)

    signals.request_started.connect(note)
    try:
        asyncio.run(main())
    finally:
        signals.request_started.disconnect(note)

    assert sent == [Execution]


# Below synchronous code


def test_synchronous_code_waits_for_the_event_loop() -> None:
    async def inner() -> list[str]:
        places = [here()]
        await to_loop()
        number.set(number.get() + 1)
        places.append(here())
        await to_worker()
        return [*places, here()]

    async def outer() -> list[str]:
        await to_worker()
        number.set(1)
        Item.objects.count()
        places = await_from_sync(inner())
        assert number.get() == 2
        return [*places, here()]

    async def use(execution: Execution) -> list[str]:
        return await execution.run_coroutine(outer())

    assert execute(use) == ["mullet", "MainThread", "mullet", "mullet"]


def test_synchronous_code_waits_in_the_transaction_that_it_has_opened() -> None:
    async def inner() -> int:
        await to_loop()
        await Item.objects.acreate(name="below")
        return await Item.objects.acount()

    async def outer() -> int:
        await to_worker()
        with transaction.atomic():
            count = await_from_sync(inner())
            transaction.set_rollback(True)
        return count + Item.objects.count()

    async def use(execution: Execution) -> int:
        return await execution.run_coroutine(outer())

    assert execute(use) == 1


def test_a_cancellation_reaches_what_synchronous_code_waits_for() -> None:
    cancelled: list[str] = []
    in_the_worker, go_on = threading.Event(), threading.Event()

    async def inner() -> None:
        in_the_worker.set()
        go_on.wait(10)
        try:
            await to_loop()
        except asyncio.CancelledError:
            cancelled.append("inner")
            raise

    async def outer() -> None:
        await to_worker()
        try:
            await_from_sync(inner())
        except asyncio.CancelledError:
            cancelled.append("outer")
            raise

    async def use(execution: Execution) -> None:
        async def run() -> None:
            await execution.run_coroutine(outer())

        task = asyncio.create_task(run())
        await asyncio.to_thread(in_the_worker.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    execute(use)

    assert cancelled == ["inner", "outer"]


def test_a_coroutine_that_waits_for_a_worker_can_be_cancelled(
    only_worker: threading.Event,
) -> None:
    async def wait() -> str:
        try:
            await to_worker()
        except asyncio.CancelledError:
            return here()
        return "not cancelled"

    async def use(execution: Execution) -> str:
        async def run() -> str:
            return await execution.run_coroutine(wait())

        task = asyncio.create_task(run())
        await asyncio.sleep(0)
        task.cancel()
        return await task

    assert execute(use) == "MainThread"


def test_only_a_worker_waits_for_the_event_loop() -> None:
    async def inner() -> None: ...

    with pytest.raises(RuntimeError, match="Only what runs in the worker of a request"):
        await_from_sync(inner())


def test_what_a_task_has_begun_to_read_and_forgotten_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_lease, "RECHECK_SECONDS", 0.01)
    Item.objects.bulk_create(Item(name="row") for _ in range(4))
    reading: list[Iterator[Item]] = []

    def begin_to_read() -> None:
        reading.append(iter(Item.objects.iterator(chunk_size=1)))
        next(reading[0])

    async def main() -> bool:
        async with entered() as execution:
            pass
        await execution.run(begin_to_read)
        was_held = execution.has_worker
        reading.clear()
        gc.collect()
        await asyncio.to_thread(until, lambda: not execution.has_worker)
        return was_held

    assert asyncio.run(asyncio.wait_for(main(), 25)) is True


# Refusals


def test_what_was_given_up_is_not_refused_as_well() -> None:
    async def use(execution: Execution) -> list[Any]:
        call = OrmCall(execution, lambda: None)
        call.future.cancel()
        refused = WorkerCall(execution, lambda: None)
        assert refused.withdraw()
        for job in (call, refused):
            job.refuse(Overloaded("busy"))
        return [call.future.cancelled(), refused.refusal]

    assert execute(use) == [True, None]


def test_a_call_that_is_refused_raises_why() -> None:
    async def use(execution: Execution) -> Any:
        call = OrmCall(execution, lambda: None)
        call.refuse(Overloaded("busy"))
        return call.future.exception()

    assert isinstance(execute(use), Overloaded)
