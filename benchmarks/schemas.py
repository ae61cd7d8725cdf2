"""What does a `ModelSchema` cost, next to Pydantic's `from_attributes` written by hand?

`python -m benchmarks.schemas` prints, for each case, the time that 100 rows of the ORM take to
become JSON by hand, divided by ours: above 1, ours is faster. Both sides run by turns.
"""

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Annotated, Any

import django

os.environ.setdefault("DATABASE_URL", "sqlite:///:memory:")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.routes.settings")
django.setup()

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter

from benchmarks.routes.models import Item
from django_mullet import ModelSchema

__all__ = ["main"]

ROWS = 100
PAIRS = 60
REPEATS = 40


class ItemSchema(ModelSchema[Item]):
    id: int
    name: str
    amount: int
    active: bool
    created_at: datetime


class ContentTypeSchema(ModelSchema[ContentType]):
    id: int
    app_label: str
    model: str


class PermissionSchema(ModelSchema[Permission]):
    id: int
    name: str
    codename: str
    content_type: ContentTypeSchema


class GroupSchema(ModelSchema[Group]):
    id: int
    name: str
    permissions: list[PermissionSchema]


class ByHand(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ItemByHand(ByHand):
    id: int
    name: str
    amount: int
    active: bool
    created_at: datetime


class ContentTypeByHand(ByHand):
    id: int
    app_label: str
    model: str


class PermissionByHand(ByHand):
    id: int
    name: str
    codename: str
    content_type: ContentTypeByHand


def _all(manager: Any) -> list[Any]:
    return list(manager.all())


class GroupByHand(ByHand):
    id: int
    name: str
    permissions: Annotated[list[PermissionByHand], BeforeValidator(_all)]


@dataclass(frozen=True, slots=True)
class Case:
    """Rows, and the two classes that show them."""

    name: str
    rows: Callable[[], list[Any]]
    ours: type[BaseModel]
    by_hand: type[BaseModel]


CASES = [
    Case("five columns", lambda: list(Item.objects.all()), ItemSchema, ItemByHand),
    Case(
        "a nested foreign key",
        lambda: list(Permission.objects.select_related("content_type")[:ROWS]),
        PermissionSchema,
        PermissionByHand,
    ),
    Case(
        "a nested list of four",
        lambda: list(Group.objects.prefetch_related("permissions__content_type")),
        GroupSchema,
        GroupByHand,
    ),
]


def main() -> None:
    """Print the ratio of each case."""
    _fill()
    print("| 100 rows to JSON | by hand / ours | quartiles | µs a row, ours |")
    print("| --- | --: | --: | --: |")
    for case in CASES:
        rows = case.rows()
        ours, by_hand = _dump(case.ours, rows), _dump(case.by_hand, rows)
        if ours() != by_hand():
            raise RuntimeError(f"'{case.name}': {ours()!r} is not {by_hand()!r}.")
        _print(case.name, _pairs(ours, by_hand))


def _fill() -> None:
    call_command("migrate", run_syncdb=True, verbosity=0)
    now = datetime.now(UTC)
    Item.objects.bulk_create(
        Item(name=f"Item {n}", amount=n, active=bool(n % 2), created_at=now) for n in range(ROWS)
    )
    types = list(ContentType.objects.all())
    Permission.objects.bulk_create(
        Permission(name=f"Can {n}", codename=f"can_{n}", content_type=types[n % len(types)])
        for n in range(ROWS)
    )
    permissions = list(Permission.objects.all()[:ROWS])
    for n in range(ROWS):
        group = Group.objects.create(name=f"Group {n}")
        group.permissions.set(permissions[n % 90 : n % 90 + 4])


def _dump(schema: type[BaseModel], rows: list[Any]) -> Callable[[], bytes]:
    """Return what FastAPI does with the rows that a route returns."""
    adapter = TypeAdapter(list[schema])  # type: ignore[valid-type]
    return lambda: adapter.dump_json(adapter.validate_python(rows))


def _pairs(ours: Callable[[], bytes], by_hand: Callable[[], bytes]) -> list[tuple[float, float]]:
    gc.collect()
    gc.disable()
    pairs = [(_time(ours), _time(by_hand)) for _ in range(PAIRS)]
    gc.enable()
    return pairs


def _time(run: Callable[[], bytes]) -> float:
    start = time.process_time()
    for _ in range(REPEATS):
        run()
    return (time.process_time() - start) / REPEATS / ROWS * 1e6


def _print(name: str, pairs: list[tuple[float, float]]) -> None:
    ratios = [by_hand / ours for ours, by_hand in pairs]
    low, _, high = quantiles(ratios, n=4)
    ours = median(time for time, _ in pairs)
    print(f"| {name} | {median(ratios):.2f} | {low:.2f}-{high:.2f} | {ours:.2f} |")


if __name__ == "__main__":
    main()
