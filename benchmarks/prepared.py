"""What does a prepared query cost, next to the same SQL in Django's own cursor?

`python -m tests.postgres -- python -m benchmarks.prepared` prints the CPU time of each way to one
row, divided by that of the cursor: above 1 is dearer. All run by turns, in a thread that has the
connections of a worker.
"""

import gc
import os
import time
from collections.abc import Callable
from statistics import median, quantiles
from threading import Thread
from typing import Any

import django

os.environ.setdefault("DATABASE_URL", "sqlite:///:memory:")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.routes.settings")
django.setup()

from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from benchmarks.routes.models import Item
from django_mullet import prepared
from django_mullet.execution import connections

__all__ = ["main"]

COLUMNS = ("id", "name", "amount", "active")
ROUNDS = 60
REPEATS = 100


@prepared
def rows_of(pk: int) -> "QuerySet[Item, tuple[Any, ...]]":
    return Item.objects.filter(pk=pk).values_list(*COLUMNS)


@prepared
def items_of(pk: int) -> QuerySet[Item]:
    return Item.objects.filter(pk=pk)


def main() -> None:
    """Print the ratio of each way."""
    connections.install_worker_connections()
    call_command("migrate", run_syncdb=True, verbosity=0)
    pk = Item.objects.create(name="Item", amount=1, active=True, created_at=timezone.now()).pk
    sql, params = Item.objects.filter(pk=pk).values_list(*COLUMNS).query.sql_with_params()

    def by_cursor() -> Any:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall()

    ways: dict[str, Callable[[], Any]] = {
        "Django's cursor": by_cursor,
        "prepared": lambda: list(rows_of(pk)),
        "the queryset": lambda: list(Item.objects.filter(pk=pk).values_list(*COLUMNS)),
        "prepared, `first()`": lambda: items_of(pk).first(),
        "the queryset, `first()`": lambda: Item.objects.filter(pk=pk).first(),
    }
    for way in ways.values():
        time_of(way)  # whatever is done once
    gc.collect()
    rounds = [[time_of(way) for way in ways.values()] for _ in range(ROUNDS)]
    print(f"| one row on {connection.vendor} | / Django's cursor | quartiles | µs |")
    print("| --- | --: | --: | --: |")
    for number, name in enumerate(ways):
        ratios = [each[number] / each[0] for each in rounds]
        low, _, high = quantiles(ratios, n=4)
        shown = median(each[number] for each in rounds)
        print(f"| {name} | {median(ratios):.2f} | {low:.2f}-{high:.2f} | {shown:.0f} |")
    connections.close_all()


def time_of(run: Callable[[], Any]) -> float:
    start = time.process_time()
    for _ in range(REPEATS):
        run()
    return (time.process_time() - start) / REPEATS * 1e6


if __name__ == "__main__":
    thread = Thread(target=main)
    thread.start()
    thread.join()
