"""The DB-API connection that a worker takes over is as the last has left it, and works."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.signals import connection_created

from django_mullet.execution import connections as worker_connections
from django_mullet.execution.worker_connection import WorkerConnection
from tests.backends import terminate
from tests.worker_threads import Thread, open_connections, use

pytestmark = pytest.mark.django_db(transaction=True)


def use_and_check_in() -> Any:
    used = use()
    worker_connections.checkin()
    return used


def test_the_connection_is_one_of_the_configured_backend(thread: Callable[[], Thread]) -> None:
    backend = type(connections["default"])

    ours = thread().run(lambda: connections["default"])

    assert isinstance(ours, backend)
    assert isinstance(ours, WorkerConnection)
    assert type(ours).__name__ == backend.__name__
    assert type(ours).__module__ == backend.__module__


def test_an_idle_connection_keeps_the_time_of_its_end(
    monkeypatch: pytest.MonkeyPatch, thread: Callable[[], Thread]
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 60)
    idle, other = thread(), thread()
    idle.run(use)
    close_at = idle.run(lambda: connection.close_at)
    idle.run(worker_connections.checkin)

    other.run(use)

    assert other.run(lambda: connection.close_at) == close_at


@pytest.mark.postgres
def test_a_broken_connection_is_not_taken_over(thread: Callable[[], Thread]) -> None:
    idle, other = thread(), thread()

    def break_and_check_in() -> Any:
        used = use()
        terminate(connection.connection.info.backend_pid)
        worker_connections.checkin()
        return used

    broken = idle.run(break_and_check_in)

    assert other.run(use) is not broken
    assert open_connections() == 1


@pytest.mark.postgres
def test_what_replaces_a_broken_connection_has_a_time_of_its_own(
    monkeypatch: pytest.MonkeyPatch, thread: Callable[[], Thread]
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 600)
    idle, other = thread(), thread()
    soon = time.monotonic() + 60

    def break_and_check_in() -> None:
        use()
        terminate(connection.connection.info.backend_pid)
        connection.close_at = soon
        worker_connections.checkin()

    idle.run(break_and_check_in)
    other.run(use)

    assert other.run(lambda: connection.close_at) > soon


@pytest.mark.postgres
def test_without_health_checks_a_broken_connection_shows_at_its_first_query(
    monkeypatch: pytest.MonkeyPatch, thread: Callable[[], Thread]
) -> None:
    monkeypatch.setitem(connections.settings["default"], "CONN_HEALTH_CHECKS", False)
    idle, other = thread(), thread()

    def break_and_check_in() -> None:
        use()
        terminate(connection.connection.info.backend_pid)
        worker_connections.checkin()

    idle.run(break_and_check_in)

    with pytest.raises(OperationalError):
        other.run(use)


@pytest.mark.postgres
def test_what_is_taken_over_is_left_as_it_is(thread: Callable[[], Thread]) -> None:
    """As in Django a request finds the session as the one before it has left it."""
    idle, other, created = thread(), thread(), []

    def leave_a_time_zone() -> None:
        use()
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'Pacific/Auckland'")
        worker_connections.checkin()

    def state() -> tuple[bool, str]:
        with connection.cursor() as cursor:
            cursor.execute("SHOW TIME ZONE")
            return connection.get_autocommit(), cursor.fetchone()[0]

    def note(**kwargs: Any) -> None:
        created.append(kwargs["connection"])

    connection_created.connect(note)
    try:
        idle.run(leave_a_time_zone)

        assert other.run(state) == (True, "Pacific/Auckland")
    finally:
        connection_created.disconnect(note)

    assert len(created) == 1


def test_what_connecting_has_noted_is_taken_over_with_the_connection(
    thread: Callable[[], Thread],
) -> None:
    idle, other = thread(), thread()

    def count(execute: Any, *args: Any) -> Any:
        connection.counted = getattr(connection, "counted", 0) + 1  # type: ignore[attr-defined]
        return execute(*args)

    def set_up(connection: Any, **kwargs: Any) -> None:
        connection.set_up, connection.counted = True, 0
        connection.execute_wrappers.append(count)

    def noted() -> list[Any]:
        use()
        return [connection.set_up, connection.counted, len(connection.execute_wrappers)]  # type: ignore[attr-defined]

    connection_created.connect(set_up)
    try:
        assert idle.run(noted) == [True, 1, 2]
        idle.run(worker_connections.checkin)

        assert other.run(noted) == [True, 1, 2]
        assert idle.run(lambda: len(connection.execute_wrappers)) == 1
    finally:
        connection_created.disconnect(set_up)


@pytest.mark.parametrize("failure", ["before it connects", "when it is connected"])
def test_what_a_failed_attempt_has_noted_is_taken_over_too(
    thread: Callable[[], Thread], failure: str
) -> None:
    first, other = thread(), thread()

    def fail(connection: Any, **kwargs: Any) -> None:
        connection.is_set_up = True
        raise OperationalError("The receiver is not ready.")

    def connect_in_vain() -> None:
        if failure == "before it connects":
            connection.settings_dict = {**settings, "NAME": "/missing/directory/database"}
        else:
            connection_created.connect(fail)
        try:
            with pytest.raises(OperationalError):
                use()
        finally:
            connection.settings_dict = settings
            connection_created.disconnect(fail)
            connection.close()

    def change_a_row() -> bool:
        with transaction.atomic():
            use()
        return hasattr(connection, "is_set_up")

    settings = connection.settings_dict
    first.run(connect_in_vain)
    first.run(use_and_check_in)

    assert other.run(change_a_row) is (failure == "when it is connected")


def test_there_is_nothing_to_clean_where_nothing_is_open(thread: Callable[[], Thread]) -> None:
    worker = thread()

    worker.run(lambda: connections["default"].clean())  # type: ignore[attr-defined]

    assert worker.run(lambda: connection.connection) is None
    assert open_connections() == 0
