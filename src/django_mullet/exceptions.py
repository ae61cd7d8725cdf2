"""The exceptions of django-mullet.

MulletError
├── LazyLoad              showing many objects would query for each of them
├── NotPreparable         a function does not let its queryset be compiled once
├── Overloaded            there is no worker, or no connection, for more: 503
├── PreparedMismatch      a prepared query is not what its function builds now
├── TooManyQueries        a request made more queries than its route may
├── UnshownModel          an endpoint returned a model, and no schema says what is shown of it
└── UnsupportedFastAPI    FastAPI moved something that `_compat` relies on

`ConnectionLimitReached` is a `django.db.OperationalError`, so that code which
handles "the database is not there" handles "no connection became free" too.
`AlreadyCommitted` and `OutcomeUnknown` are plain `django.db.DatabaseError`s, so that code which
tries again after an `OperationalError` does not. `RolledBack` is a `TransactionManagementError`.
"""

from typing import Any

from django.db import DatabaseError, OperationalError
from django.db.transaction import TransactionManagementError

__all__ = [
    "AlreadyCommitted",
    "ConnectionLimitReached",
    "LazyLoad",
    "MulletError",
    "NotPreparable",
    "OutcomeUnknown",
    "Overloaded",
    "PreparedMismatch",
    "RolledBack",
    "TooManyQueries",
    "UnshownModel",
    "UnsupportedFastAPI",
]


class MulletError(Exception):
    """Base of the errors that only django-mullet raises."""


class LazyLoad(MulletError):
    """Showing many objects would query for each of them: N+1 queries. `sql` is the first.

    It was made when `field` of `schema` was read, where that is known.
    """

    def __init__(self, message: str, *, sql: str, schema: Any = None, field: str = "") -> None:
        super().__init__(message)
        self.sql = sql
        self.schema = schema
        self.field = field


class TooManyQueries(MulletError):
    """A request made more queries than `max_queries()` lets its route make. Lists them."""

    def __init__(self, number: int, statements: list[str]) -> None:
        listed = "".join(f"\n  {sql}" for sql in statements)
        super().__init__(
            f"The route may make {number} queries, and made {len(statements)}:{listed}\n"
            "Load what it reads at once, by 'select_related()', 'prefetch_related()' or a schema's "
            f"'from_qs()', or write 'max_queries({len(statements)})'."
        )
        self.statements = statements


class NotPreparable(MulletError):
    """A function below `@prepared` does not let its queryset be compiled once."""


class PreparedMismatch(MulletError):
    """A prepared query is not what its function builds now: it reads more than its parameters."""


class Overloaded(MulletError):
    """There is no worker, or no connection, for another request.

    `MULLET["QUEUE"]` jobs wait already, or a request has waited `MULLET["CONNECTION_TIMEOUT"]`
    seconds for a worker, or what lasts holds `MULLET["LASTING"]` connections.
    """


class UnshownModel(MulletError):
    """An endpoint returned a model, or a queryset, and no schema says what of it is shown."""


class UnsupportedFastAPI(MulletError):
    """The installed FastAPI lacks something that django-mullet relies on."""


class ConnectionLimitReached(OperationalError):
    """`MULLET["CONNECTIONS"]` connections are open and none became free in time."""


class RolledBack(TransactionManagementError):
    """A transaction ended without an exception, and nothing in it is stored all the same."""


class AlreadyCommitted(DatabaseError):
    """A request failed, after some of it was committed, as if it had changed nothing."""


class OutcomeUnknown(DatabaseError):
    """The database was lost before it said whether it has stored what it was told to store."""
