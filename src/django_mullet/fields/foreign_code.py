"""Attributes, relations and managers of a model whose code is not Django's.

What it reads, and what it gives, is known to nobody but its author. So it gets no short cut: no
column that it might read is left out of its query, and objects that it would make come from it.
"""

import inspect
from typing import Any

import django
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from django_mullet._compat.orm import gives_instances

__all__ = [
    "comes_by_join",
    "has_usual_descriptor",
    "is_djangos",
    "is_usual_column",
    "reads_own_column",
]


_JOINS_COMPOSITE = django.VERSION >= (5, 2, 2)
"""Whether `select_related()` finds an object with a key of several columns (ticket 36373)."""


def is_usual_column(model: type[models.Model], field: Any) -> bool:
    """Return whether an instance of `model` has what is loaded for `field` as it is."""
    return _getter(model, field.attname) is DeferredAttribute.__get__


def reads_own_column(model: type[models.Model], field: Any) -> bool:
    """Return whether reading `field`, of a column, takes no other: Django's descriptors do not."""
    return is_djangos(_getter(model, field.attname))


def has_usual_descriptor(model: type[models.Model], name: str) -> bool:
    """Return whether the objects of the relation `name` come in Django's own way."""
    return is_djangos(type(inspect.getattr_static(model, name, None)))


def comes_by_join(model: type[models.Model], name: str, field: Any) -> bool:
    """Return whether a join gives the very object that the attribute `name`, a `field`, would."""
    related: Any = field.related_model
    if related is None or not (field.many_to_one or field.one_to_one):
        return False
    if isinstance(related._meta.pk, models.CompositePrimaryKey) and not _JOINS_COMPOSITE:
        return False
    return has_usual_descriptor(model, name) and _gives_all(related._base_manager)


def _gives_all(manager: Any) -> bool:
    """Return whether `manager`, by which related objects are found, does nothing of its own."""
    return is_djangos(type(manager).get_queryset) and gives_instances(manager.get_queryset())


def _getter(model: type[models.Model], name: str) -> Any:
    return getattr(type(inspect.getattr_static(model, name, None)), "__get__", None)


def is_djangos(code: Any) -> bool:
    """Return whether `code`, a function or a class, is part of Django."""
    return str(getattr(code, "__module__", "")).startswith("django.")
