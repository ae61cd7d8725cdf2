"""Querysets and model instances that an endpoint returns, turned into their schemas.

Where the response model has a `ModelSchema` in their place, they become instances of it: at the
top, in lists and dictionaries, and below a key or an attribute of any other Pydantic model, as in
`{"items": queryset}`, at any depth. What is left for Pydantic to read may not query any more.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import is_dataclass
from functools import cache
from types import EllipsisType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from django.db.models import Manager, Model, QuerySet
from django.db.models.query import RawQuerySet
from pydantic import BaseModel, RootModel
from starlette.responses import Response

from django_mullet._compat.pydantic import is_complete
from django_mullet.queries.querysets import queryset_of, rows_of
from django_mullet.results.batching import show, show_many, together
from django_mullet.results.unions import Alternatives, evaluated
from django_mullet.schemas.model_schema import ModelSchema
from django_mullet.schemas.nesting import (
    fields_of,
    hints_of,
    is_record,
    is_schema,
    parts_of,
    schemas_in,
    schemas_within,
)

__all__ = [
    "Present",
    "holds_models",
    "holds_querysets",
    "listed",
    "presenter",
    "shown_schemas",
    "shows_many",
]

Present = Callable[[Any], Any]

_OF_MODELS = (QuerySet, Model, Manager, RawQuerySet)


def presenter(response_model: Any) -> Present | None:
    """Return what turns an endpoint's result into what `response_model` wants, if anything does.

    What it does not know it returns as it is.
    """
    return _presenter(response_model, ())


def holds_models(value: Any) -> bool:
    """Return whether `value` is, or may have in it, a queryset or a model instance."""
    if isinstance(value, list | tuple):
        # Those of a schema are all of it.
        return not isinstance(next(iter(value), None), ModelSchema) and any(
            map(holds_models, value)
        )
    if isinstance(value, _OF_MODELS):
        return True
    if isinstance(value, Mapping):
        return any(map(holds_models, value.values()))
    if isinstance(value, BaseModel):
        return not isinstance(value, ModelSchema) and any(map(holds_models, vars(value).values()))
    # Any other object may have a property that makes one.
    return hasattr(value, "__dict__") and not isinstance(value, Response | type)


def holds_querysets(value: Any) -> bool:
    """Return whether `value` is a queryset, or has one below a key."""
    if isinstance(value, Mapping):
        return any(isinstance(item, QuerySet) for item in value.values())
    return isinstance(value, QuerySet)


def listed(value: Any) -> Any:
    """Return `value` as Pydantic can read it where no schema is wanted: a queryset as a list."""
    if not holds_querysets(value):
        return value
    if isinstance(value, Mapping):
        return {key: evaluated(item) for key, item in value.items()}
    return rows_of(value)


def shown_schemas(response_model: Any) -> list[type[ModelSchema[Any]]]:
    """Return the schemas by which `response_model` shows objects, without those within them."""
    found = schemas_in(response_model)
    if isinstance(response_model, type) and issubclass(response_model, BaseModel) and not found:
        for info in fields_of(response_model).values():
            found += schemas_in(info.annotation)
    return found


def shows_many(response_model: Any) -> bool:
    """Return whether a list, or another collection, of objects is somewhere in `response_model`."""
    return _shows_many(response_model, ())


def _shows_many(annotation: Any, within: tuple[Any, ...]) -> bool:
    origin = get_origin(annotation)
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return any(True for _ in schemas_within(annotation))
    if is_schema(annotation) or annotation in within:
        return False
    return any(_shows_many(each, (*within, annotation)) for each in parts_of(annotation))


def _presenter(annotation: Any, within: tuple[Any, ...]) -> Present | None:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _presenter(arguments[0], within)
    if origin in (Union, UnionType):
        return _of_union(arguments, within)
    if isinstance(annotation, type) and origin is None:
        if issubclass(annotation, ModelSchema):
            return _one(annotation)
        if annotation in within:
            return None
        if issubclass(annotation, BaseModel):
            return _of_fields(annotation, (*within, annotation))
        return _of_record(annotation, (*within, annotation))
    return _of_arguments(origin, arguments, within) if isinstance(origin, type) else None


def _of_arguments(origin: type, arguments: Any, within: tuple[Any, ...]) -> Present | None:
    """Return the presenter for a list, a tuple or a dictionary, if its items have one."""
    if not (arguments and issubclass(origin, Iterable)):
        return None
    if issubclass(origin, Mapping):
        return _each_value(_presenter(arguments[1], within))
    if issubclass(origin, tuple) and not isinstance(arguments[-1], EllipsisType):
        return _each_of([_presenter(argument, within) for argument in arguments])
    if (schema := _schema(arguments[0])) is not None:
        return _many(schema)
    if schemas := _schemas_by_model(arguments[0]):
        return _many_of(schemas)
    present = _presenter(arguments[0], within)
    if isinstance(present, Alternatives):
        return present
    return evaluated if present is None and schemas_in(arguments[0]) else _each(present)


def _each(present: Present | None) -> Present | None:
    def present_each(value: Any) -> Any:
        items = queryset_of(value)
        is_many = isinstance(items, list | tuple | QuerySet | RawQuerySet)
        return [*map(present, rows_of(items))] if is_many else value  # type: ignore[arg-type]

    return None if present is None else together(present_each)


def _each_value(present: Present | None) -> Present | None:
    def present_each(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: present(item) for key, item in value.items()}  # type: ignore[misc]

    return None if present is None else together(present_each)


def _each_of(presenters: list[Present | None]) -> Present | None:
    def present_each(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(presenters):
            return value
        pairs = zip(presenters, value, strict=True)
        return tuple(item if present is None else present(item) for present, item in pairs)

    return present_each if any(presenters) else None


def _schema(annotation: Any) -> type[ModelSchema[Any]] | None:
    if get_origin(annotation) is Annotated:
        return _schema(get_args(annotation)[0])
    return annotation if is_schema(annotation) else None


def _one(schema: type[ModelSchema[Any]]) -> Present:
    def present(value: Any) -> Any:
        return show(schema, value) if isinstance(value, Model) else value

    return present


def _many(schema: type[ModelSchema[Any]]) -> Present:
    def present(value: Any) -> Any:
        return show_many(schema, value) if holds_models(value) else value

    return present


def _of_union(arguments: Any, within: tuple[Any, ...]) -> Present | None:
    found = [_presenter(argument, within) for argument in arguments]
    presenters = [present for present in found if present is not None]
    if len(presenters) == 1:
        return presenters[0]
    if schemas := _schemas_by_model(Union[arguments]):  # noqa: UP007  # of a tuple
        return _one_of(schemas)
    return Alternatives(Union[arguments]) if presenters else None  # noqa: UP007


def _schemas_by_model(annotation: Any) -> dict[Any, Any]:
    """Return the schemas of a union by their models, if each instance fits but one."""
    is_union = get_origin(annotation) in (Union, UnionType)
    schemas = [each for argument in get_args(annotation) if (each := _schema(argument))]
    models = [schema.django_model() for schema in schemas]
    related = any(one is not other and issubclass(one, other) for one in models for other in models)
    is_one_each = len({*models}) == len(models) > 1 and not related
    return dict(zip(models, schemas, strict=True)) if is_union and is_one_each else {}


def _of_its_model(schemas: dict[Any, Any], value: Any) -> Any:
    return next((schemas[model] for model in schemas if isinstance(value, model)), None)


def _one_of(schemas: dict[Any, Any]) -> Present:
    def present(value: Any) -> Any:
        schema = _of_its_model(schemas, value)
        return value if schema is None else show(schema, value)

    return present


def _many_of(schemas: dict[Any, Any]) -> Present:
    """Return the presenter for objects of several models: those of each are loaded together."""

    def present(value: Any) -> Any:
        items = queryset_of(value)
        if not isinstance(items, list | tuple | QuerySet | RawQuerySet):
            return value
        shown = rows_of(items)
        places: dict[Any, list[int]] = defaultdict(list)
        for place, item in enumerate(shown):
            places[_of_its_model(schemas, item)].append(place)
        for schema, own in places.items():
            if schema is not None:
                found = schema.from_qs([shown[place] for place in own])
                for place, item in zip(own, found, strict=True):
                    shown[place] = item
        return shown

    return present


def _of_fields(model: type[BaseModel], within: tuple[Any, ...]) -> Present | None:
    if not is_complete(model):  # maybe it names what is defined further down
        return _later(cache(lambda: _of_known_fields(model, within)))
    return _of_known_fields(model, within)


def _of_record(record: Any, within: tuple[Any, ...]) -> Present | None:
    """Return the presenter for a dataclass, a named tuple or a typed dictionary."""
    is_tuple, is_data = issubclass(record, tuple), is_dataclass(record)
    if not is_record(record):
        return None
    hints = hints_of(record)
    if is_tuple:
        each = _each_of([_presenter(hint, within) for hint in hints.values()])
        return None if each is None else _each_of_tuple(record, each)
    presenters = {
        name: found
        for name, hint in hints.items()
        if (found := _presenter(hint, within)) is not None
    }

    def present(value: Any) -> Any:
        if isinstance(value, Mapping):
            shown = {name: each(value[name]) for name, each in presenters.items() if name in value}
            return {**value, **shown}
        if not (is_data and isinstance(value, record)):
            return value
        # Pydantic takes one as it is, with what it holds.
        value = copy(value)
        for name, each in presenters.items():
            object.__setattr__(value, name, each(getattr(value, name)))
        return value

    return present if presenters else None


def _each_of_tuple(record: Any, present: Present) -> Present:
    def present_tuple(value: Any) -> Any:
        return record(*present(value)) if isinstance(value, record) else present(value)

    return present_tuple


def _later(make: Callable[[], Present | None]) -> Present:
    def present(value: Any) -> Any:
        found = make()
        return value if found is None else found(value)

    return present


def _of_known_fields(model: type[BaseModel], within: tuple[Any, ...]) -> Present | None:
    fields = fields_of(model)
    if issubclass(model, RootModel):
        return _presenter(fields["root"].annotation, within)
    keys = [
        key for name, info in fields.items() for key in dict.fromkeys((info.alias or name, name))
    ]
    presenters = {
        key: found
        for name, info in fields.items()
        if (found := _presenter(info.annotation, within)) is not None
        for key in {name, info.alias or name}
    }
    if not presenters:
        return None

    def present(value: Any) -> Any:
        if isinstance(value, Mapping):
            values = value
        elif isinstance(value, model) or not holds_models(value):
            return value
        else:  # as Pydantic would read it
            values = {key: getattr(value, key) for key in keys if hasattr(value, key)}
        return {
            key: presenters[key](item) if key in presenters else item
            for key, item in values.items()
        }

    return present
