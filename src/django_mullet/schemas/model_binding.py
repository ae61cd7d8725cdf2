"""The model to which a schema class is bound, through its bases and type parameters."""

from functools import cache
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured

from django_mullet._compat.pydantic import generic_metadata_of

__all__ = ["is_open", "model_of"]


def is_open(schema: Any) -> bool:
    """Return whether `schema` is a generic base, `class Base(ModelSchema[T], Generic[T])`."""
    return bool(generic_metadata_of(schema)["parameters"])


@cache
def model_of(schema: Any, origin: Any) -> Any:
    """Return the model that `schema` names as the argument of `origin`, itself or by its bases.

    Of several the one that is no abstract base, nor a parent, of another.
    """
    known: dict[Any, Any] = {}
    models: list[Any] = []
    for base in schema.__mro__:
        said = generic_metadata_of(base)
        if not said.get("args"):
            continue
        arguments = [known.get(argument, argument) for argument in said["args"]]
        if said["origin"] is origin:
            models += arguments
        parameters = generic_metadata_of(said["origin"])["parameters"]
        known.update(zip(parameters, arguments, strict=True))
    found = [model for model in models if not isinstance(model, TypeVar)]
    if not found:
        raise ImproperlyConfigured(
            f"'{schema.__name__}' must name its model: 'class "
            f"{schema.__name__}({origin.__name__}[Model])'."
        )
    concrete = [model for model in found if not model._meta.abstract] or found
    return next(
        (model for model in concrete if all(issubclass(model, each) for each in concrete)),
        concrete[0],
    )
