"""Headers wait for the first piece of the body, for a while."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from selectors import DefaultSelector
from typing import Any

import pytest

from django_mullet.streaming import delayed_headers
from django_mullet.streaming.delayed_headers import DelayedHeaders
from tests.waiting import turns

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
    use: Callable[[Client, DelayedHeaders], Coroutine[Any, Any, None]], *, fails: bool = False
) -> list[Any]:
    """Return what is sent by `use`; errors that nobody has seen are errors of the test."""
    unseen: list[Any] = []

    async def main() -> list[Any]:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unseen.append(told))
        client = Client(fails)
        await asyncio.wait_for(use(client, DelayedHeaders(client, Producer())), 5)
        return client.messages

    messages = asyncio.run(main())
    gc.collect()
    assert not unseen
    return messages


@pytest.fixture
def is_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delayed_headers, "DEFAULT_DELAY", 0)
    monkeypatch.setattr(delayed_headers, "MIN_LOOP_TURNS", 0)
    monkeypatch.setattr(delayed_headers, "RECHECK_SECONDS", 0)


def test_the_start_is_sent_with_the_first_piece() -> None:
    async def use(client: Client, send: DelayedHeaders) -> None:
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
def test_it_is_sent_when_the_delay_is_over() -> None:
    async def use(client: Client, send: DelayedHeaders) -> None:
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
    async def use(client: Client, send: DelayedHeaders) -> None:
        await send(START)
        await turns(count)
        await send(BODY)
        await turns()

    assert with_client(use) == [START, BODY]


@pytest.mark.usefixtures("is_impatient")
def test_the_body_waits_for_a_start_that_is_on_its_way() -> None:
    async def use(client: Client, send: DelayedHeaders) -> None:
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

    async def use(client: Client, send: DelayedHeaders) -> None:
        await send(START)
        await turns(count)
        send.give_up()
        if not send.has_sent:
            await client("another")
        await turns()

    assert with_client(use) in ([START], ["another"])


def test_without_a_delay_nothing_is_sent_after_giving_up() -> None:
    async def use(client: Client, send: DelayedHeaders) -> None:
        await send(START)
        send.give_up()
        await asyncio.sleep(0.01)
        assert not send.has_sent

    assert with_client(use) == []


def test_giving_up_before_anything_does_nothing() -> None:
    async def use(client: Client, send: DelayedHeaders) -> None:
        send.give_up()

    assert with_client(use) == []


@pytest.mark.usefixtures("is_impatient")
def test_the_body_hears_that_the_client_has_left() -> None:
    async def use(client: Client, send: DelayedHeaders) -> None:
        await send(START)
        await turns()
        with pytest.raises(OSError, match="it has left"):
            await send(BODY)

    assert with_client(use, fails=True) == []


@pytest.mark.usefixtures("is_impatient")
def test_that_a_client_has_left_is_no_error_where_nothing_more_is_sent() -> None:
    async def use(client: Client, send: DelayedHeaders) -> None:
        await send(START)
        await turns()
        send.give_up()

    assert with_client(use, fails=True) == []


def test_it_waits_longer_for_a_body_that_cannot_begin(is_impatient: None) -> None:
    async def main() -> list[int]:
        client, producer = Client(), Producer()
        producer.is_queued = True
        held = DelayedHeaders(client, producer)
        await held(START)
        await asyncio.sleep(0.01)
        before = len(client.messages)
        producer.is_queued = False
        await asyncio.sleep(0.01)
        return [before, len(client.messages)]

    assert asyncio.run(main()) == [0, 1]


def test_a_body_has_some_turns_of_the_loop_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under load its first steps take longer than the delay in seconds."""
    monkeypatch.setattr(delayed_headers, "DEFAULT_DELAY", 0)

    async def main() -> list[int]:
        client, producer = Client(), Producer()
        held = DelayedHeaders(client, producer)
        await held(START)
        await turns(delayed_headers.MIN_LOOP_TURNS // 2)
        producer.is_busy = True
        await turns(2 * delayed_headers.MIN_LOOP_TURNS)
        before = len(client.messages)
        producer.is_busy = False
        while not client.messages:
            await asyncio.sleep(0.01)
        return [before, len(client.messages)]

    assert asyncio.run(asyncio.wait_for(main(), 5)) == [0, 1]


def test_a_body_that_makes_do_without_a_connection_is_sent() -> None:
    async def main() -> list[Any]:
        client, producer = Client(), Producer()
        held = DelayedHeaders(client, producer)
        await held(START)
        producer.refusal = LookupError("none left")
        await held(BODY)
        await held(END)
        return client.messages

    assert asyncio.run(main()) == [START, BODY, END]


def test_one_that_was_refused_and_sends_nothing_has_its_start_in_the_end(
    is_impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delayed_headers, "RECHECK_SECONDS", 0.01)
    monkeypatch.setattr(delayed_headers, "MAX_DELAY", 0.1)

    async def main() -> list[Any]:
        client, producer = Client(), Producer()
        producer.refusal = LookupError("none left")
        await DelayedHeaders(client, producer)(START)
        while not client.messages:
            await asyncio.sleep(0.01)
        return client.messages

    assert asyncio.run(asyncio.wait_for(main(), 5)) == [START]


def test_it_waits_longer_for_a_worker_that_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delayed_headers, "DEFAULT_DELAY", 0.01)
    monkeypatch.setattr(delayed_headers, "RECHECK_SECONDS", 0.01)
    monkeypatch.setattr(delayed_headers, "MAX_DELAY", 0.2)

    async def main() -> list[int]:
        client, producer = Client(), Producer()
        producer.is_busy = True
        held = DelayedHeaders(client, producer)
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
        held = DelayedHeaders(client, producer)
        await held(START)
        await turns()
        held.give_up()
        return held.has_sent

    assert asyncio.run(main()) is False


def test_a_body_that_was_refused_a_connection_is_not_sent() -> None:
    async def main() -> list[Any]:
        client, producer = Client(), Producer()
        held = DelayedHeaders(client, producer)
        await held(START)
        producer.refusal = LookupError("none left")
        with pytest.raises(LookupError, match="none left"):
            await held({"type": "http.response.body", "body": b"", "more_body": False})
        held.give_up()
        assert not held.has_sent
        return client.messages

    assert asyncio.run(main()) == []


class Quick(DefaultSelector):
    """Has a loop wait for nothing, and its clock go on by as much."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.passed += timeout or 0.0
        return super().select(0)


class Clock(asyncio.SelectorEventLoop):
    """A loop the time of which begins at 100, and passes in no time."""

    def __init__(self) -> None:
        self.selector = Quick()
        super().__init__(self.selector)

    def time(self) -> float:
        return 100.0 + self.selector.passed


def sent_after(
    delay: float = delayed_headers.DEFAULT_DELAY, *, queued: float = 0.0, busy: float = 0.0
) -> float:
    """Return after how many seconds the start is sent though there is no body.

    That waits for its turn so many seconds, then a worker is at work for it.
    """

    async def main() -> float:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        producer = Producer()
        producer.is_queued, producer.is_busy = queued > 0.0, busy > 0.0
        loop.call_later(queued, setattr, producer, "is_queued", False)
        loop.call_later(busy, setattr, producer, "is_busy", False)
        sent: list[float] = []

        async def send(message: Any) -> None:
            sent.append(loop.time() - begin)

        held = DelayedHeaders(send, producer)
        held.delay = delay
        await held(START)
        while not sent:
            await asyncio.sleep(0.001)
        return sent[0]

    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(main())


def test_the_start_is_sent_after_as_many_seconds_as_the_documentation_says() -> None:
    assert sent_after() == pytest.approx(0.5, abs=0.05)
    assert sent_after(delayed_headers.ASYNC_VIEW_DELAY) == pytest.approx(0.02, abs=0.03)
    assert sent_after(busy=60.0) == pytest.approx(5.0, abs=0.3)


def test_it_is_sent_soon_after_there_is_nothing_more_to_wait_for() -> None:
    for seconds in (1.0, 2.0, 2.1, 4.0):
        assert seconds <= sent_after(busy=seconds) <= seconds + 0.3
        assert seconds <= sent_after(queued=seconds) <= seconds + 0.3
    assert 20.0 <= sent_after(queued=20.0) <= 20.3


def test_twenty_turns_of_the_loop_are_waited_for_as_well() -> None:
    """However quickly they pass."""

    async def main() -> int:
        client = Client()
        held = DelayedHeaders(client, Producer())
        held.delay = 0.0
        await held(START)
        count = 0
        while not client.messages:
            count += 1
            await asyncio.sleep(0)
        return count

    with asyncio.Runner(loop_factory=Clock) as runner:
        # And that of the timer, of the task that sends, and of this one, which sees it.
        assert runner.run(main()) == 20 + 3
