"""System checks of schemas: annotations that contradict their models.

mullet.E004   a field of a schema is not what its model has

What is doubtful is let pass: a value may be converted by a validator, and a type that is not
Python's own may take whatever it likes.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from functools import partialmethod
from inspect import get_annotations, getattr_static
from types import FunctionType, NoneType
from typing import Annotated, Any, Literal, get_args, get_origin
from uuid import UUID

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from pydantic import AfterValidator, JsonValue

from django_mullet._compat.pydantic import decorators_of
from django_mullet.applications import get_application
from django_mullet.checks.field_names import messages_of_names
from django_mullet.fields.custom_values import are_known_as
from django_mullet.fields.info import find_field, has_setter
from django_mullet.fields.nullability import may_show_none
from django_mullet.fields.ranges import Range
from django_mullet.fields.registry import annotation_of, reader_of, value_field
from django_mullet.fields.type_source import spell, union_of
from django_mullet.schemas.join_columns import has_composite_key
from django_mullet.schemas.model_schema import ModelSchema
from django_mullet.schemas.nesting import fields_of, is_schema
from django_mullet.schemas.variants import Access, access_of

__all__ = ["ALIKE", "SCALARS", "check_schemas", "messages_of"]

SCALARS = (bool, bytes, date, datetime, Decimal, float, int, str, time, timedelta, UUID)
ALIKE = ({Decimal, float},)
"""Types of which each holds what a column of the other has. What holds more, as a float does for
integers, would lose it in the column."""

MAPPINGS = (dict, Mapping)
SEQUENCES = (list, tuple, set, frozenset, Collection)
PLAIN = (*SCALARS, *MAPPINGS, *SEQUENCES)


def check_schemas(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """E004: a schema contradicts its model. Looks at every schema that is imported.

    Those of the application are: in which order checks run is not defined, and another may import
    it later, or never. Why it cannot be imported is told by E002.
    """
    with suppress(Exception):
        get_application()
    return [message for schema in _subclasses(ModelSchema) for message in messages_of(schema)]


def _subclasses(schema: Any) -> Iterator[Any]:
    for subclass in schema.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def messages_of(schema: Any) -> Iterator[checks.CheckMessage]:
    """Yield an error for each field of `schema` that is not what its model has."""
    try:
        if not fields_of(schema) or schema.model_rebuild(raise_errors=False) is False:
            return  # one of the bases, or a name in it is not known yet
    except ImproperlyConfigured as error:
        says, _, hint = str(error).partition(". ")
        yield checks.Error(f"{says}.", hint=hint, obj=schema, id="mullet.E004")
        return
    model = _model_of(schema)
    if model is None:
        return
    yield from messages_of_names(schema, model)
    for name, info in schema.model_fields.items():
        if not _is_inherited(schema, name, info) and not _is_converted(schema, name, info):
            found = _contradiction(model, name, info)
            if found is not None:
                says, hint = found
                where = f"'{schema.__name__}.{name}' is '{spell(info.annotation)}', but "
                yield checks.Error(where + says, hint=hint, obj=schema, id="mullet.E004")


def _model_of(schema: Any) -> Any:
    """Return the model of a schema; `None` for a base, whose subclasses are checked instead."""
    try:
        model = schema.django_model()
    except ImproperlyConfigured:  # a schema without a model, an error where it is used
        return None
    return None if model._meta.abstract else model


def _is_inherited(schema: Any, name: str, info: Any) -> bool:
    """Return whether the same message is given for a base."""
    return any(
        issubclass(base, ModelSchema)
        and name in base.model_fields
        and base.model_fields[name].annotation == info.annotation
        and _model_of(base) is not None
        for base in schema.__bases__
    )


def _is_converted(schema: Any, name: str, info: Any) -> bool:
    """Return whether a value may be another when it reaches the type."""
    decorators = decorators_of(schema)
    if any(found.info.mode != "after" for found in decorators.model_validators.values()):
        return True
    fields = [found.info for found in decorators.field_validators.values()]
    if any(found.mode != "after" and {name, "*"} & {*found.fields} for found in fields):
        return True
    return any(map(_converts, info.metadata))


def _converts(metadata: Any) -> bool:
    # Django-mullet's own, pydantic.Field and annotated_types do not have it.
    return hasattr(metadata, "__get_pydantic_core_schema__") and not isinstance(
        metadata, AfterValidator
    )


Found = tuple[str, str] | None
"""What the model says, and what to write."""


def _contradiction(model: Any, name: str, info: Any) -> Found:
    field, annotation = find_field(model, name), info.annotation
    if field is None:
        return _of_no_field(model, name, info)
    if field.is_relation and field.related_model is None:  # a generic foreign key
        return None
    whose = f"'{model.__name__}.{name}'"
    if field.many_to_many or field.one_to_many:
        return _of_many(field, name, whose, annotation)
    is_shown = access_of(info) is not Access.WRITE_ONLY
    may_be_null = may_show_none(field) if isinstance(field, models.Field) else field.one_to_one
    is_null_shown = is_shown and may_be_null
    found = _of_one(field, name, whose, annotation, is_null_shown=is_null_shown)
    if found is None and is_null_shown and not _takes_none(annotation):
        return f"{whose} may be null.", f"Write '{name}: {spell(annotation)} | None'."
    return found


def _takes_none(annotation: Any) -> bool:
    return any(
        choice in (NoneType, JsonValue, Any)
        or (hasattr(choice, "__supertype__") and _takes_none(choice.__supertype__))
        or get_origin(choice) is Annotated
        or _class_of(choice) is object
        for choice in union_of(annotation)
    )


def _of_no_field(model: Any, name: str, info: Any) -> Found:
    if _is_method(getattr_static(model, name, None)):
        hint = f"Call it in a property of '{model.__name__}', or in a computed field of the schema."
        return f"'{model.__name__}.{name}' is a method.", hint
    if access_of(info) in _SENT and hasattr(model, name) and not has_setter(model, name):
        hint = f"Write '{name}: ReadOnly[{spell(info.annotation)}]', or a setter in the model."
        return f"'{model.__name__}.{name}' cannot be set.", hint
    if _has(model, name) or access_of(info) is not None or info.metadata or not info.is_required():
        return None
    names = [field.name for field in model._meta.get_fields()] + [*vars(model)]
    close = get_close_matches(name, [known for known in names if not known.startswith("_")], n=1)
    read_only = f"'{name}: ReadOnly[{spell(info.annotation)}]'"
    says = f"'{model.__name__}' has nothing of that name."
    if close:
        return says, f"Write '{close[0]}', or, if querysets annotate it, {read_only}."
    return says, f"Write {read_only}, if querysets annotate it."


_SENT = (Access.CREATE_ONLY, Access.WRITABLE, Access.WRITE_ONLY)


def _has(model: Any, name: str) -> bool:
    """Return whether instances have the attribute; annotated is what a queryset may annotate."""
    is_annotated = any(name in get_annotations(base) for base in model.__mro__)
    return is_annotated or hasattr(model, name)


def _is_method(attribute: Any) -> bool:
    return isinstance(attribute, FunctionType | classmethod | partialmethod | staticmethod)


def _of_many(field: Any, name: str, whose: str, annotation: Any) -> Found:
    choices = [choice for choice in union_of(annotation) if choice is not NoneType]
    key = spell(_keys_of(field))
    if all(map(_is_single, choices)):
        listed = f"list[{spell(choices[0])}]" if is_schema(choices[0]) else f"list[{key}]"
        return f"{whose} leads to many objects.", f"Write '{name}: {listed}'."
    for choice in choices:
        for item in get_args(choice):
            found = _of_related(field, name, whose, item, f"list[{key}]")
            if found is not None:
                return found
    return None


def _is_single(choice: Any) -> bool:
    return is_schema(choice) or _plain(_class_of(choice)) in SCALARS


def _of_one(field: Any, name: str, whose: str, annotation: Any, *, is_null_shown: bool) -> Found:
    if not field.is_relation:
        return _of_value(field, name, whose, annotation)
    choices = [choice for choice in union_of(annotation) if choice is not NoneType]
    keys = _keys_of(field)
    key = spell(keys | None if is_null_shown else keys)
    is_one = not has_composite_key(field)  # of which the key is a tuple
    if is_one and all(_plain(_class_of(choice)) in SEQUENCES for choice in choices):
        return f"{whose} leads to one object.", f"Write '{name}: {key}', or a schema."
    found = [_of_related(field, name, whose, choice, key) for choice in choices]
    return found[0] if all(found) else None


def _of_related(field: Any, name: str, whose: str, annotation: Any, key: str) -> Found:
    """Look at what stands for one of the objects that a relation leads to."""
    target = field.related_model
    if is_schema(annotation) and _is_key_alone(field):
        says = f"{whose} is a key on instances, as a {type(field).__name__} shows no object."
        return says, f"Write '{name}: {key}'."
    if is_schema(annotation):
        model = annotation.django_model()
        if _are_related(model, target):
            return None
        return (
            f"{whose} leads to '{target.__name__}', and that is a schema of '{model.__name__}'.",
            f"Write '{name}' with a schema of '{target.__name__}', or '{name}: {key}'.",
        )
    keys = _keys_of(field)
    if _may_be(annotation, keys):
        return None
    return (
        f"the keys of '{target.__name__}', to which {whose} leads, are '{spell(keys)}'.",
        f"Write '{name}: {key}', or a schema.",
    )


def _is_key_alone(field: Any) -> bool:
    """Return whether a foreign key puts its key where others put the object: one of django-fsm."""
    return isinstance(field, models.ForeignKey) and not hasattr(
        getattr_static(field.model, field.name, None), "get_prefetch_querysets"
    )


def _keys_of(field: Any) -> Any:
    """Return the type of the keys by which objects are known that a relation leads to."""
    is_forward = isinstance(field, models.ForeignKey)
    return annotation_of(value_field(field if is_forward else field.related_model._meta.pk))


def _are_related(first: Any, second: Any) -> bool:
    first, second = first._meta.concrete_model, second._meta.concrete_model
    return issubclass(first, second) or issubclass(second, first)


def _of_value(field: Any, name: str, whose: str, annotation: Any) -> Found:
    try:
        known = annotation_of(field)
    except ImproperlyConfigured:
        return _of_unknown(value_field(field), whose, annotation)
    if _may_be(annotation, known):
        return None
    says = f"the values of {whose}, a {type(value_field(field)).__name__}, are '{spell(known)}'."
    return says, f"Write '{name}: {spell(known)}'."


def _of_unknown(field: Any, whose: str, annotation: Any) -> Found:
    """Check one of Python's own types against values of an unknown class."""
    choices = [choice for choice in union_of(annotation) if choice is not NoneType]
    if not all(choice in SCALARS for choice in choices):
        return None
    if any(are_known_as(choice, field, reader_of(field)) for choice in choices):
        return None
    kind = type(field).__name__
    arguments = f"{kind}, annotation={spell(choices[0])}, read=..., write=..."
    return (
        f"the values of {whose}, a {kind}, are of an unknown class.",
        f"Write 'register_field_type({arguments})', of 'django_mullet'.",
    )


# Types


def _may_be(annotation: Any, known: Any) -> bool:
    """Return whether some value of the type `known` may be read as `annotation`."""
    values = [value for value in union_of(known) if value is not NoneType]
    choices = [choice for choice in union_of(annotation) if choice is not NoneType]
    return any(_fits(choice, value) for choice in choices for value in values)


def _fits(choice: Any, known: Any) -> bool:
    if get_origin(choice) is Annotated:
        inner, *metadata = get_args(choice)
        return any(map(_converts, metadata)) or _may_be(inner, known)
    if hasattr(choice, "__supertype__"):  # of NewType
        return _may_be(choice.__supertype__, known)
    if get_origin(choice) is Literal:
        return any(_fits(type(value), known) for value in get_args(choice))
    if isinstance(choice, type) and issubclass(choice, Enum):
        return any(_fits(type(member.value), known) for member in choice)
    if known is JsonValue or _is_unknown(choice):
        return not is_schema(choice)
    return _classes_fit(choice, known)


def _classes_fit(choice: Any, known: Any) -> bool:
    chosen, stored = _class_of(choice), _class_of(known)
    if issubclass(stored, Range):
        return issubclass(chosen, Range)
    plain = _plain(chosen)
    if stored in SCALARS:
        return plain is stored or {plain, stored} in ALIKE
    if _plain(stored) in SEQUENCES:
        items, known_items = get_args(choice), get_args(known)
        return plain in SEQUENCES and (
            stored is tuple or not items or not known_items or _may_be(items[0], known_items[0])
        )
    return _plain(stored) not in MAPPINGS or plain in MAPPINGS


def _class_of(annotation: Any) -> Any:
    origin = get_origin(annotation) or annotation
    return origin if isinstance(origin, type) else object


def _plain(kind: Any) -> Any:
    """Return which of Python's own types `kind` is, or `None`."""
    return next((base for base in kind.__mro__ if base in PLAIN), None)


def _is_unknown(annotation: Any) -> bool:
    """Return whether nothing is known of what `annotation` takes."""
    kind = _class_of(annotation)
    return _plain(kind) is None and not issubclass(kind, Range) and not is_schema(annotation)
