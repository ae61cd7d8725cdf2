"""Do Locals move with a context, and the ORM's calls where they are sent?"""

import asyncio
from contextvars import ContextVar, copy_context

from asgiref.local import Local
from asgiref.sync import AsyncToSync, SyncToAsync, async_to_sync

from django_mullet._compat import asgiref


def test_asgiref_moves_context_variables_and_locals() -> None:
    variable: ContextVar[str] = ContextVar("variable")
    local = Local()

    def elsewhere() -> None:
        variable.set("moved")
        local.value = "moved"

    context = copy_context()
    context.run(elsewhere)

    asgiref.move_context(context)

    assert (variable.get(), local.value) == ("moved", "moved")


def test_asgiref_has_the_places_for_executors() -> None:
    assert isinstance(SyncToAsync.thread_sensitive_context, ContextVar)
    assert hasattr(SyncToAsync.context_to_thread_executor, "__setitem__")
    assert hasattr(AsyncToSync, "executors")


def test_it_is_known_whose_executor_runs_the_orm_of_a_task() -> None:
    mine, other = asgiref.ThreadSensitiveExecutor(), asgiref.ThreadSensitiveExecutor()

    async def main() -> list[bool]:
        undo = asgiref.send_orm_to(mine)
        inside = [asgiref.runs_orm(mine), asgiref.runs_orm(other)]
        undo()
        return [*inside, asgiref.runs_orm(mine)]

    assert asyncio.run(main()) == [True, False, False]
    assert async_to_sync(main)() == [True, False, False]
