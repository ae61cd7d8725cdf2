"""Each worker thread has connections, which others may take over between two requests."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from django_mullet.execution import connections as worker_connections
from django_mullet.execution.worker_connection import WorkerConnection
from tests.worker_threads import Thread, open_connections, use

pytestmark = pytest.mark.django_db(transaction=True)


def use_and_check_in() -> Any:
    used = use()
    worker_connections.checkin()
    return used


def test_no_connection_is_open_before_it_is_needed(thread: Callable[[], Thread]) -> None:
    worker = thread()

    assert worker.run(lambda: connection.connection) is None
    assert open_connections() == 0


def test_a_connection_stays_with_its_thread(thread: Callable[[], Thread]) -> None:
    worker = thread()

    used = [worker.run(use) for _ in range(3)]

    assert used[0] is used[1] is used[2]
    assert open_connections() == 1


def test_connections_in_use_are_not_shared(thread: Callable[[], Thread]) -> None:
    first, second = thread().run(use), thread().run(use)

    assert first is not second
    assert open_connections() == 2


def test_an_idle_connection_is_taken_over(thread: Callable[[], Thread]) -> None:
    idle, other = thread(), thread()
    first = idle.run(use_and_check_in)

    taken = other.run(use)

    assert taken is first
    assert idle.run(lambda: connection.connection) is None
    assert open_connections() == 1


def test_an_idle_connection_that_its_thread_uses_again_is_not_taken_over(
    thread: Callable[[], Thread],
) -> None:
    idle, other = thread(), thread()
    used = idle.run(use_and_check_in)
    idle.run(use)

    assert other.run(use) is not used
    assert idle.run(use) is used
    assert open_connections() == 2


def test_a_thread_whose_connection_was_taken_over_opens_another(
    thread: Callable[[], Thread],
) -> None:
    idle, other = thread(), thread()
    used = idle.run(use_and_check_in)
    other.run(use)

    assert idle.run(use) is not used
    assert open_connections() == 2


def test_a_connection_in_a_transaction_stays_checked_out(thread: Callable[[], Thread]) -> None:
    owner, other = thread(), thread()
    block = transaction.atomic()

    def begin() -> Any:
        block.__enter__()
        worker_connections.checkin()
        return use()

    used = owner.run(begin)

    assert other.run(use) is not used
    owner.run(lambda: block.__exit__(None, None, None))


def test_a_thread_without_connections_of_a_worker_has_nothing_to_check_in() -> None:
    used = use_and_check_in()

    assert connection.connection is used
    assert not isinstance(connections["default"], WorkerConnection)


@pytest.mark.postgres
def test_leaving_closes_what_the_thread_has_open(thread: Callable[[], Thread]) -> None:
    worker = thread()
    used = worker.run(use)

    worker.run(worker_connections.close_all)

    assert used.closed
    assert open_connections() == 0


@pytest.mark.postgres
def test_leaving_closes_an_idle_connection_unless_it_is_taken_over(
    thread: Callable[[], Thread],
) -> None:
    first, second, other = thread(), thread(), thread()
    used = first.run(use), second.run(use)
    first.run(worker_connections.checkin), second.run(worker_connections.checkin)
    other.run(use)

    first.run(worker_connections.close_all), second.run(worker_connections.close_all)

    assert [each.closed for each in used] == [False, True]
    assert open_connections() == 1


def test_connections_are_per_thread_not_per_process(thread: Callable[[], Thread]) -> None:
    worker = thread()

    assert worker.run(lambda: connections["default"]) is not connections["default"]
    assert worker.run(threading.current_thread) is not threading.current_thread()
