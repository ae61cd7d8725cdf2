"""Synchronous functions run in a worker, with the ContextVars of their request."""

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import pytest
from django.urls import get_script_prefix
from django.utils import timezone, translation

from django_mullet.execution.execution import Execution, current_execution
from tests.executing import entered, execute, here

pytestmark = pytest.mark.django_db(transaction=True)

number: ContextVar[int] = ContextVar("number", default=0)


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
