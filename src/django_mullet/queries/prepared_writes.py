"""Models saved by statements that are compiled once: `PreparedWrites`.

`Model.save()` builds and compiles its INSERT or UPDATE each time, which is a good part of what it
costs. Here it is Django's own `save()` that runs, with all that it does besides, and what was
compiled before (`inserts`, `updates`) is filled with values.
"""

from typing import Any

from django.db import models

from django_mullet._compat.orm import InsertsBy, UpdatesBy
from django_mullet.queries.inserts import insert
from django_mullet.queries.updates import update

__all__ = ["PreparedWrites"]


class PreparedWrites(InsertsBy, UpdatesBy):
    """Mixed into a model, before `models.Model`: `save()` does not build its statement each time.

    Neither the INSERT nor the UPDATE, whoever calls it; and whatever the model makes of it. What is
    compiled once for each set of columns and database, is then filled with values. Raises
    `TypeError` where a model names it after another, whose `save()` would not see it.
    """

    _inserts_by = staticmethod(insert)
    _updates_by = staticmethod(update)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        order = cls.__mro__
        if models.Model in order and order.index(models.Model) < order.index(PreparedWrites):
            raise TypeError(
                f"'{cls.__name__}' must name 'PreparedWrites' before its other bases, or 'save()' "
                "does not see it."
            )
