"""The readers that take the values of a schema's fields from a model instance."""

import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from django_mullet.exceptions import LazyLoad
from django_mullet.fields import registry
from django_mullet.fields.info import find_field
from django_mullet.schemas.input_keys import input_key
from django_mullet.schemas.lazy_loads import explained, read_one_by_one, refused_for_others
from django_mullet.schemas.nesting import fields_of

__all__ = ["attribute_of", "instance_reader"]

Reader = Callable[[Any], Any]
Validate = Callable[[Any], Any]
Values = dict[str, Any]

_COLUMN: Any = models.Field.descriptor_class
"""What reads an attribute that holds what was loaded, as it is."""


def instance_reader(schema: Any, *, shares_row: bool) -> Callable[[Any, Validate], Any]:
    """Return what Pydantic calls in place of the function that validates an instance of `schema`.

    It is given what there is to validate, and that function. Of an instance of the model the
    fields' values are taken: a foreign key as its id or as the related object, to-many relations
    as lists of either. Fields that are write-only are left out.

    `shares_row` says that nothing else, as a model validator, gets to see what is validated.
    """
    readers: _FieldReaders | None = None  # not before Django is set up
    model: Any = ()  # of which nothing is an instance
    beside: tuple[_Field, ...] = ()

    def read(value: Any, validate: Validate) -> Any:
        # This runs for every row: nothing is looked up here, or checked, that need not be.
        if (others := read_one_by_one.get()) is not None and isinstance(value, models.Model):
            with refused_for_others(schema, value, others):
                return read(value, validate)
        if isinstance(value, model):
            row = value.__dict__
            try:
                return validate(_read(beside, value, schema, row.copy()) if beside else row)
            except ValidationError:  # maybe as a column is not loaded
                pass
        elif not isinstance(value, models.Model):
            return validate(value)
        return read_all(value, validate)

    def read_all(value: Any, validate: Validate) -> Any:
        nonlocal readers, model, beside
        if readers is None:
            readers = _field_readers(schema, shares_row)
            model, beside = readers.of_row, readers.beside
        if not isinstance(value, readers.model):
            raise _another_model(schema, value)
        return _validated(readers, schema, value, validate)

    read.__name__ = schema.__name__  # which errors of lists name
    return read


def _validated(readers: "_FieldReaders", schema: Any, instance: Any, validate: Validate) -> Any:
    values = _read(readers.fields, instance, schema, {})
    try:
        return validate(values)
    except ValidationError:
        as_stored = _as_stored(readers, schema, values | _computed(readers, instance, values))
    # Equal as it may be: a lazy text is equal to the one that it stands for.
    return validate(as_stored)


def _as_stored(readers: "_FieldReaders", schema: Any, values: Values) -> Values:
    """Return `values` with what their columns would have, where code has set something like it.

    As Oscar sets a `CharField` to a number in `save()`: until the row is loaded anew it is one.
    """
    stored = values.copy()
    for key, name, _ in readers.fields:
        field = find_field(readers.model, name)
        if _is_plain_column(field) and not schema.is_nested(name):
            with suppress(DjangoValidationError, TypeError):
                stored[key] = _stored(field, stored[key])
    return stored


def _stored(field: Any, value: Any) -> Any:
    if isinstance(field, models.JSONField):  # whose encoder takes more than JSON has
        return json.loads(json.dumps(value, cls=field.encoder))
    return field.to_python(value)


def _computed(readers: "_FieldReaders", instance: Any, values: Values) -> Values:
    """Return those of `values` that the database has computed, where code has set an expression.

    As `F("stock") - 1`, which stays on the instance before Django 6.0.
    """
    names = {
        key: name for key, name, _ in readers.fields if hasattr(values[key], "resolve_expression")
    }
    if not names or instance._state.adding:
        return {}
    rows = type(instance)._base_manager.using(instance._state.db).filter(pk=instance.pk)
    found = rows.values(*names.values()).first() or {}
    return {key: found[name] for key, name in names.items() if name in found}


def _is_plain_column(field: Any) -> bool:
    is_column = isinstance(field, models.Field) and field.concrete
    return is_column and registry.reader_of(field) is None


def _read(fields: "tuple[_Field, ...]", instance: Any, schema: Any, values: Values) -> Values:
    """Add to `values` what the fields have in `instance`, and return it."""
    for key, name, reader in fields:
        try:
            values[key] = reader(instance)
        except LazyLoad as error:
            raise explained(error, schema, name) from None
        except ObjectDoesNotExist:
            if not _is_to_one(find_field(type(instance), name)):
                raise  # by a property
            values[key] = None  # as the caller's `Prefetch` has hidden it
        except AttributeError as error:
            if error.name != name or error.obj is not instance:
                raise
            raise _not_annotated(error, schema, name) from None
    return values


def _not_annotated(error: AttributeError, schema: Any, name: str) -> AttributeError:
    model = schema.django_model().__name__
    return AttributeError(
        f"{error}. '{schema.__name__}.{name}' is no field of '{model}': annotate it, by "
        f"'annotate({name}=...)' on a queryset of '{model}', and by "
        f"'annotate(<relation>__{name}=...)' on one of what leads there."
    )


def _is_to_one(field: Any) -> bool:
    return field is not None and bool(field.many_to_one or field.one_to_one)


def attribute_of(schema: Any, name: str) -> str:
    """Return the attribute that holds the value of `name`: of a foreign key its id, if wanted."""
    field = find_field(schema.django_model(), name)
    is_id = isinstance(field, models.ForeignKey) and not schema.is_nested(name)
    return field.attname if is_id else name


_Field = tuple[str, str, Reader]
"""What the input of a schema and what the schema call a field, and how it is read."""


@dataclass(frozen=True, slots=True)
class _FieldReaders:
    """Where the value of each field is read from."""

    model: type[models.Model]
    fields: tuple[_Field, ...]
    of_row: Any
    """The model, if the dictionary of an instance can be validated; else nothing: `()`."""
    beside: tuple[_Field, ...]
    """Those of the fields that are not in this dictionary."""


def _field_readers(schema: Any, shares_row: bool) -> _FieldReaders:
    model, infos = schema.django_model(), fields_of(schema)
    shown = [name for name in infos if not schema.is_write_only(name)]
    fields = tuple(
        (
            input_key(schema, name),
            name,
            _reader(schema, name) or attrgetter(attribute_of(schema, name)),
        )
        for name in shown
    )
    in_row = {name for name in shown if _is_in_row(schema, name)}
    takes_row = (
        shares_row
        and schema.model_config.get("extra", "ignore") == "ignore"
        and len(shown) == len(infos)
        # Pydantic would not miss a column with a default that is not loaded.
        and all(infos[name].is_required() for name in in_row)
    )
    return _FieldReaders(
        model,
        fields,
        model if takes_row else (),
        tuple(field for field in fields if field[1] not in in_row),
    )


def _is_in_row(schema: Any, name: str) -> bool:
    """Return whether the field is what an instance's dictionary has by the same name."""
    if input_key(schema, name) != name or _reader(schema, name) is not None:
        return False
    model = schema.django_model()
    if (field := find_field(model, name)) is None:
        return not hasattr(model, name)  # not a property, but an annotation of a queryset
    descriptor = inspect.getattr_static(model, name)
    is_plain = getattr(type(descriptor), "__get__", None) is _COLUMN.__get__
    return is_plain and bool(field.concrete) and attribute_of(schema, name) == name


def _another_model(schema: Any, instance: models.Model) -> PydanticCustomError:
    shown, other = schema.django_model()._meta, instance._meta
    is_namesake = shown.object_name == other.object_name  # as of a user and Django's own
    return PydanticCustomError(
        "model_type",
        "'{schema}' shows instances of '{model}', not of '{other}'",
        {
            "schema": schema.__name__,
            "model": shown.label if is_namesake else shown.object_name,
            "other": other.label if is_namesake else other.object_name,
        },
    )


def _reader(schema: Any, name: str) -> Reader | None:
    """Return what reads `name` where it takes more than an attribute."""
    field = find_field(schema.django_model(), name)
    if field is None:
        return _reader_of_other(schema, name)
    if field.many_to_many or field.one_to_many:
        if schema.is_nested(name):
            return partial(_related, name)
        return partial(_related_ids, name, registry.key_reader_of(field))
    if (field.one_to_one or isinstance(field, models.ForeignObject)) and not field.concrete:
        if schema.is_nested(name):
            return partial(_related_or_none, name)
        return partial(_related_id, name, registry.key_reader_of(field))
    if not isinstance(field, models.Field) or schema.is_nested(name):
        return None
    convert = registry.reader_of(field)
    return None if convert is None else partial(_converted, convert, attribute_of(schema, name))


def _reader_of_other(schema: Any, name: str) -> Reader | None:
    """Return what reads a property, or an attribute, that may give objects to be shown."""
    nested = schema.schemas_of(name)
    return partial(_shown, nested[0], name) if len(nested) == 1 else None


def _shown(schema: Any, name: str, instance: Any) -> Any:
    value = getattr(instance, name)
    return schema.from_qs(value) if isinstance(value, models.QuerySet | models.Manager) else value


def _converted(convert: Reader, attribute: str, instance: Any) -> Any:
    return convert(getattr(instance, attribute))


def _related(name: str, instance: Any) -> list[Any]:
    return list(getattr(instance, name).all())


def _related_ids(name: str, convert: Reader | None, instance: Any) -> list[Any]:
    keys = [related.pk for related in getattr(instance, name).all()]
    return keys if convert is None else [convert(key) for key in keys]


def _related_or_none(name: str, instance: Any) -> Any:
    try:
        return getattr(instance, name)
    except ObjectDoesNotExist:
        return None


def _related_id(name: str, convert: Reader | None, instance: Any) -> Any:
    related = _related_or_none(name, instance)
    if related is None:
        return None
    return related.pk if convert is None else convert(related.pk)
