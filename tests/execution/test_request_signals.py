import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from django.core.cache import cache
from django.core.cache.backends.dummy import DummyCache
from django.core.handlers.base import reset_urlconf
from django.core.signals import request_finished, request_started
from django.db import connection, connections
from django.dispatch import Signal
from django.test import override_settings
from django.urls import get_urlconf, set_urlconf

from django_mullet.execution import request_signals
from django_mullet.execution.execution import Execution
from django_mullet.execution.workers import pool
from tests.executing import entered, here
from tests.testapp.models import Item
from tests.waiting import until
from tests.worker_threads import submitted

pytestmark = pytest.mark.django_db(transaction=True)

T = TypeVar("T")

SCOPE = {"type": "http", "path": "/"}

closed_caches: list[str] = []


class Cache(DummyCache):
    """A cache that tells when it is closed."""

    def close(self, **kwargs: Any) -> None:
        closed_caches.append(threading.current_thread().name)


class Sender:
    """What the signals are sent from."""


class Listener:
    """A receiver that notes what it is called with."""

    def __init__(self) -> None:
        self.heard: list[tuple[Signal, type, Any]] = []

    def __call__(self, signal: Signal, sender: type, **kwargs: Any) -> None:
        self.heard.append((signal, sender, kwargs.get("scope")))


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Listens to both signals."""
    listener = Listener()
    for signal in (request_started, request_finished):
        signal.connect(listener)
    yield listener
    for signal in (request_started, request_finished):
        signal.disconnect(listener)


@pytest.fixture
def nobody() -> None:
    """Nobody but Django listens."""


both_ways = pytest.mark.parametrize("listening", ["nobody", "listener"])


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Signal]:
    """Return the list to which the signals are added that are sent."""
    sent: list[Signal] = []

    def noting(signal: Signal, method: str) -> Callable[..., Any]:
        send = getattr(signal, method)

        def note_and_send(**kwargs: Any) -> Any:
            sent.append(signal)
            return send(**kwargs)

        return note_and_send

    for signal, method in ((request_started, "send"), (request_finished, "send_robust")):
        monkeypatch.setattr(signal, method, noting(signal, method))
    return sent


def in_worker(function: Callable[[], T]) -> T:
    """Return what `function` returns in a worker, which ends with its connections afterwards."""
    try:
        return submitted(pool.submit, function).result(timeout=10)
    finally:
        pool.stop()


def begin_and_end() -> None:
    request_signals.begin(Sender, SCOPE)
    request_signals.end(Sender)


# Who is told


def test_who_listens_is_told_who_sends_and_for_which_request(listener: Listener) -> None:
    begin_and_end()

    assert listener.heard == [(request_started, Sender, SCOPE), (request_finished, Sender, None)]


def test_while_only_django_listens_nothing_is_sent(sent: list[Signal]) -> None:
    begin_and_end()

    assert sent == []


@pytest.mark.parametrize("signal", [request_started, request_finished])
def test_one_signal_is_sent_though_nobody_listens_to_the_other(
    sent: list[Signal], signal: Signal
) -> None:
    listener = Listener()
    signal.connect(listener)
    begin_and_end()
    signal.disconnect(listener)

    assert sent == [signal]


def test_a_receiver_for_one_sender_is_told_of_that_sender_only() -> None:
    class Other:
        pass

    listener = Listener()
    request_finished.connect(listener, sender=Other)
    request_signals.end(Sender)
    request_signals.end(Other)
    request_finished.disconnect(listener, sender=Other)

    assert listener.heard == [(request_finished, Other, None)]


def test_a_receiver_that_is_disconnected_is_told_nothing(
    listener: Listener, sent: list[Signal]
) -> None:
    begin_and_end()
    for signal in (request_started, request_finished):
        signal.disconnect(listener)
    begin_and_end()

    assert len(listener.heard) == 2
    assert sent == [request_started, request_finished]


def test_a_receiver_that_comes_later_is_told(sent: list[Signal]) -> None:
    begin_and_end()
    listener = Listener()
    request_started.connect(listener)
    begin_and_end()
    request_started.disconnect(listener)

    assert listener.heard == [(request_started, Sender, SCOPE)]


def test_after_a_receiver_that_is_no_more_nothing_is_sent(sent: list[Signal]) -> None:
    def receiver(**kwargs: Any) -> None: ...

    request_started.connect(receiver)
    begin_and_end()
    del receiver
    gc.collect()
    begin_and_end()  # may still have it sent, to nobody
    sent.clear()

    begin_and_end()

    assert sent == []


# What Django does


@both_ways
def test_the_log_of_queries_begins_anew_in_debug_mode(
    request: pytest.FixtureRequest, listening: str
) -> None:
    request.getfixturevalue(listening)

    def log() -> list[int]:
        Item.objects.count()
        before = len(connection.queries)
        request_signals.begin(Sender, SCOPE)
        return [before, len(connection.queries)]

    with override_settings(DEBUG=True):
        assert in_worker(log) == [1, 0]


@both_ways
def test_so_does_the_log_of_a_connection_that_keeps_one_without_debug_mode(
    request: pytest.FixtureRequest, listening: str
) -> None:
    request.getfixturevalue(listening)

    def log() -> list[int]:
        connections["default"].force_debug_cursor = True
        Item.objects.count()
        before = len(connection.queries)
        request_signals.begin(Sender, SCOPE)
        return [before, len(connection.queries)]

    assert in_worker(log) == [1, 0]


@pytest.mark.postgres
@pytest.mark.parametrize(
    "hook", [lambda: request_signals.begin(Sender, SCOPE), lambda: request_signals.end(Sender)]
)
@both_ways
def test_a_connection_that_has_reached_its_age_is_closed(
    request: pytest.FixtureRequest, listening: str, hook: Callable[[], None]
) -> None:
    request.getfixturevalue(listening)

    def states() -> list[bool]:
        Item.objects.count()
        used = connection.connection
        hook()
        before = used.closed
        connection.close_at = time.monotonic() - 1
        hook()
        return [before, used.closed]

    assert in_worker(states) == [False, True]


@both_ways
def test_the_caches_are_closed_in_the_end(request: pytest.FixtureRequest, listening: str) -> None:
    request.getfixturevalue(listening)
    closed_caches.clear()

    def use() -> list[str]:
        cache.get("key")
        request_signals.begin(Sender, SCOPE)
        before = list(closed_caches)
        request_signals.end(Sender)
        return before

    with override_settings(CACHES={"default": {"BACKEND": f"{__name__}.Cache"}}):
        before = in_worker(use)

    assert before == []
    assert [name.partition("-")[0] for name in closed_caches] == ["mullet"]


@both_ways
def test_the_urlconf_of_a_request_ends_with_it(
    request: pytest.FixtureRequest, listening: str
) -> None:
    request.getfixturevalue(listening)

    def use() -> list[str | None]:
        set_urlconf("tests.servers.urls")
        request_signals.begin(Sender, SCOPE)
        before = get_urlconf()
        request_signals.end(Sender)
        return [before, get_urlconf()]

    assert in_worker(use) == ["tests.servers.urls", None]


def test_what_is_disconnected_of_django_s_is_not_done(sent: list[Signal]) -> None:
    def use() -> str | None:
        set_urlconf("tests.servers.urls")
        request_signals.end(Sender)
        return get_urlconf()

    request_finished.disconnect(reset_urlconf)
    try:
        urlconf = in_worker(use)
    finally:
        request_finished.connect(reset_urlconf)

    assert urlconf == "tests.servers.urls"
    assert in_worker(use) is None
    assert sent == [request_finished]


@pytest.mark.parametrize("way", ["in a worker", "by the async ORM's way", "in a task that goes on"])
def test_the_caches_of_a_request_are_closed_when_it_ends(way: str) -> None:
    closed_caches.clear()

    async def use(execution: Execution) -> None:
        if way == "in a worker":
            await execution.run(lambda: cache.get("key"))
        else:
            await cache.aget("key")
        if way == "in a task that goes on":
            going_on.append(asyncio.create_task(execution.run(ended.wait)))
            await asyncio.sleep(0)

    async def main() -> None:
        async with entered() as execution:
            await use(execution)
        ended.set()
        await asyncio.gather(*going_on)

    going_on: list[asyncio.Task[bool]] = []
    ended = threading.Event()
    with override_settings(CACHES={"default": {"BACKEND": f"{__name__}.Cache"}}):
        asyncio.run(asyncio.wait_for(main(), 10))
        until(lambda: closed_caches)  # by a worker, nobody waits for that

    assert [name.partition("-")[0] for name in closed_caches] == ["mullet"]


@pytest.mark.parametrize(
    ("backends", "expected"),
    [
        (["django.core.cache.backends.locmem.LocMemCache"], []),
        ([f"{__name__}.Cache"], ["mullet"]),
        (["django.core.cache.backends.dummy.DummyCache", f"{__name__}.Cache"], ["mullet"]),
        (["there.is.none", f"{__name__}.Cache"], ["mullet"]),
    ],
)
def test_caches_are_looked_for_where_one_has_something_to_close(
    backends: list[str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []
    monkeypatch.setattr(request_signals, "close_caches", lambda: closed.append(here()))
    configured = {str(number): {"BACKEND": backend} for number, backend in enumerate(backends)}

    with override_settings(CACHES={"default": configured["0"], **configured}):
        in_worker(begin_and_end)

    assert closed == expected


# What raises


class Broken(Exception):
    pass


def broken(**kwargs: Any) -> None:
    raise Broken


def test_the_others_are_called_though_one_receiver_raises(listener: Listener) -> None:
    request_finished.disconnect(listener)
    request_finished.connect(broken)
    request_finished.connect(listener)
    try:
        request_signals.end(Sender)
    finally:
        request_finished.disconnect(broken)

    assert [signal for signal, *_ in listener.heard] == [request_finished]


class BrokenCache(DummyCache):
    is_broken = False

    def close(self, **kwargs: Any) -> None:
        if self.is_broken:
            raise Broken


def test_a_cache_that_cannot_be_closed_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(CACHES={"default": {"BACKEND": f"{__name__}.BrokenCache"}}):
        cache.get("key")
        with monkeypatch.context() as context:
            context.setattr(BrokenCache, "is_broken", True)
            request_signals.end(Sender)

    assert "Error at the end of a request" in caplog.text
