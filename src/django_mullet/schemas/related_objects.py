"""Nested objects of a request saved: created, updated, replaced or set free.

By keys, or by the bodies of nested objects, which are known by the keys in them.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import models
from django.forms import ModelMultipleChoiceField

from django_mullet.fields.info import facts_of_values
from django_mullet.schemas.field_storage import parts_of
from django_mullet.schemas.relations import is_tagging, key_of, link_of

__all__ = ["Related", "save_forward", "set_shared"]

NOT_ITS = "This is another object's key: the key of the object that is here stays."
NO_CHOICE = "This object may not be referred to here."
NO_KEY_OF_CHOICE = ModelMultipleChoiceField.default_error_messages["invalid_choice"]
"""Of a key that leads to no object, or to none that may be chosen: which, is nobody's to know."""


def save_forward(name: str, body: Any, instance: Any, using: str, full_clean: bool) -> None:
    """Save what a foreign key is to refer to: in place, if it refers to something."""
    related = getattr(instance, name, None)
    if body is not None:
        with _at(name):
            if related is None:
                related = type(body).django_model()()
            else:
                _require_same(body, related)
            _save_nested(body, related, using, full_clean)
    setattr(instance, name, None if body is None else related)


def set_shared(instance: Any, name: str, objects: Any) -> None:
    """Have a many-to-many relation lead to `objects`, or to those with these keys."""
    manager = getattr(instance, name)
    manager.set(objects)
    _commit(manager)


def _save_nested(body: Any, instance: Any, using: str, full_clean: bool) -> None:
    instance._state.db = instance._state.db or using
    schema = type(body)  # of which a field may be called as the method is
    schema.save(body, instance, full_clean=full_clean)


@contextmanager
def _at(*place: Any) -> Iterator[None]:
    """Put `place` before the names of the fields that are found to be wrong in the block."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError(
            {
                ".".join(str(part) for part in (*place, name) if part != NON_FIELD_ERRORS): found
                for name, found in error.message_dict.items()
            }
        ) from None


class Related:
    """The objects of a relation of `instance`, which a request replaces."""

    def __init__(self, name: str, field: Any, instance: Any, using: str, full_clean: bool) -> None:
        self._name = name
        self._field = field
        self._instance = instance
        self._using = using
        self._full_clean = full_clean
        self._is_forward = isinstance(field, models.Field)

    def replace(self, value: Any) -> None:
        """Have `value` be what the relation leads to: keys, or the bodies of nested objects."""
        if value:
            self._require_choice()
        if self._field.one_to_one:
            self._set_one(value)
        elif self._field.one_to_many:
            self._set_owned(value)
        else:
            self._set_shared(value)

    def _require_choice(self) -> None:
        """Raise `ValidationError` where the other side may not refer to the instance."""
        limit = None if self._is_forward else link_of(self._field).get_limit_choices_to()
        if limit:
            rows = type(self._instance)._base_manager.using(self._using)
            if not rows.complex_filter(limit).filter(pk=self._instance.pk).exists():
                raise ValidationError({self._name: [NO_CHOICE]})

    def _set_one(self, body: Any) -> None:
        try:
            related = getattr(self._instance, self._name)
        except ObjectDoesNotExist:
            related = None
        if body is not None:
            with _at(self._name):
                if related is not None:
                    _require_same(body, related, self._instance, link_of(self._field))
                self._save(body, related)
        elif related is not None:
            self._let_go(related)
            self._field.delete_cached_value(self._instance)

    def _set_owned(self, bodies: list[Any]) -> None:
        """Replace the objects that refer to the instance; those with a key that is sent stay."""
        manager, link = getattr(self._instance, self._name), link_of(self._field)
        known = {related.pk: related for related in manager.using(self._using)}
        # A key that is sent again, as that of another's object, is found to be taken: a conflict.
        kept = [known.pop(_key(body, self._instance, link), None) for body in bodies]
        for related in known.values():
            self._let_go(related)
        for index, (body, related) in enumerate(zip(bodies, kept, strict=True)):
            with _at(self._name, index):
                self._save(body, related)
        manager.add()  # forgets what was prefetched

    def _let_go(self, related: Any) -> None:
        """Delete what is no longer referred to; where it can be alone, as for Django, free it."""
        link = link_of(self._field)
        if link.null:
            setattr(related, link.name, None)
            related.save(using=self._using)
        else:
            related.delete()

    def _set_shared(self, values: list[Any]) -> None:
        objects = self._field.related_model._base_manager.using(self._using)
        if not values or not hasattr(values[0], "django_model"):
            keys = self._require_all(objects, values)
            if is_tagging(self._field):
                known = objects.in_bulk(keys)
                keys = [known[key] for key in keys]
            set_shared(self._instance, self._name, keys)
            return
        known = objects.in_bulk([key for body in values if (key := _key(body)) is not None])
        related = []
        for index, body in enumerate(values):
            one = known.pop(_key(body), None)
            if one is None:
                one = self._field.related_model()
            with _at(self._name, index):
                _save_nested(body, one, self._using, self._full_clean)
            related.append(one)
        self._require_choices(objects, related)
        set_shared(self._instance, self._name, related)

    def _require_all(self, objects: Any, ids: Iterable[Any]) -> list[Any]:
        """Return the keys that the schema calls `ids`; raise `ValidationError` if one is wrong."""
        write = facts_of_values(objects.model._meta.pk).write
        keys = [(key, key if write is None else write(key)) for key in ids]
        storable = [key for _, key in keys if not isinstance(key, str) or _can_be_stored(key)]
        known = self._keys_of_choices(objects, storable)
        if unknown := [sent for sent, key in keys if key not in known]:
            error = ValidationError(NO_KEY_OF_CHOICE, "invalid_choice", {"value": unknown[0]})
            raise ValidationError({self._name: error})
        return [key for _, key in keys]

    def _require_choices(self, objects: Any, related: list[Any]) -> None:
        """Raise `ValidationError` where the relation may not lead to one of `related`."""
        if self._limit():
            known = self._keys_of_choices(objects, [one.pk for one in related])
            for index, one in enumerate(related):
                if one.pk not in known:
                    raise ValidationError({f"{self._name}.{index}": [NO_CHOICE]})

    def _keys_of_choices(self, objects: Any, keys: list[Any]) -> set[Any]:
        found = objects.filter(pk__in=keys)
        if limit := self._limit():
            found = found.complex_filter(limit)
        return set(found.values_list("pk", flat=True))

    def _limit(self) -> Any:
        """Return what `limit_choices_to` says of the objects that a many-to-many leads to."""
        return self._field.get_limit_choices_to() if self._is_forward else None

    def _save(self, body: Any, related: Any) -> None:
        if related is None:
            model = type(body).django_model()
            related = model(**{link_of(self._field).name: self._instance})
        _save_nested(body, related, self._using, self._full_clean)


def _require_same(body: Any, related: Any, owner: Any = None, link: Any = None) -> None:
    """Raise `ValidationError` if `body` has the key of another object than `related`."""
    schema: Any = type(body)
    key = _key(body, owner, link)
    if key is not None and key != related.pk:
        [name, *_] = [name for name, _ in _key_fields(schema, link) or () if name is not None]
        raise ValidationError({name: [NOT_ITS]})


def _key(body: Any, owner: Any = None, link: Any = None) -> Any:
    """Return the key of the object that a nested `body` is about, if it says one.

    `link` is the foreign key by which it refers to `owner`, and may be a part of its key.
    """
    schema: Any = type(body)
    fields = _key_fields(schema, link)
    if fields is None or any(name is not None and name not in body.__dict__ for name, _ in fields):
        return None
    values = [
        getattr(owner, link.target_field.attname) if name is None else _written(body, name, write)
        for name, write in fields
    ]
    return tuple(values) if len(values) > 1 else values[0]


def _written(body: Any, name: str, write: Callable[[Any], Any] | None) -> Any:
    value = body.__dict__[name]
    return value if write is None else write(value)


_KeyField = tuple[str | None, Callable[[Any], Any] | None]


@cache
def _key_fields(schema: Any, link: Any) -> tuple[_KeyField, ...] | None:
    """Return by which fields of `schema` a request says which object it means, if it can.

    For each part of the key: the name, `None` of what is `link`; and what the instance has in
    place of the schema's value.
    """
    found: list[_KeyField] = []
    for part in parts_of(schema.django_model()._meta.pk):
        name = None if part == link else key_of(schema, part)
        if name is None and part != link:
            return None
        found.append((name, None if name is None else schema.field_facts(name).write))
    return tuple(found)


def _commit(manager: Any) -> None:
    """Write what a manager of django-modelcluster, as Wagtail has them, keeps in memory."""
    if hasattr(manager, "get_tagged_item_manager"):
        manager = manager.get_tagged_item_manager()
    if hasattr(manager, "commit"):
        manager.commit()


def _can_be_stored(text: str) -> bool:
    """Return whether a database takes `text`, be it only to look for it."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
