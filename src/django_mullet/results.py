"""What becomes of the querysets and model instances that an endpoint returns?

Where the response model has a `ModelSchema` in their place, they become instances of it: at the
top, in lists and dictionaries, and below a key or an attribute of any other Pydantic model, as in
`{"items": queryset}`, at any depth. What is left for Pydantic to read may not query any more.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import cache
from types import EllipsisType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from django.db.models import Manager, Model, QuerySet
from django.db.models.query import RawQuerySet
from pydantic import BaseModel
from starlette.responses import Response

from django_mullet.lazy_loads import refused
from django_mullet.nesting import fields_of, is_schema, schemas_in
from django_mullet.schemas import ModelSchema
from django_mullet.sources import queryset_of

__all__ = ["Present", "holds_models", "presenter", "refusing_queries", "shown_schemas"]

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


def refusing_queries(field: Any, what: str) -> Any:
    """Return a copy of FastAPI's response `field`, which raises `LazyLoad` where reading queries.

    But for a single object, which may load what it needs.
    """
    field = copy(field)
    validate = field.validate

    def validate_loaded(value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, Model) or not holds_models(value):
            return validate(value, *args, **kwargs)
        with refused(what):
            return validate(value, *args, **kwargs)

    field.validate = validate_loaded
    return field


def shown_schemas(response_model: Any) -> list[type[ModelSchema[Any]]]:
    """Return the schemas by which `response_model` shows objects, without those within them."""
    found = schemas_in(response_model)
    if isinstance(response_model, type) and issubclass(response_model, BaseModel) and not found:
        for info in fields_of(response_model).values():
            found += schemas_in(info.annotation)
    return found


def _presenter(annotation: Any, within: tuple[Any, ...]) -> Present | None:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _presenter(arguments[0], within)
    if origin in (Union, UnionType):
        return _first_of([_presenter(argument, within) for argument in arguments])
    if isinstance(annotation, type) and origin is None:
        if issubclass(annotation, ModelSchema):
            return _one(annotation)
        if issubclass(annotation, BaseModel) and annotation not in within:
            return _of_fields(annotation, (*within, annotation))
        return None
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
    return _each(_presenter(arguments[0], within))


def _each(present: Present | None) -> Present | None:
    def present_each(value: Any) -> Any:
        items = queryset_of(value)
        is_many = isinstance(items, list | tuple | QuerySet | RawQuerySet)
        return [*map(present, items)] if is_many else value  # type: ignore[arg-type]

    return None if present is None else present_each


def _each_value(present: Present | None) -> Present | None:
    def present_each(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: present(item) for key, item in value.items()}  # type: ignore[misc]

    return None if present is None else present_each


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
        return schema.from_model(value) if isinstance(value, Model) else value

    return present


def _many(schema: type[ModelSchema[Any]]) -> Present:
    def present(value: Any) -> Any:
        return schema.from_qs(value) if holds_models(value) else value

    return present


def _first_of(found: list[Present | None]) -> Present | None:
    presenters = [present for present in found if present is not None]
    if len(presenters) == 1:
        return presenters[0]
    return None  # several schemas: Pydantic chooses


def _of_fields(model: type[BaseModel], within: tuple[Any, ...]) -> Present | None:
    if not model.__pydantic_complete__:  # maybe it names what is defined further down
        return _later(cache(lambda: _of_known_fields(model, within)))
    return _of_known_fields(model, within)


def _later(make: Callable[[], Present | None]) -> Present:
    def present(value: Any) -> Any:
        found = make()
        return value if found is None else found(value)

    return present


def _of_known_fields(model: type[BaseModel], within: tuple[Any, ...]) -> Present | None:
    fields = fields_of(model)
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
