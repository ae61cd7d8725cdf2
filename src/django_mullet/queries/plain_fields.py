"""Fields whose conversion to database values is known, and has no side effects.

Then a statement depends on nothing but its columns, and may be filled with other values.
"""

from functools import cache
from typing import Any

from django.db.migrations.state import StateApps

from django_mullet.queries.placeholders import Unfit

__all__ = ["MOST", "are_plain", "param"]

MOST = 64
"""Statements of a kind that are kept for a model."""

PREPARING = ("get_db_prep_save", "get_db_prep_value", "get_prep_value")
"""What makes of a value in Python one for the database."""


def are_plain(model: Any) -> bool:
    """Return whether what is written to the table of `model` depends on nothing but its values.

    The models that migrations make are not meant: what is kept for them would be kept for good.
    """
    return not isinstance(model._meta.apps, StateApps) and _are_plain(model)


def param(field: Any, value: Any, connection: Any) -> Any:
    """Return what `field` makes of `value`; raise `Unfit` where that is part of the statement."""
    if hasattr(value, "resolve_expression") or hasattr(value, "prepare_database_save"):
        raise Unfit
    made = field.get_db_prep_save(value, connection=connection)
    if hasattr(made, "as_sql"):
        raise Unfit
    return made


@cache
def _are_plain(model: Any) -> bool:
    return all(map(_is_plain, model._meta.local_concrete_fields))


def _is_plain(field: Any) -> bool:
    """Return whether `field` is known to do the same with a value each time, and only that."""
    return (
        all(getattr(type(field), name).__module__.startswith("django.") for name in PREPARING)
        and not hasattr(field, "get_placeholder")
        and not hasattr(field, "get_placeholder_sql")  # its name since Django 6.1
        and (field.remote_field is None or _is_plain(field.target_field))
    )
