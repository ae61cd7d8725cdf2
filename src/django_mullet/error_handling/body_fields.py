"""The fields that a client may send in the body of a route's requests."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from django_mullet.dependencies.adaptation import below
from django_mullet.schemas.input_keys import Keys, input_key, keys_of
from django_mullet.schemas.nesting import fields_of
from django_mullet.schemas.variants import Access, Variant, access_of

__all__ = [
    "BodyField",
    "body_fields",
    "body_models",
    "body_params",
    "is_embedded",
    "marked_as",
    "secret_names",
]

Path = tuple[str, ...]

_SECRETS = (SecretStr, SecretBytes)


@dataclass(frozen=True, slots=True)
class BodyField:
    """A field that a client may send."""

    name: str
    loc: Path
    """Where it stands in the body; without the index of a list's item."""
    model: Any = None
    """The Django model that it is a field of, where its schema says so."""
    names: Path = field(default=(), compare=False)
    """What the schemas on the way, and its own, call it."""
    keys: tuple[str | Keys, ...] = field(default=(), compare=False)
    """The same as `loc`, with all by which a client may send it."""


def body_fields(dependant: Dependant) -> Iterator[BodyField]:
    """Yield the fields of the body of the route that `dependant` belongs to."""
    params = list(body_params(dependant))
    has_names = is_embedded(params)
    for param in params:
        path = (param.alias,) if has_names else ()
        info = param.field_info
        models = list(body_models(info.annotation, marked_as(info)))
        if not models:
            yield BodyField(param.name, (param.alias,), names=(param.name,), keys=(param.alias,))
        for schema, variant in models:
            yield from _fields_of(schema, variant, BodyField("", path, keys=path), ())


def is_embedded(params: list[Any]) -> bool:
    """Return whether each of `params`, a body's, stands below its name."""
    return len({param.name for param in params}) > 1 or any(
        getattr(param.field_info, "embed", None) for param in params
    )


def secret_names(dependant: Dependant) -> set[str]:
    """Return what the body calls those of its fields that no answer shows, at any depth.

    They are marked `WriteOnly`, or Pydantic's `SecretStr` and `SecretBytes`.
    """
    found: set[str] = set()
    for param in body_params(dependant):
        annotation = param.field_info.annotation
        if _is_secret(annotation):
            found.add(param.alias)
        found.update(_secrets_of(annotation, ()))
    return found


def _secrets_of(annotation: Any, outer: tuple[Any, ...]) -> Iterator[str]:
    for schema, _ in body_models(annotation):
        if schema in outer:
            continue
        for name, info in fields_of(schema).items():
            if _is_secret(info.annotation) or access_of(info) is Access.WRITE_ONLY:
                yield from _spellings(name, info)
            yield from _secrets_of(info.annotation, (*outer, schema))


def _spellings(name: str, info: FieldInfo) -> Iterator[str]:
    """Yield all that a client may call a field, by any of its aliases."""
    yield name
    for alias in (info.alias, info.validation_alias):
        choices: list[Any] = getattr(alias, "choices", [alias])
        yield from (choice for choice in choices if isinstance(choice, str))


def _is_secret(annotation: Any) -> bool:
    return annotation in _SECRETS or any(map(_is_secret, get_args(annotation)))


def body_models(annotation: Any, variant: Variant | None = None) -> Iterator[tuple[Any, Any]]:
    """Yield the Pydantic models in `annotation`, each with the variant that is taken, if any."""
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
        variant = _variant_in(metadata) or variant
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, variant
    else:
        for argument in get_args(annotation):
            yield from body_models(argument, variant)


def marked_as(info: Any) -> Variant | None:
    """Return the variant that a Pydantic field or a parameter of FastAPI is marked as."""
    return _variant_in(info.metadata)


def body_params(dependant: Dependant) -> Iterator[Any]:
    """Yield FastAPI's parameters that are the body of the route of `dependant`, or in it."""
    for each in (dependant, *below(dependant)):
        yield from each.body_params


def _fields_of(
    schema: Any, variant: Variant | None, place: BodyField, outer: tuple[Any, ...]
) -> Iterator[BodyField]:
    if schema in outer:
        return  # a model within itself
    django_model = schema.django_model() if hasattr(schema, "django_model") else None
    for name, info in fields_of(schema).items():
        if django_model is not None and variant is not None and variant.omits(schema, name):
            continue
        found = BodyField(
            name,
            (*place.loc, input_key(schema, name)),
            django_model,
            (*place.names, name),
            (*place.keys, keys_of(schema, name)),
        )
        yield found
        # What is nested in a body is created with it, or changed: it is always sent whole.
        inner = marked_as(info) or (variant and Variant.CREATE)
        for nested, its_variant in body_models(info.annotation, inner):
            yield from _fields_of(nested, its_variant, found, (*outer, schema))


def _variant_in(metadata: list[Any]) -> Variant | None:
    return next((item for item in metadata if isinstance(item, Variant)), None)
