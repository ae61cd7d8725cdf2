"""Workers take slots for their connections, and wait for one in order of arrival."""

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.test import override_settings

from django_mullet import ConnectionLimitReached
from django_mullet.execution import connection_slots
from django_mullet.execution import connections as worker_connections
from django_mullet.execution.connection_slots import slots_of
from django_mullet.execution.worker_connection import WorkerConnection
from tests.waiting import until
from tests.worker_threads import Thread, open_connections, use

pytestmark = pytest.mark.django_db(transaction=True)


def wait_for_waiting(count: int) -> None:
    until(lambda: len(slots_of("default")._waiting) == count)


def test_every_alias_has_slots_of_its_own(thread: Callable[[], Thread]) -> None:
    worker = thread()

    worker.run(use)

    assert all(worker.run(lambda: [isinstance(c, WorkerConnection) for c in connections.all()]))
    assert [slots_of(alias).open for alias in ("default", "other")] == [1, 0]


def test_the_one_idle_for_longest_is_taken_over_first(thread: Callable[[], Thread]) -> None:
    workers = [thread() for _ in range(3)]
    used = [worker.run(use) for worker in workers]
    for worker in (workers[1], workers[2], workers[0]):
        worker.run(worker_connections.checkin)

    taken = [thread().run(use) for _ in range(3)]

    assert taken == [used[1], used[2], used[0]]


@override_settings(MULLET={"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.05})
def test_a_thread_that_gets_no_connection_in_time_is_told_so(
    thread: Callable[[], Thread],
) -> None:
    thread().run(use)
    late = thread()

    with pytest.raises(ConnectionLimitReached) as caught:
        late.run(use)

    assert str(caught.value) == (
        "No connection to database 'default' became free within 0.05 s: all 1 are in use "
        "(see MULLET['CONNECTIONS'])."
    )
    assert open_connections() == 1


@override_settings(MULLET={"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.05})
def test_missing_connections_are_handled_as_a_missing_database_is(
    thread: Callable[[], Thread],
) -> None:
    thread().run(use)

    with pytest.raises(OperationalError):
        thread().run(use)


@override_settings(MULLET={"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.05})
def test_a_thread_that_waited_in_vain_may_try_again(thread: Callable[[], Thread]) -> None:
    owner, late = thread(), thread()
    used = owner.run(use)
    with pytest.raises(ConnectionLimitReached):
        late.run(use)

    owner.run(worker_connections.checkin)

    assert late.run(use) is used


@override_settings(MULLET={"CONNECTIONS": 1})
def test_an_idle_connection_is_handed_to_the_thread_that_waits(
    thread: Callable[[], Thread],
) -> None:
    owner, late = thread(), thread()
    used = owner.run(use)
    waiting = late.submit(use)
    wait_for_waiting(1)

    owner.run(worker_connections.checkin)

    assert waiting.result(timeout=5) is used
    assert owner.run(lambda: connection.connection) is None
    assert open_connections() == 1


@override_settings(MULLET={"CONNECTIONS": 2})
def test_only_as_many_connections_are_handed_over_as_threads_wait(
    thread: Callable[[], Thread],
) -> None:
    owners, late = [thread(), thread()], thread()
    for owner in owners:
        owner.run(use)
    wrappers = [owner.run(lambda: connections["default"]) for owner in owners]
    waiting = late.submit(use)
    wait_for_waiting(1)

    for wrapper in wrappers:  # both before the thread that waits can wake
        slots_of("default").checkin(cast("WorkerConnection", wrapper))

    waiting.result(timeout=5)
    for each in (*owners, late):
        each.run(worker_connections.close_all)
    assert open_connections() == 0


@override_settings(MULLET={"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 0.05})
def test_a_connection_that_is_handed_over_at_the_last_moment_is_taken(
    monkeypatch: pytest.MonkeyPatch, thread: Callable[[], Thread]
) -> None:
    owner, late = thread(), thread()
    used = owner.run(use)
    wrapper = cast("WorkerConnection", owner.run(lambda: connections["default"]))
    slots, lock = slots_of("default"), threading.RLock()
    monkeypatch.setattr(slots, "_lock", lock)
    waiting = late.submit(use)
    wait_for_waiting(1)

    with lock:
        time.sleep(0.1)  # its time is over, but it cannot say so
        slots.checkin(wrapper)

    assert waiting.result(timeout=5) is used


# On Python 3.11 under coverage the thread does not wake before its time is over.
@override_settings(MULLET={"CONNECTIONS": 1, "CONNECTION_TIMEOUT": 3})
@pytest.mark.parametrize("make_room", [worker_connections.checkin, worker_connections.close_all])
def test_what_is_handed_to_a_thread_that_is_interrupted_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, thread: Callable[[], Thread], make_room: Callable[[], None]
) -> None:
    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            super().wait(timeout)
            raise KeyboardInterrupt

    owner, late = thread(), thread()
    owner.run(use)
    monkeypatch.setattr(
        connection_slots, "threading", SimpleNamespace(Event=Interrupted, Lock=threading.Lock)
    )
    waiting = late.submit(use)
    wait_for_waiting(1)

    owner.run(make_room)

    with pytest.raises(KeyboardInterrupt):
        waiting.result(timeout=5)
    for each in (owner, late):
        each.run(worker_connections.close_all)
    assert open_connections() == 0


@override_settings(MULLET={"CONNECTIONS": 1})
def test_a_place_is_for_the_thread_that_waits_and_not_for_the_next_to_ask(
    thread: Callable[[], Thread],
) -> None:
    owner, late = thread(), thread()
    owner.run(use)
    waiting = late.submit(use)
    wait_for_waiting(1)

    again = owner.submit(lambda: (worker_connections.close_all(), use()))
    used = waiting.result(timeout=5)
    late.run(worker_connections.checkin)

    assert again.result(timeout=5) == (None, used)
    assert open_connections() == 1


@override_settings(MULLET={"CONNECTIONS": 2})
def test_every_thread_gets_its_turn(thread: Callable[[], Thread]) -> None:
    workers = [thread() for _ in range(6)]

    def work() -> Any:
        used = use()
        time.sleep(0.005)
        worker_connections.checkin()
        return used

    futures = [worker.submit(work) for worker in workers]

    assert len({id(future.result(timeout=10)) for future in futures}) <= 2
    assert open_connections() <= 2


def test_a_thread_that_cannot_connect_does_not_count(thread: Callable[[], Thread]) -> None:
    def connect() -> None:
        wrapper = connections["default"]
        wrapper.settings_dict = {**wrapper.settings_dict, "NAME": "/missing/directory/database"}
        wrapper.ensure_connection()

    with pytest.raises(OperationalError):
        thread().run(connect)

    assert open_connections() == 0


@pytest.mark.postgres
def test_a_closed_connection_makes_room(thread: Callable[[], Thread]) -> None:
    first, late = thread(), thread()
    with override_settings(MULLET={"CONNECTIONS": 1}):
        used = first.run(use)
        waiting = late.submit(use)
        wait_for_waiting(1)

        first.run(lambda: connection.close())

        assert waiting.result(timeout=5) is not used
    assert open_connections() == 1


@pytest.mark.postgres
def test_closing_twice_counts_once(thread: Callable[[], Thread]) -> None:
    worker = thread()
    worker.run(use)

    worker.run(lambda: connection.close())
    worker.run(lambda: connection.close())

    assert open_connections() == 0


@pytest.mark.postgres
def test_a_connection_closed_in_a_transaction_counts_once(thread: Callable[[], Thread]) -> None:
    worker = thread()

    def close_inside() -> None:
        with transaction.atomic():
            use()
            connection.close()

    worker.run(close_inside)
    worker.run(lambda: connection.close())

    assert open_connections() == 0
    worker.run(use)
    assert open_connections() == 1


def test_a_thread_that_ends_makes_room_for_another(thread: Callable[[], Thread]) -> None:
    worker = thread()
    worker.run(use)

    worker.run(worker_connections.close_all)

    assert open_connections() == 0


@override_settings(MULLET={"CONNECTIONS": 1})
def test_a_thread_that_is_interrupted_waits_no_more(
    monkeypatch: pytest.MonkeyPatch, thread: Callable[[], Thread]
) -> None:
    class Interrupted(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    owner, late = thread(), thread()
    owner.run(use)
    monkeypatch.setattr(
        connection_slots, "threading", SimpleNamespace(Event=Interrupted, Lock=threading.Lock)
    )

    with pytest.raises(KeyboardInterrupt):
        late.run(use)

    assert not slots_of("default")._waiting
    assert open_connections() == 1
