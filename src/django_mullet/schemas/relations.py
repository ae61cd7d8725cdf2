"""Relations that a request may write, and what to write in the schema for those it may not."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from django_mullet.fields.info import facts_of, find_field, is_generic, is_parent_link

__all__ = [
    "is_tagging",
    "key_of",
    "link_of",
    "needed_by_through",
    "refuse_swapped",
    "refuse_unwritable",
]


def refuse_unwritable(schema: Any, name: str, nested: list[Any]) -> None:
    """Raise `ImproperlyConfigured` if no request can write the relation `name` of `schema`.

    `nested` are the schemas that the values of the field are, if they are not keys.
    """
    field = find_field(schema.django_model(), name)
    what = f"'{schema.__name__}.{name}'"
    if field is not None and is_parent_link(getattr(field, "field", field)):
        raise ImproperlyConfigured(
            f"{what} cannot be written: a child has the fields of its parent, and is one object "
            "with it. Write 'ReadOnly[...]' here, and these fields in a schema of the child."
        )
    if nested:
        _refuse_nested(what, field, nested)
        _refuse_key_beside(schema, name, field)
    if field is not None and field.many_to_many and (missing := needed_by_through(field)):
        raise ImproperlyConfigured(
            f"{what} cannot be written: each row of '{_through(field).__name__}' needs "
            f"{_quoted(missing)} too. Write 'ReadOnly[...]' here, and for requests a 'Writable' "
            f"list of schemas of '{_through(field).__name__}'."
        )


def refuse_swapped(schema: Any) -> None:
    """Raise `ImproperlyConfigured` if the model of `schema` has no table: another is used."""
    meta = schema.django_model()._meta
    if meta.swapped:
        raise ImproperlyConfigured(
            f"'{schema.__name__}' is of '{meta.label}', which '{meta.swappable}' in the settings "
            f"swaps for '{meta.swapped}': write a schema of that."
        )


def link_of(field: Any) -> Any:
    """Return the foreign key by which the objects of a reverse relation refer to theirs."""
    return field.field


def key_of(schema: Any, part: Any) -> str | None:
    """Return the field of `schema` by which a request says `part`, of the key, if it can."""
    names = [name for name in _names_of(part) if name in schema.model_fields]
    is_sent = (name for name in names if not (schema.is_read_only(name) or schema.is_nested(name)))
    return next(is_sent, None)


def _names_of(key: Any) -> Iterator[str]:
    """Yield what a schema may call a field of a key, which of a child is its parent's too."""
    yield key.name
    yield key.attname
    if is_parent_link(key):
        yield from _names_of(key.target_field)


def is_tagging(field: Any) -> bool:
    """Return whether a to-many relation is one as django-taggit's, which is set to objects only."""
    return isinstance(field, models.Field) and not isinstance(field, models.ManyToManyField)


def needed_by_through(field: Any) -> list[str]:
    """Return what a row between the objects of a many-to-many relation needs beside both keys."""
    if is_tagging(field):
        return []  # its manager, as that of django-taggit, knows what it needs
    through = _through(field)
    return [] if through._meta.auto_created else list(_needed(through))


def _refuse_nested(what: str, field: Any, nested: list[Any]) -> None:
    if field is None or not field.is_relation or is_generic(field):
        raise ImproperlyConfigured(
            f"{what} cannot be 'Writable': that is for foreign keys, their reverse relations, and "
            "many-to-many relations."
        )
    if len(nested) > 1:
        names = " and ".join(f"'{schema.__name__}'" for schema in nested)
        raise ImproperlyConfigured(f"{what} cannot be 'Writable' as both {names}: write one.")
    if field.concrete or field.many_to_many:
        return
    [inner] = nested
    link = link_of(field)
    for name in (link.name, link.attname):
        if name in inner.model_fields and not inner.is_read_only(name):
            raise ImproperlyConfigured(
                f"{what} sets '{inner.__name__}.{name}' itself: write 'ReadOnly[...]' there, or "
                "a schema without it here."
            )


def _refuse_key_beside(schema: Any, name: str, field: Any) -> None:
    """Refuse the key of what is nested as another field: which object is meant?"""
    for other in schema.model_fields if isinstance(field, models.ForeignKey) else ():
        is_same = other != name and find_field(schema.django_model(), other) == field
        if is_same and not schema.is_read_only(other):
            raise ImproperlyConfigured(
                f"'{schema.__name__}.{name}' and '.{other}' both say to what the foreign key "
                f"refers: write 'ReadOnly[...]' for one of them."
            )


def _through(field: Any) -> Any:
    relation = field.remote_field if field.concrete or not field.auto_created else field
    return relation.through


def _needed(through: Any) -> Iterator[str]:
    links = 0
    for field in through._meta.concrete_fields:
        facts = facts_of(through, field.name)
        if not facts.required or facts.read_only:
            continue
        if field.is_relation and links < 2:
            links += 1  # to either side
        else:
            yield field.name


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
