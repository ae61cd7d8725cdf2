"""Values that the server gives, kept apart from those that a client sends.

`create(owner=user)` beats what the client has sent, by whatever name: `owner`, `owner_id`, the
object that is nested there. And of a new object, may a client choose the key?
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import getattr_static
from typing import Any

from django_mullet.fields.info import is_generic
from django_mullet.schemas.field_storage import places_of, what_is

__all__ = ["Given", "assign", "chosen_key", "given", "made"]


@dataclass(frozen=True, slots=True)
class Given:
    """What the server says beside a body."""

    hides: frozenset[str] = frozenset()
    """The fields of the schema of which the body's values do not count."""
    own: tuple[tuple[str, Any], ...] = ()
    """What an object holds itself: the names, each with its field, `None` of a property."""
    relations: tuple[tuple[str, Any], ...] = ()
    """The many-to-many relations, each with its field; an object must be saved to have them."""


_NOTHING = Given()


def given(schema: Any, values: Iterable[str]) -> Given:
    """Return what it means that the server says `values` beside a body, one of `schema`.

    Raises `TypeError` where there is nothing that can be set of one of the names.
    """
    return _given(schema, tuple(values)) if values else _NOTHING


@cache
def _given(schema: Any, names: tuple[str, ...]) -> Given:
    model = schema.django_model()
    fields = {name: _settable(model, name) for name in names}
    places = frozenset[str]().union(*map(_places, names, fields.values()))
    hidden = {name for name in schema.model_fields if places & _places(name, what_is(model, name))}
    own = {name: field for name, field in fields.items() if not _is_shared(field)}
    relations = {name: field for name, field in fields.items() if _is_shared(field)}
    return Given(frozenset(hidden), tuple(own.items()), tuple(relations.items()))


def _places(name: str, field: Any) -> frozenset[str]:
    return frozenset([name]) if field is None else places_of(field)


def _is_shared(field: Any) -> bool:
    return field is not None and bool(field.many_to_many)


def _settable(model: Any, name: str) -> Any:
    """Return the field that is `name`, or `None` of a property; as `Model(**values)` takes them."""
    field = what_is(model, name)
    if field is None and not isinstance(getattr_static(model, name, None), property):
        raise TypeError(f"'{model.__name__}' has no field '{name}' that a value can be given for.")
    if field is not None and (field.one_to_many or field.one_to_one) and not field.concrete:
        raise TypeError(
            f"'{name}' of '{model.__name__}' is kept in the rows of "
            f"'{field.related_model.__name__}': create these, with "
            f"'{_referring(field)}=...', once there is the object."
        )
    return field


def _referring(field: Any) -> str:
    """Return what the rows of the other side of `field` call the object to which they belong."""
    if not is_generic(field):
        return str(field.field.name)
    key_of_object: str = field.object_id_field_name
    keys = field.related_model._meta.private_fields
    names = (key.name for key in keys if getattr(key, "fk_field", None) == key_of_object)
    return next(names, key_of_object)


def made(schema: Any, values: Mapping[str, Any]) -> Any:
    """Return a new object with those of `values` that it can have before it is saved."""
    model = schema.django_model()
    if not values:
        return model()
    return model(**{name: values[name] for name, _ in given(schema, values).own})


def assign(instance: Any, said: Given, values: Mapping[str, Any]) -> None:
    """Set what the server says on `instance`, but for what it has been made with."""
    for name, field in said.own:
        if not _has(instance, field, name, values[name]):
            setattr(instance, name, values[name])


def _has(instance: Any, field: Any, name: str, value: Any) -> bool:
    """Return whether `value` is there, without a look at what would be loaded for that."""
    if field is None or not field.concrete:
        return False
    if field.is_relation and name == field.name:
        return field.is_cached(instance) and field.get_cached_value(instance) is value
    return name in instance.__dict__ and instance.__dict__[name] is value


def chosen_key(schema: Any, writable: Mapping[str, Any], hidden: frozenset[str]) -> str | None:
    """Return the field by which a request chooses the key of a new object, if it may."""
    key = places_of(schema.django_model()._meta.pk)
    return next(
        (
            name
            for name, field in writable.items()
            if name not in hidden and key & _places("", field)
        ),
        None,
    )
