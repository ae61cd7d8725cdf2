"""What may code leave in a database session, to find it there later in the same request?

Each kind of state is three steps, which a request takes one after the other, with something in
between: it leaves something in the session, looks at it, and clears it away.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import connection, transaction

from tests.testapp.models import Item

__all__ = ["SHARED", "STATES", "State", "execute"]

SHARED = 8
"""How many digits at the beginning of a token are those of its test."""


@dataclass(frozen=True, slots=True)
class State:
    """Three functions of a token, one of a kind, that belong to one session."""

    leave: Callable[[str], Any]
    look: Callable[[str], Any]
    clear: Callable[[str], Any]

    @property
    def steps(self) -> tuple[Callable[[str], Any], ...]:
        return (self.leave, self.look, self.clear)


def execute(statement: str, *parameters: Any) -> Any:
    """Return the one value of the one row that there is, or None."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        row = cursor.fetchone() if cursor.description else None
    return None if row is None else row[0]


def set_words(token: str) -> None:
    execute(f"SET mullet.one = '{token}'")
    execute("SELECT set_config('mullet.other', %s, false)", token)


def words(token: str) -> list[Any]:
    names = ("mullet.one", "mullet.other")
    return [execute("SELECT current_setting(%s, true)", name) for name in names]


def reset_words(token: str) -> list[Any]:
    found = words(token)
    execute("RESET mullet.one")
    execute("RESET mullet.other")
    return found


SETTINGS = State(set_words, words, reset_words)


def make_table(token: str) -> None:
    execute("CREATE TEMPORARY TABLE mine (word text)")
    execute("INSERT INTO mine VALUES (%s)", token)


TEMPORARY_TABLE = State(
    make_table,
    lambda token: execute("SELECT string_agg(word, ' ') FROM mine"),
    lambda token: execute("DROP TABLE mine"),
)


class Inside:
    """Counts who is between lock and unlock; each test has a lock of its own."""

    def __init__(self) -> None:
        self._numbers: Counter[int] = Counter()
        self._lock = Lock()

    def change(self, key: int, by: int) -> int:
        """Return how many there are then."""
        with self._lock:
            self._numbers[key] += by
            return self._numbers[key]


inside = Inside()


def key_of(token: str) -> int:
    """Return the key of the lock that all tokens of one test share."""
    return int(token[:SHARED], 16)


def take_lock(token: str) -> int:
    execute("SELECT pg_advisory_lock(%s)", key_of(token))
    return inside.change(key_of(token), +1)


def look_around(token: str) -> int:
    return inside.change(key_of(token), 0)


def give_lock_back(token: str) -> Any:
    inside.change(key_of(token), -1)
    return execute("SELECT pg_advisory_unlock(%s)", key_of(token))


ADVISORY_LOCK = State(take_lock, look_around, give_lock_back)


def notify(token: str) -> list[str]:
    """Return what the session has heard when it has told all who listen."""
    heard: list[str] = []

    def hear(notification: Any) -> None:
        heard.append(notification.payload)

    connection.ensure_connection()
    session = connection.connection
    session.add_notify_handler(hear)
    try:
        execute("SELECT pg_notify(%s, %s)", f"news_{token}", token)
        execute("SELECT 1")
    finally:
        session.remove_notify_handler(hear)
    return heard


LISTEN = State(
    lambda token: execute(f"LISTEN news_{token}"),
    notify,
    lambda token: execute("UNLISTEN *"),
)

PREPARE = State(
    lambda token: execute(f"PREPARE word AS SELECT '{token}'"),
    lambda token: execute("EXECUTE word"),
    lambda token: execute("DEALLOCATE word"),
)


def write_without_commit(token: str) -> int:
    transaction.set_autocommit(False)
    Item.objects.create(name=token)
    return written(token)


def written(token: str) -> int:
    return Item.objects.filter(name=token).count()


def roll_back(token: str) -> int:
    transaction.rollback()
    transaction.set_autocommit(True)
    return written(token)


STATES = {
    "settings": SETTINGS,
    "temporary-table": TEMPORARY_TABLE,
    "advisory-lock": ADVISORY_LOCK,
    "listen": LISTEN,
    "prepare": PREPARE,
    "no-autocommit": State(write_without_commit, written, roll_back),
}
