"""What becomes of the querysets and model instances that an endpoint returns?

Where the response model has a `ModelSchema` in their place, they become instances of it: at the
top, in a list, below a key of any other Pydantic model, as in `{"items": queryset}`.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from django.db.models import Model, QuerySet
from pydantic import BaseModel

from django_mullet.nesting import fields_of, is_schema, schemas_in
from django_mullet.schemas import ModelSchema

__all__ = ["Present", "holds_models", "presenter", "shown_schemas"]

Present = Callable[[Any], Any]


def presenter(response_model: Any) -> Present | None:
    """Return what turns an endpoint's result into what `response_model` wants, if anything does.

    What it does not know it returns as it is.
    """
    return _presenter(response_model, ())


def holds_models(value: Any) -> bool:
    """Return whether `value` is, or has in it, a queryset or a model instance."""
    if isinstance(value, list | tuple):
        return bool(value) and holds_models(value[0])
    if isinstance(value, QuerySet | Model):
        return True
    return isinstance(value, Mapping) and any(map(holds_models, value.values()))


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
    if len(arguments) >= 1 and (schema := _schema(arguments[0])) is not None:
        return _many(schema)
    return None


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
    presenters = {
        key: found
        for name, info in fields_of(model).items()
        if (found := _presenter(info.annotation, within)) is not None
        for key in {name, info.alias or name}
    }
    if not presenters:
        return None

    def present(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {
            key: presenters[key](item) if key in presenters else item for key, item in value.items()
        }

    return present
