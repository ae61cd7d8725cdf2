"""The comparison of a compiled query with what its function builds."""

import random
from collections.abc import Callable
from typing import Any, NoReturn, cast

from django.conf import settings
from django.db import connections

from django_mullet import conf
from django_mullet.exceptions import PreparedMismatch
from django_mullet.execution.borrowed_connections import in_tests
from django_mullet.queries.compiled import BoundSQL

__all__ = ["ADVICE", "IN_SAVE", "is_due", "require_alike", "require_same", "sent_by", "verify"]

ADVICE = (
    "It reads something besides its parameters: give that as a parameter, or leave '@prepared' out."
)

IN_SAVE = "Report it, please; until it is fixed, remove 'PreparedWrites' from the model."


def is_due() -> bool:
    """Return whether the query that is about to run is to be verified."""
    share = conf.current().verify_prepared
    return settings.DEBUG or in_tests() or (share > 0 and random.random() < share)  # noqa: S311


def verify(name: str, bound: BoundSQL, query: Any, alias: str, *, advice: str) -> None:
    """Raise `PreparedMismatch`, with `advice`, if `query` is another one than `bound`."""
    require_same(name, bound, query.get_compiler(using=alias).as_sql(), advice=advice)


def require_same(name: str, bound: BoundSQL, now: BoundSQL, *, advice: str) -> None:
    """Raise `PreparedMismatch`, with `advice`, if what is built `now` is another than `bound`."""
    sql, params = now
    if (sql, _comparable(params)) == (bound[0], _comparable(bound[1])):
        return
    raise PreparedMismatch(
        f"'{name}' was prepared as\n  {_shown(bound)}\nand builds now\n  {_shown(now)}\n{advice}"
    )


def require_alike(name: str, beside: Any, now: Any) -> None:
    """Raise `PreparedMismatch` if something else is made of the rows `now`."""
    if beside != now:
        raise PreparedMismatch(
            f"'{name}' was prepared for\n  {beside!r}\nand is now for\n  {now!r}\n{ADVICE}"
        )


def sent_by(answer: Callable[[], Any], alias: str) -> BoundSQL:
    """Return the first statement that `answer()` would have run, which is not; or an empty one."""
    connection = connections[alias]
    connections[alias] = cast("Any", _Refusing(connection))
    try:
        answer()
    except _Sent as sent:
        return sent.bound
    finally:
        connections[alias] = connection
    return "", ()


class _Sent(Exception):
    """A statement was about to be run."""

    def __init__(self, sql: str, params: Any) -> None:
        super().__init__(sql)
        self.bound: BoundSQL = sql, params or ()


class _Refusing:
    """A connection that runs no statement."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def cursor(self, *args: Any) -> "_Refusing":
        return self

    chunked_cursor = cursor

    def execute(self, sql: str, params: Any = ()) -> NoReturn:
        raise _Sent(sql, params)

    def close(self) -> None:
        """Keep the connection open, of which this is the cursor, too."""


def _comparable(param: Any) -> Any:
    if isinstance(param, list | tuple):
        return [_comparable(each) for each in param]
    own: Any = type(param).__eq__
    if own is not object.__eq__:
        return param
    # What psycopg wraps, for JSON for instance, has no equality.
    return type(param), getattr(param, "obj", None) or repr(param)


def _shown(bound: Any) -> str:
    sql, params = bound
    return f"{sql} with {tuple(params)!r}"
