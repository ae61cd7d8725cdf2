"""What does every write of the soak test do, whoever asks for it?

Two rows with the token of the request, in one transaction, and after the commit one line with
the token in the file that `SOAK_COMMITTED` names. Some catch an error of the database in between.
"""

import asyncio
import os
from contextlib import suppress
from functools import cache, partial
from typing import Literal

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, transaction
from pydantic import BaseModel

from tests.soak.tables import TAKEN
from tests.testapp.models import Author, Item

__all__ = ["Crashed", "Order", "awrite", "count", "rows", "write"]


class Crashed(Exception):
    """What an endpoint raises when it is asked to crash after its writes."""


class Order(BaseModel):
    """Which rows to write, how slowly, and how it shall end."""

    token: str
    pause: float = 0
    outcome: Literal["keep", "conflict", "crash", "refuse", "swallow", "swallow query"] = "keep"
    counter: int = 0
    """Which row to count up before, where transactions are to meet."""


def write(order: Order) -> None:
    """Write both rows, with a pause in the database between them, and swallow what is ordered."""
    Item.objects.create(name=order.token, n=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [order.pause])
    Item.objects.create(name=order.token, n=1)
    _swallow(order)
    transaction.on_commit(partial(_note, order.token))


async def awrite(order: Order) -> None:
    """Write both rows by the async ORM, with a pause on the event loop between them."""
    await Item.objects.acreate(name=order.token, n=0)
    await asyncio.sleep(order.pause)
    await Item.objects.acreate(name=order.token, n=1)
    await sync_to_async(_swallow)(order)
    await sync_to_async(transaction.on_commit)(partial(_note, order.token))


def count(order: Order) -> None:
    """Count the order's row up; a conflict if another transaction does so at the same time.

    To be called before any other query of the transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("UPDATE soak_counter SET n = n + 1 WHERE id = %s", [order.counter])


def rows(token: str) -> list[int]:
    """Return which rows of `token` there are: 0 and 1 if it was written."""
    return list(Item.objects.filter(name=token).order_by("n").values_list("n", flat=True))


def _swallow(order: Order) -> None:
    """Catch an error of the database inside of the transaction, which is thereby lost."""
    if order.outcome == "swallow":
        with suppress(DatabaseError):
            Author.objects.create(name=TAKEN)
    elif order.outcome == "swallow query":
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT no_such_column")


def _note(token: str) -> None:
    os.write(_committed(), f"{token}\n".encode())


@cache
def _committed() -> int:
    return os.open(os.environ["SOAK_COMMITTED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
