"""The attributes in which an instance keeps the value of a field, under whichever name.

`author`, `author_id` and, of a child, its parent's key are one place. Two fields with a place in
common say the same, and only one of them can be believed.
"""

from typing import Any

from django.db import models

from django_mullet.fields.info import accessor_of, find_field, is_generic, is_parent_link
from django_mullet.schemas.join_columns import columns_of

__all__ = ["parts_of", "places_of", "what_is"]


def what_is(model: type[models.Model], name: str) -> Any:
    """Return the field or relation of `model` that code calls `name`, as `pk` too, or `None`."""
    return model._meta.pk if name == "pk" else find_field(model, name)


def parts_of(key: Any) -> tuple[Any, ...]:
    """Return the fields that a primary key is made of: itself, if it is not composite."""
    return tuple(key.fields) if isinstance(key, models.CompositePrimaryKey) else (key,)


def places_of(field: Any) -> frozenset[str]:
    """Return the names of the attributes that hold what `field` says; of a to-many relation its."""
    if isinstance(field, models.CompositePrimaryKey):
        return frozenset[str]().union(*map(places_of, field.fields))
    if is_generic(field):
        return columns_of(field) | {field.name}
    if isinstance(field, models.ForeignObject):
        parent = places_of(field.target_field) if is_parent_link(field) else frozenset[str]()
        return columns_of(field) | parent
    return frozenset([getattr(field, "attname", None) or accessor_of(field)])
