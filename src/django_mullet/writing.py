"""How does a request's body get into the database?"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import django
from django.core.exceptions import NON_FIELD_ERRORS, ObjectDoesNotExist, ValidationError
from django.db import models, router, transaction

from django_mullet.fields import QUERYING, facts_of_values, find_field
from django_mullet.mapping import attribute_of
from django_mullet.relations import is_tagging, key_of, link_of

__all__ = ["save", "write"]


def save(body: Any, instance: Any, *, full_clean: bool = False) -> None:
    """Set what `body`, an instance of a schema, holds on `instance`, and save it.

    So are the objects that are nested in it. All in one transaction. Raise `ValidationError` with
    the name of a relation that is to lead to no object, and with what `Model.full_clean()` finds,
    if asked for; the names of nested fields are those on the way, with dots between them.
    """
    using = instance._state.db or router.db_for_write(type(instance), instance=instance)
    fields = dict(_written_fields(body, instance))
    with transaction.atomic(using=using):
        relations = write(body, instance)
        for name in [name for name in relations if _is_column(fields[name])]:
            _save_forward(name, relations.pop(name), instance, using, full_clean)
        if full_clean:
            _clean(type(body), instance)
        else:
            _require_related(fields, instance)
        instance.save(using=using, **_forced(instance))
        for name, value in relations.items():
            _Related(name, fields[name], instance, using, full_clean).set(value)
    _forget_generated(instance)


def write(body: Any, instance: Any) -> dict[str, Any]:
    """Set what `body`, an instance of a schema, holds on `instance`, without saving it.

    Return what only a saved instance can have: to-many relations and nested objects, by their
    names. What is read-only is never set, and what is create-only not on an instance that is saved.
    """
    schema: Any = type(body)
    relations = {}
    for name, _ in _written_fields(body, instance):
        value, column = getattr(body, name), _column(schema, name)
        if column is None:
            relations[name] = value
        else:
            attribute, to_python = column
            setattr(instance, attribute, value if to_python is None else to_python(value))
    if QUERYING:
        _check_late(body, instance)
    return relations


def _check_late(body: Any, instance: Any) -> None:
    schema: Any = type(body)
    for name, _ in _written_fields(body, instance):
        if (column := _column(schema, name)) is not None:
            try:
                schema.field_facts(name).check_late(getattr(instance, column[0]))
            except ValidationError as error:
                raise ValidationError({name: error.messages}) from None


@cache
def _column(schema: Any, name: str) -> tuple[str, Callable[[Any], Any] | None] | None:
    """Return the attribute that `name` is set to, and what its value is made by.

    `None` of what is no column: a to-many relation, or nested objects.
    """
    if schema.is_nested(name) or not _is_column(find_field(schema.django_model(), name)):
        return None
    return attribute_of(schema, name), schema.field_facts(name).write


def _written_fields(body: Any, instance: Any) -> list[tuple[str, Any]]:
    """Return the fields that `body` sets: the schema's name for each, and the model's field."""
    schema: Any = type(body)
    fields = _writable_fields(schema, instance._state.adding)
    return [(name, fields[name]) for name in body.__dict__ if name in fields]


@cache
def _writable_fields(schema: Any, is_new: bool) -> dict[str, Any]:
    model = schema.django_model()
    names = [
        name
        for name in schema.model_fields
        if not schema.is_read_only(name) and (is_new or not schema.is_create_only(name))
    ]
    return {name: find_field(model, name) for name in names}


def _is_column(field: Any) -> bool:
    return bool(field.concrete) and not field.many_to_many


def _save_forward(name: str, body: Any, instance: Any, using: str, full_clean: bool) -> None:
    """Save what a foreign key is to refer to: in place, if it refers to something."""
    related = getattr(instance, name, None)
    if body is not None:
        related = related or type(body).django_model()()
        with _at(name):
            _save_nested(body, related, using, full_clean)
    setattr(instance, name, None if body is None else related)


def _save_nested(body: Any, instance: Any, using: str, full_clean: bool) -> None:
    instance._state.db = instance._state.db or using
    body.save(instance, full_clean=full_clean)


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


def _clean(schema: Any, instance: Any) -> None:
    try:
        instance.full_clean()
    except ValidationError as error:
        fields = {field.name: field.attname for field in instance._meta.concrete_fields}
        raise ValidationError(
            {
                name if name in schema.model_fields else fields.get(name, name): found
                for name, found in error.message_dict.items()
            }
        ) from None


def _require_related(fields: dict[str, Any], instance: Any) -> None:
    for name, field in fields.items():
        if isinstance(field, models.ForeignKey):
            key = getattr(instance, field.attname)
            if key is None and field.null:
                continue  # Django's `validate()` would ask whether a form may leave it blank
            try:
                field.validate(key, instance)
            except ValidationError as error:
                raise ValidationError({name: error.messages}) from None


def _forced(instance: Any) -> dict[str, Any]:
    """Return what keeps `save()` from replacing a row that has the key of a new instance."""
    if not instance._state.adding:
        return {}
    links = [link for link in instance._meta.parents.values() if link is not None]
    if any(getattr(instance, link.attname) is not None for link in links):
        return {"force_insert": True}  # the parent has its row
    return {"force_insert": (models.Model,)}


def _forget_generated(instance: Any) -> None:
    """Have what the database computes be loaded when it is read, which Django 6.0 does itself."""
    for field in instance._meta.concrete_fields if django.VERSION < (6,) else ():
        if field.generated:
            instance.__dict__.pop(field.attname, None)


class _Related:
    """The objects of a relation that `instance` has, and a request says anew."""

    def __init__(self, name: str, field: Any, instance: Any, using: str, full_clean: bool) -> None:
        self._name = name
        self._field = field
        self._instance = instance
        self._using = using
        self._full_clean = full_clean

    def set(self, value: Any) -> None:
        """Have `value` be what the relation leads to: keys, or the bodies of nested objects."""
        if self._field.one_to_one:
            self._set_one(value)
        elif self._field.one_to_many:
            self._set_owned(value)
        else:
            self._set_shared(value)

    def _set_one(self, body: Any) -> None:
        try:
            related = getattr(self._instance, self._name)
        except ObjectDoesNotExist:
            related = None
        if body is not None:
            with _at(self._name):
                self._save(body, related)
        elif related is not None:
            related.delete()
            self._field.delete_cached_value(self._instance)

    def _set_owned(self, bodies: list[Any]) -> None:
        """Replace the objects that refer to the instance; those with a key that is sent stay."""
        manager = getattr(self._instance, self._name)
        known = {related.pk: related for related in manager.using(self._using)}
        kept = [known.get(_key(body)) for body in bodies]
        for related in known.values():
            if related not in kept:
                self._let_go(related)
        for index, (body, related) in enumerate(zip(bodies, kept, strict=True)):
            with _at(self._name, index):
                self._save(body, related)
        manager.add()  # forgets what was prefetched

    def _let_go(self, related: Any) -> None:
        """Delete what is no longer referred to, or as Django's `set()`, where it can be alone."""
        link = link_of(self._field)
        if link.null:
            setattr(related, link.name, None)
            related.save(using=self._using)
        else:
            related.delete()

    def _set_shared(self, values: list[Any]) -> None:
        manager = getattr(self._instance, self._name)
        model = self._field.related_model
        objects = model._base_manager.using(self._using)
        if not values or not hasattr(values[0], "django_model"):
            keys = _require_all(self._name, objects, values)
            if is_tagging(self._field):
                known = objects.in_bulk(keys)
                keys = [known[key] for key in keys]
            manager.set(keys)
            _commit(manager)
            return
        known = objects.in_bulk([key for body in values if (key := _key(body)) is not None])
        related = []
        for index, body in enumerate(values):
            one = known.get(_key(body)) or model()
            with _at(self._name, index):
                _save_nested(body, one, self._using, self._full_clean)
            related.append(one)
        manager.set(related)
        _commit(manager)

    def _save(self, body: Any, related: Any) -> None:
        if related is None:
            model = type(body).django_model()
            related = model(**{link_of(self._field).name: self._instance})
        _save_nested(body, related, self._using, self._full_clean)


def _key(body: Any) -> Any:
    """Return the key that the body of a nested object names, if it may."""
    name = key_of(type(body))
    return None if name is None else body.__dict__.get(name)


def _commit(manager: Any) -> None:
    """Write what a manager of django-modelcluster, as Wagtail has them, keeps in memory."""
    if hasattr(manager, "get_tagged_item_manager"):
        manager = manager.get_tagged_item_manager()
    if hasattr(manager, "commit"):
        manager.commit()


def _require_all(name: str, queryset: Any, ids: Iterable[Any]) -> list[Any]:
    """Return the keys that the schema calls `ids`; raise `ValidationError` if one leads nowhere."""
    write = facts_of_values(queryset.model._meta.pk).write
    keys = [(key, key if write is None else write(key)) for key in ids]
    storable = [key for _, key in keys if not isinstance(key, str) or _can_be_stored(key)]
    known = set(queryset.filter(pk__in=storable).values_list("pk", flat=True))
    if unknown := [sent for sent, key in keys if key not in known]:
        raise ValidationError({name: [f"There is no object with the key {unknown[0]!r}."]})
    return [key for _, key in keys]


def _can_be_stored(text: str) -> bool:
    """Return whether a database takes `text`, be it only to look for it."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
