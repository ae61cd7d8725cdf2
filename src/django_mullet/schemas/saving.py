"""Request bodies saved to the database: `create()`, `save()`, `to_model()` and `update()`."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import django
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models, router, transaction

from django_mullet.fields.info import QUERYING, find_field, has_setter
from django_mullet.schemas.reading import attribute_of
from django_mullet.schemas.related_objects import Related, save_forward, set_shared
from django_mullet.schemas.server_values import Given, assign, chosen_key, given

__all__ = ["save", "write"]


def save(body: Any, instance: Any, values: Mapping[str, Any], *, full_clean: bool = False) -> None:
    """Set what `body`, an instance of a schema, holds on `instance`, and save it.

    So are the objects that are nested in it. `values` are the server's, and count before the
    body's. All in one transaction. Raise `ValidationError` with the name of a relation that is to
    lead to no object, and with what `Model.full_clean()` finds, if asked for; the names of nested
    fields are those on the way, with dots between them.
    """
    using = instance._state.db or router.db_for_write(type(instance), instance=instance)
    said = given(type(body), values)
    fields = _written_fields(body, instance, said)
    with transaction.atomic(using=using):
        relations = _set(body, instance, fields)
        assign(instance, said, values)
        for name in [name for name in relations if _is_column(fields[name])]:
            save_forward(name, relations.pop(name), instance, using, full_clean)
        if full_clean:
            _clean(type(body), instance, fields)
        else:
            _require_related(fields, instance)
        instance.save(using=using, **_forced(instance))
        for name, value in relations.items():
            Related(name, fields[name], instance, using, full_clean).replace(value)
        for name, _ in said.relations:
            set_shared(instance, name, values[name])
    _forget_generated(instance)


def write(body: Any, instance: Any, values: Mapping[str, Any]) -> None:
    """Set what `body`, an instance of a schema, holds on `instance`, and `values`, unsaved.

    Raise `TypeError` where that cannot be told without saving.
    """
    schema: Any = type(body)
    said = given(schema, values)
    if instance._state.adding:
        _refuse_chosen_key(schema, said)
    relations = _set(body, instance, _written_fields(body, instance, said))
    if names := [*relations, *dict(said.relations)]:
        raise TypeError(
            f"'{names[0]}' can be set on a saved object only: call 'create()' "
            "in place of 'to_model()', and 'save()' in place of 'update()'."
        )
    assign(instance, said, values)
    if not instance._state.adding:
        _forget_generated(instance)


def _refuse_chosen_key(schema: Any, said: Given) -> None:
    name = chosen_key(schema, _writable_fields(schema, is_new=True), said.hides)
    if name is not None:
        raise TypeError(
            f"'{schema.__name__}.{name}' is the key of a new object, and a request chooses it, so "
            "that 'save()' would replace the object that has it: call 'create()' in place of "
            f"'to_model()', or give the key as 'to_model({name}=...)'."
        )


def _set(body: Any, instance: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Set the `fields` of `body` on `instance`.

    Return what only a saved instance can have: to-many relations and nested objects, by their
    names.
    """
    schema: Any = type(body)
    relations = {}
    sent = body.__dict__  # as Pydantic has a property `model_extra`, for one, which may be a field
    for name in fields:
        value, column = sent[name], _column(schema, name)
        if column is None:
            relations[name] = value
            continue
        attribute, to_python = column
        value = value if to_python is None else to_python(value)
        try:
            setattr(instance, attribute, value)
        except (AttributeError, ValueError, ValidationError) as error:
            raise ValidationError({name: _why(error)}) from error
    if QUERYING:
        _check_late(schema, instance, fields)
    return relations


def _why(error: Exception) -> list[str]:
    """Return why a descriptor that is not Django's does not take a value."""
    if isinstance(error, ValidationError):
        return error.messages
    return ["This cannot be set." if isinstance(error, AttributeError) else str(error)]


def _check_late(schema: Any, instance: Any, fields: Iterable[str]) -> None:
    for name in fields:
        column = _column(schema, name)
        # A property need not have a value, and has no validators.
        if column is not None and find_field(schema.django_model(), name) is not None:
            try:
                schema.field_facts(name).check_late(getattr(instance, column[0]))
            except ValidationError as error:
                raise ValidationError({name: error.messages}) from None


@cache
def _column(schema: Any, name: str) -> tuple[str, Callable[[Any], Any] | None] | None:
    """Return the attribute that `name` is set to, and what its value is made by.

    `None` of what is no column: a to-many relation, or nested objects.
    """
    field = find_field(schema.django_model(), name)
    if field is None:
        return name, None
    if schema.is_nested(name) or not _is_column(field):
        return None
    return attribute_of(schema, name), schema.field_facts(name).write


def _written_fields(body: Any, instance: Any, said: Given) -> dict[str, Any]:
    """Return the fields that `body` sets: the schema's name for each, and the model's field.

    What is read-only is never set, and what is create-only not on an instance that is saved.
    """
    schema: Any = type(body)
    fields, sent = _writable_fields(schema, instance._state.adding), body.__dict__
    found = {name: fields[name] for name in fields if name in sent}
    for name in said.hides:
        found.pop(name, None)
    return found


@cache
def _writable_fields(schema: Any, is_new: bool) -> dict[str, Any]:
    """Return what is set, in the order in which `Model(**values)` sets it.

    `None` stands for the field of a property. What the model lacks is for the endpoint alone.
    """
    model = schema.django_model()
    found = {
        name: find_field(model, name)
        for name in schema.model_fields
        if not schema.is_read_only(name) and (is_new or not schema.is_create_only(name))
    }
    fields = {
        name: field for name, field in found.items() if field is not None or has_setter(model, name)
    }
    columns = [*model._meta.concrete_fields]
    place = {field: number for number, field in enumerate(columns)}
    in_order = sorted(fields.items(), key=lambda item: place.get(item[1], len(columns)))
    return dict(in_order)


def _is_column(field: Any) -> bool:
    return bool(field.concrete) and not field.many_to_many


def _clean(schema: Any, instance: Any, fields: dict[str, Any]) -> None:
    try:
        instance.full_clean()
    except ValidationError as error:
        shown = schema.model_fields
        columns = {field.name: field.attname for field in instance._meta.concrete_fields}
        names = {name: column for name, column in columns.items() if name not in shown}
        names |= {field.name: name for name, field in fields.items() if _is_key(field)}
        found = error.message_dict.items()
        raise ValidationError(
            {names.get(name, name): messages for name, messages in found}
        ) from None
    except ObjectDoesNotExist:  # by a `clean()` that reads what a key leads to
        _require_related(fields, instance)
        raise


def _is_key(field: Any) -> bool:
    return isinstance(field, models.ForeignKey)


def _require_related(fields: dict[str, Any], instance: Any) -> None:
    for name, field in fields.items():
        if _is_key(field):
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
