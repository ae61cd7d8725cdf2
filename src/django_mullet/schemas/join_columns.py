"""The columns by which a model and its related objects find each other."""

from typing import Any

from django.db import models
from django.db.models.constants import LOOKUP_SEP

from django_mullet.fields.info import accessor_of, is_generic

__all__ = ["columns_of", "has_composite_key", "key_of", "never_null", "returns_by", "way_back"]


def columns_of(relation: Any) -> frozenset[str]:
    """Return the columns by which an instance finds the objects of `relation`, one of its own.

    But for its key, which is always loaded.
    """
    if is_generic(relation):
        return _columns_of_generic(relation)
    if relation.many_to_many:
        return frozenset()
    if isinstance(relation, models.ForeignObject):
        return _names(relation.local_related_fields)
    return _names(relation.field.foreign_related_fields)


def _columns_of_generic(relation: Any) -> frozenset[str]:
    if relation.related_model is not None:  # the other side
        return frozenset()
    kind = relation.model._meta.get_field(relation.ct_field)
    return frozenset({kind.attname, relation.fk_field})


def _names(fields: Any) -> frozenset[str]:
    return frozenset(field.attname for field in fields)


def way_back(field: Any) -> tuple[str, str] | None:
    """Return the owner's column, and what queries for the others of `field` call the owner."""
    if isinstance(field, models.ManyToOneRel) and type(field.field) is models.ForeignKey:
        return field.field.target_field.attname, field.field.attname
    if isinstance(field, models.ManyToManyField):
        return field.model._meta.pk.attname, field.related_query_name()
    if isinstance(field, models.ManyToManyRel):
        return field.model._meta.pk.attname, field.field.name
    return None


def returns_by(relation: Any) -> str | None:
    """Return by which relation the objects of `relation` have its owner, where Django sets it."""
    if relation.many_to_many or relation.many_to_one or is_generic(relation):
        return None
    return accessor_of(relation.remote_field)


def key_of(relation: Any) -> str:
    """Return what queries call the key of the object that `relation` leads to."""
    return f"{relation.name}{LOOKUP_SEP}pk"


def never_null(relation: Any) -> str:
    """Return a column that is null only where there is no object that `relation` leads to."""
    key = relation.related_model._meta.pk
    if not isinstance(key, models.CompositePrimaryKey):
        return key_of(relation)
    part: Any = key.fields[0]  # of a row of nulls, the key is a tuple
    return f"{relation.name}{LOOKUP_SEP}{part.attname}"


def has_composite_key(relation: Any) -> bool:
    """Return whether `relation` leads to objects with a key of several columns."""
    return isinstance(relation.related_model._meta.pk, models.CompositePrimaryKey)
