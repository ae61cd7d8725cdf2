"""Headers wait for the first piece of the body, for a while."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from django_mullet import held_back
from django_mullet.held_back import HeldBack

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body", "body": b"a", "more_body": True}
END = {"type": "http.response.body", "body": b""}


class Client:
    """What the server sends to."""

    def __init__(self, fails: bool = False) -> None:
        self.messages: list[Any] = []
        self.is_slow = asyncio.Event()
        self.is_slow.set()
        self._fails = fails

    async def __call__(self, message: Any) -> None:
        await self.is_slow.wait()
        if self._fails:
            raise OSError("it has left")
        self.messages.append(message)


class Producer:
    """Makes the body."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        self.is_queued = self.is_busy = False


def with_client(
    use: Callable[[Client, HeldBack], Coroutine[Any, Any, None]], *, fails: bool = False
) -> list[Any]:
    """Return what is sent by `use`; errors that nobody has seen are errors of the test."""
    unseen: list[Any] = []

    async def main() -> list[Any]:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unseen.append(told))
        client = Client(fails)
        await asyncio.wait_for(use(client, HeldBack(client, Producer())), 5)
        return client.messages

    messages = asyncio.run(main())
    gc.collect()
    assert not unseen
    return messages


@pytest.fixture
def is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_back, "PATIENCE", 0)
    monkeypatch.setattr(held_back, "TURNS", 0)
    monkeypatch.setattr(held_back, "INTERVAL", 0)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_the_start_is_sent_with_the_first_piece() -> None:
    async def use(client: Client, send: HeldBack) -> None:
        await send(START)
        await turns()
        assert client.messages == []
        assert not send.has_sent
        await send(BODY)
        assert client.messages == [START, BODY]
        assert send.has_sent
        await send(END)

    assert with_client(use) == [START, BODY, END]


@pytest.mark.usefixtures("is_impatient")
def test_it_is_sent_when_patience_is_over() -> None:
    async def use(client: Client, send: HeldBack) -> None:
        await send(START)
        await turns()
        assert client.messages == [START]
        assert send.has_sent
        await send(BODY)
        await send(END)

    assert with_client(use) == [START, BODY, END]


@pytest.mark.usefixtures("is_impatient")
@pytest.mark.parametrize("count", range(5))
def test_it_is_sent_once_and_first_whenever_the_body_comes(count: int) -> None:
    async def use(client: Client, send: HeldBack) -> None:
        await send(START)
        await turns(count)
        await send(BODY)
        await turns()

    assert with_client(use) == [START, BODY]


@pytest.mark.usefixtures("is_impatient")
def test_the_body_waits_for_a_start_that_is_on_its_way() -> None:
    async def use(client: Client, send: HeldBack) -> None:
        client.is_slow.clear()
        await send(START)
        await turns()
        sending = asyncio.create_task(send(BODY))
        await turns()
        assert client.messages == []
        client.is_slow.set()
        await sending

    assert with_client(use) == [START, BODY]


@pytest.mark.usefixtures("is_impatient")
@pytest.mark.parametrize("count", range(5))
def test_one_who_has_given_up_can_answer_unless_it_is_sent(count: int) -> None:
    """No more than one answer, whenever the body fails."""

    async def use(client: Client, send: HeldBack) -> None:
        await send(START)
        await turns(count)
        send.give_up()
        if not send.has_sent:
            await client("another")
        await turns()

    assert with_client(use) in ([START], ["another"])


def test_without_patience_nothing_is_sent_after_giving_up() -> None:
    async def use(client: Client, send: HeldBack) -> None:
        await send(START)
        send.give_up()
        await asyncio.sleep(0.01)
        assert not send.has_sent

    assert with_client(use) == []


def test_giving_up_before_anything_does_nothing() -> None:
    async def use(client: Client, send: HeldBack) -> None:
        send.give_up()

    assert with_client(use) == []


@pytest.mark.usefixtures("is_impatient")
def test_the_body_hears_that_the_client_has_left() -> None:
    async def use(client: Client, send: HeldBack) -> None:
        await send(START)
        await turns()
        with pytest.raises(OSError, match="it has left"):
            await send(BODY)

    assert with_client(use, fails=True) == []


@pytest.mark.usefixtures("is_impatient")
def test_that_a_client_has_left_is_no_error_where_nothing_more_is_sent() -> None:
    async def use(client: Client, send: HeldBack) -> None:
        await send(START)
        await turns()
        send.give_up()

    assert with_client(use, fails=True) == []


def test_it_waits_longer_for_a_body_that_cannot_begin(is_impatient: None) -> None:
    async def main() -> list[int]:
        client, producer = Client(), Producer()
        producer.is_queued = True
        held = HeldBack(client, producer)
        await held(START)
        await asyncio.sleep(0.01)
        before = len(client.messages)
        producer.is_queued = False
        await asyncio.sleep(0.01)
        return [before, len(client.messages)]

    assert asyncio.run(main()) == [0, 1]


def test_a_body_has_some_turns_of_the_loop_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under load its first steps take longer than the patience in seconds."""
    monkeypatch.setattr(held_back, "PATIENCE", 0)

    async def main() -> list[int]:
        client, producer = Client(), Producer()
        held = HeldBack(client, producer)
        await held(START)
        await turns(held_back.TURNS // 2)
        producer.is_busy = True
        await turns(2 * held_back.TURNS)
        before = len(client.messages)
        producer.is_busy = False
        while not client.messages:
            await asyncio.sleep(0.01)
        return [before, len(client.messages)]

    assert asyncio.run(asyncio.wait_for(main(), 5)) == [0, 1]


def test_a_body_that_makes_do_without_a_connection_is_sent() -> None:
    async def main() -> list[Any]:
        client, producer = Client(), Producer()
        held = HeldBack(client, producer)
        await held(START)
        producer.refusal = LookupError("none left")
        await held(BODY)
        await held(END)
        return client.messages

    assert asyncio.run(main()) == [START, BODY, END]


def test_one_that_was_refused_and_sends_nothing_has_its_start_in_the_end(
    is_impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_back, "INTERVAL", 0.01)
    monkeypatch.setattr(held_back, "MOST_PATIENCE", 0.1)

    async def main() -> list[Any]:
        client, producer = Client(), Producer()
        producer.refusal = LookupError("none left")
        await HeldBack(client, producer)(START)
        while not client.messages:
            await asyncio.sleep(0.01)
        return client.messages

    assert asyncio.run(asyncio.wait_for(main(), 5)) == [START]


def test_it_waits_longer_for_a_worker_that_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_back, "PATIENCE", 0.01)
    monkeypatch.setattr(held_back, "INTERVAL", 0.01)
    monkeypatch.setattr(held_back, "MOST_PATIENCE", 0.2)

    async def main() -> list[int]:
        client, producer = Client(), Producer()
        producer.is_busy = True
        held = HeldBack(client, producer)
        await held(START)
        await asyncio.sleep(0.05)
        before = len(client.messages)
        while not client.messages:
            await asyncio.sleep(0.01)
        return [before, len(client.messages)]

    assert asyncio.run(asyncio.wait_for(main(), 5)) == [0, 1]


def test_the_start_of_a_body_that_was_refused_a_connection_is_not_sent(is_impatient: None) -> None:
    async def main() -> bool:
        client, producer = Client(), Producer()
        producer.refusal = LookupError("none left")
        held = HeldBack(client, producer)
        await held(START)
        await turns()
        held.give_up()
        return held.has_sent

    assert asyncio.run(main()) is False


def test_a_body_that_was_refused_a_connection_is_not_sent() -> None:
    async def main() -> list[Any]:
        client, producer = Client(), Producer()
        held = HeldBack(client, producer)
        await held(START)
        producer.refusal = LookupError("none left")
        with pytest.raises(LookupError, match="none left"):
            await held({"type": "http.response.body", "body": b"", "more_body": False})
        held.give_up()
        assert not held.has_sent
        return client.messages

    assert asyncio.run(main()) == []
