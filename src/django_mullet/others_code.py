"""Which attributes, relations and managers of a model have code that is not Django's?

What it reads, and what it gives, is known to nobody but its author. So it gets no short cut: no
column that it might read is left out of its query, and objects that it would make come from it.
"""

import inspect
from typing import Any

from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.db.models.query_utils import DeferredAttribute

from django_mullet._compat import gives_instances
from django_mullet.fields import find_field

__all__ = [
    "comes_by_join",
    "has_usual_descriptor",
    "is_usual_column",
    "model_by_joins",
    "reads_own_column",
]


def is_usual_column(model: type[models.Model], field: Any) -> bool:
    """Return whether an instance of `model` has what is loaded for `field` as it is."""
    return _getter(model, field.attname) is DeferredAttribute.__get__


def reads_own_column(model: type[models.Model], field: Any) -> bool:
    """Return whether reading `field`, of a column, takes no other: Django's descriptors do not."""
    return _is_djangos(_getter(model, field.attname))


def has_usual_descriptor(model: type[models.Model], name: str) -> bool:
    """Return whether the objects of the relation `name` come in Django's own way."""
    return _is_djangos(type(inspect.getattr_static(model, name, None)))


def model_by_joins(model: type[models.Model], path: str) -> Any:
    """Return the model to which `path` leads from `model`, as `select_related()` names it.

    `None` if joins do not give the very objects that the attributes would.
    """
    found: Any = model
    for name in path.split(LOOKUP_SEP) if path else ():
        field = find_field(found, name)
        if field is None or not comes_by_join(found, name, field):
            return None
        found = field.related_model
    return found


def comes_by_join(model: type[models.Model], name: str, field: Any) -> bool:
    """Return whether a join gives the very object that the attribute `name`, a `field`, would."""
    is_of_one = (field.many_to_one or field.one_to_one) and field.related_model is not None
    return bool(
        is_of_one
        and has_usual_descriptor(model, name)
        and _gives_all(field.related_model._base_manager)
    )


def _gives_all(manager: Any) -> bool:
    """Return whether `manager`, by which related objects are found, does nothing of its own."""
    return _is_djangos(type(manager).get_queryset) and gives_instances(manager.get_queryset())


def _getter(model: type[models.Model], name: str) -> Any:
    return getattr(type(inspect.getattr_static(model, name, None)), "__get__", None)


def _is_djangos(code: Any) -> bool:
    return str(getattr(code, "__module__", "")).startswith("django.")
