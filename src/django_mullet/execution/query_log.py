"""A log of the queries that some code makes, and the time that they take."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeVar

from django.db import connections

__all__ = ["QueryLog"]

T = TypeVar("T")

_OF_TRANSACTIONS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


@dataclass(slots=True)
class QueryLog:
    """The queries that were made while it was `recording()`, in one or several threads in turn.

    Savepoints do not count: whether there are any depends on who has opened a transaction before.
    """

    statements: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Note the queries of the calling thread, on every database, during the block."""
        with ExitStack() as stack:
            for connection in connections.all():
                # A job may run while another one waits in the same worker.
                if self._record not in connection.execute_wrappers:
                    stack.enter_context(connection.execute_wrapper(self._record))
            yield

    def run(self, function: Callable[[], T]) -> T:
        """Return what `function` returns, and note its queries."""
        with self.recording():
            return function()

    def _record(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        started = perf_counter()
        try:
            return execute(sql, *args)
        finally:
            self.seconds += perf_counter() - started
            if not sql.startswith(_OF_TRANSACTIONS):
                self.statements.append(sql)
