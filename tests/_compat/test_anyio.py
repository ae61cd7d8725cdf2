"""Does anyio find the event loop of a worker where it is led?"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from anyio import from_thread

from django_mullet._compat import anyio


def test_anyio_asks_what_its_thread_is_led_to() -> None:
    class Backend:
        @staticmethod
        def run_async_from_thread(function: Any, args: Any, token: object) -> list[Any]:
            return ["run", function, args, token]

        @staticmethod
        def run_sync_from_thread(function: Any, args: Any, token: object) -> list[Any]:
            return ["run_sync", function, args, token]

        @staticmethod
        def check_cancelled() -> None:
            raise LookupError("check_cancelled")

    def elsewhere() -> list[Any]:
        anyio.lead_from_thread(Backend)
        with pytest.raises(LookupError, match="check_cancelled"):
            from_thread.check_cancelled()
        calls: list[Any] = [from_thread.run, from_thread.run_sync]
        return [call(print, 1, 2) for call in calls]

    with ThreadPoolExecutor(1) as threads:
        found = threads.submit(elsewhere).result()

    assert found == [["run", print, (1, 2), None], ["run_sync", print, (1, 2), None]]


def test_a_thread_that_is_led_nowhere_finds_no_event_loop() -> None:
    with pytest.raises(anyio.NoEventLoopError):
        from_thread.run_sync(print)


def test_anyio_calls_a_function_on_the_loop_of_another_thread() -> None:
    async def main() -> bool:
        loop = asyncio.get_running_loop()
        found = await asyncio.to_thread(anyio.call_on_loop, loop, asyncio.get_running_loop, ())
        return found is loop

    assert asyncio.run(main())
