"""Unique names for the component schemas of the OpenAPI document, and the check for clashes.

Pydantic would call them by the names of their modules then, or add a number, and clients that are
generated from the document would change with whoever comes first.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Annotated, Any, get_args, get_origin

from django.core.exceptions import ImproperlyConfigured
from fastapi import FastAPI
from fastapi.openapi.utils import get_fields_from_routes
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from django_mullet.error_handling.openapi_responses import name_error_schemas
from django_mullet.openapi.keywords import reword
from django_mullet.openapi.variant_names import name_variants, name_without_side
from django_mullet.schemas.nesting import fields_of
from django_mullet.schemas.variants import Access, Variant, access_of, component_name

__all__ = ["clashes", "install_component_names"]

Component = tuple[Any, Variant | None]
"""A class, and what a request does with it, if anything."""


def install_component_names(app: FastAPI) -> None:
    """Have `app.openapi()` raise `ImproperlyConfigured` where two classes have the same name.

    And have the errors that routes list share one schema, and the words be what tools read.
    """
    openapi = app.openapi

    def checked() -> dict[str, Any]:
        if app.openapi_schema:
            return openapi()
        if found := clashes(app):
            raise ImproperlyConfigured(" ".join(found))
        document = openapi()
        name_error_schemas(document)
        models = [cls for cls, _ in _all_components(app) if issubclass(cls, BaseModel)]
        name_variants(document, models)
        name_without_side(document)
        reword(document)
        return document

    app.openapi = checked  # type: ignore[method-assign]  # as FastAPI documents it


def clashes(app: FastAPI) -> list[str]:
    """Return what is wrong with the names of the schemas in the routes of `app`, and the cure."""
    named: dict[str, dict[Component, None]] = defaultdict(dict)
    for component in _all_components(app):
        named[_name(component)][component] = None
    messages: dict[frozenset[Any], str] = {}
    for name in sorted(named):
        classes = list(dict.fromkeys(cls for cls, _ in named[name]))
        if len(classes) > 1 and any(map(_is_schema, classes)):
            messages.setdefault(frozenset(classes), _message(name, classes))
    return list(messages.values())


def _all_components(app: FastAPI) -> Iterator[Component]:
    seen: set[Component] = set()
    for field in get_fields_from_routes([*app.routes, *app.webhooks.routes]):
        info = field.field_info
        yield from _components(info.annotation, info.metadata, seen)


def _message(name: str, classes: list[Any]) -> str:
    told = " and ".join(f"'{cls.__module__}.{cls.__qualname__}'" for cls in classes)
    schema = next(cls for cls in reversed(classes) if _is_schema(cls))
    return (
        f"{told} have the same name in the OpenAPI document, '{name}'. Write 'model_config = "
        f"ConfigDict(title=\"...\")' in '{schema.__module__}.{schema.__qualname__}'."
    )


def _name(component: Component) -> str:
    cls, variant = component
    if not _is_schema(cls):
        return str(cls.__name__)
    return component_name(cls) + ("" if variant is None else variant.value)


def _is_schema(cls: Any) -> bool:
    return hasattr(cls, "django_model")


def _components(
    annotation: Any, metadata: Iterable[Any], seen: set[Component]
) -> Iterator[Component]:
    """Yield the classes that stand in an annotation, and those within them."""
    if get_origin(annotation) is Annotated:
        annotation, *inner = get_args(annotation)
        metadata = [*metadata, *inner]
    if not isinstance(annotation, type) or get_origin(annotation) is not None:
        for argument in get_args(annotation):
            yield from _components(argument, (), seen)
        return
    variant = next((item for item in metadata if isinstance(item, Variant)), None)
    if not issubclass(annotation, BaseModel | Enum) or (annotation, variant) in seen:
        return
    seen.add((annotation, variant))
    yield annotation, variant
    for name, info in _fields_of(annotation).items():
        if variant is None:
            yield from _components(info.annotation, info.metadata, seen)
        elif not variant.omits(annotation, name):
            is_writable = access_of(info) is Access.WRITABLE
            yield from _sent(info.annotation, Variant.CREATE if is_writable else None, seen)


def _fields_of(cls: Any) -> dict[str, FieldInfo]:
    return fields_of(cls) if issubclass(cls, BaseModel) else {}


def _sent(annotation: Any, variant: Variant | None, seen: set[Component]) -> Iterator[Component]:
    """Yield the classes in the annotation of a field that is sent; of its schemas, those sent."""
    if _is_schema(annotation):
        yield from _components(annotation, [variant], seen)
    elif variant is None or not get_args(annotation):
        yield from _components(annotation, (), seen)
    else:
        for argument in get_args(annotation):
            yield from _sent(argument, variant, seen)
