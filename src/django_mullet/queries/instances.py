"""Model instances made of rows, without `Model.__init__()` where nobody would notice.

`Model.__init__()` serves whoever makes an instance, and sends signals. What is left for a row,
where nobody listens, is to set its attributes: by a function that is written for the columns, as
`dataclasses` write theirs.
"""

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from keyword import iskeyword
from typing import Any

from django.db import models
from django.db.models.base import ModelState
from django.db.models.signals import ModelSignal, post_init, pre_init

__all__ = ["instances_of", "is_listened_to", "is_made_by_django", "tells_of_making"]

MOST = 512
"""Functions that are kept: each set of columns of a model has another."""

Row = tuple[Any, ...]
Make = Callable[[str, Iterable[Row]], list[Any]]


def instances_of(model: Any, names: tuple[str, ...], alias: str, rows: Iterable[Row]) -> list[Any]:
    """Return what `Model.from_db()` makes of each of `rows`, which have the columns `names`.

    Other columns of the model are deferred.
    """
    make = _maker(model, names)
    if make is None or tells_of_making(model):
        return [model.from_db(alias, names, row) for row in rows]
    return make(alias, rows)


def tells_of_making(model: Any) -> bool:
    """Return whether a receiver is called when an instance of `model` is made."""
    return is_listened_to(pre_init, model) or is_listened_to(post_init, model)


def is_listened_to(signal: ModelSignal, model: Any) -> bool:
    """Return whether a receiver is called when `model` sends `signal`."""
    return bool(signal.receivers) and signal.has_listeners(model)


@cache
def is_made_by_django(model: Any) -> bool:
    """Return whether instances of `model` are made by Django's methods alone, but for signals."""
    return (
        model.from_db.__func__ is models.Model.from_db.__func__  # type: ignore[attr-defined]
        and model.__init__ is models.Model.__init__
    )


@lru_cache(maxsize=MOST)
def _maker(model: Any, names: tuple[str, ...]) -> Make | None:
    behind = model.__mro__[model.__mro__.index(models.Model) + 1 :]
    is_plain = (
        is_made_by_django(model)
        and type(model).__call__ is type.__call__
        and model.__new__ is object.__new__
        and not any("__init__" in vars(base) for base in behind if base is not object)
        and all(name.isidentifier() and not iskeyword(name) for name in names)
    )
    return _written(model, names) if is_plain else None


def _written(model: Any, names: tuple[str, ...]) -> Make:
    columns = [f"c{number}" for number in range(len(names))]
    assignments = [
        f"instance.{name} = {column}" for name, column in zip(names, columns, strict=True)
    ]
    source = f"""
def make(alias, rows):
    made = []
    for {", ".join(columns)}, in rows:
        instance = new(model)
        instance._state = state = ModelState()
        {"; ".join(assignments)}
        state.adding, state.db = False, alias
        made.append(instance)
    return made
"""
    written: dict[str, Any] = {"ModelState": ModelState, "model": model, "new": object.__new__}
    exec(source, written)  # noqa: S102  # its names are identifiers
    make: Make = written["make"]
    return make
