"""`app.dependency_overrides`, adapted as the dependencies that they replace.

It asks in each request, and reads the signature of what it is given: so what it is given is adapted
there and then, and has a signature with what it depends on adapted as well.
"""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any, get_args, get_origin

from fastapi import params
from fastapi.dependencies.utils import get_typed_signature

from django_mullet.dependencies.adaptation import adapt, original, scope_of

__all__ = ["Overrides", "with_signature"]

Endpoint = Callable[..., Any]


class Overrides:
    """Stands between FastAPI and `app.dependency_overrides`: what it gives out is adapted."""

    def __init__(self, app: Any) -> None:
        self._app = app

    @property
    def dependency_overrides(self) -> "Overrides":
        return self

    def __bool__(self) -> bool:
        return bool(self._app and self._app.dependency_overrides)

    def get(self, call: Endpoint, default: Endpoint) -> Endpoint:
        """Return what to call for `call`, an adapted dependency."""
        bare = original(call)
        override = self._app.dependency_overrides.get(bare, bare)
        scope = getattr(call, "scope", None)
        limited = getattr(call, "limited", False)
        return with_signature(adapt(override, scope, limited=limited))


def with_signature(adapted: Endpoint) -> Endpoint:
    """Return `adapted` with the signature of what it is made of, the dependencies adapted.

    FastAPI reads it where no tree of dependencies is made in advance: below an override.
    """
    bare = original(adapted)
    if adapted is not bare and not hasattr(adapted, "__signature__"):
        parameters = get_typed_signature(bare).parameters.values()
        adapted.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [_adapted_parameter(parameter) for parameter in parameters]
        )
    return adapted


def _adapted_parameter(parameter: inspect.Parameter) -> inspect.Parameter:
    annotation, default = parameter.annotation, parameter.default
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        metadata = [_adapted_marker(marker, base) for marker in metadata]
        annotation = Annotated[(base, *metadata)]
    return parameter.replace(annotation=annotation, default=_adapted_marker(default, annotation))


def _adapted_marker(marker: Any, annotation: Any) -> Any:
    if not isinstance(marker, params.Depends):
        return marker
    call = marker.dependency or annotation
    scope = scope_of(call, marker.scope)
    limited = getattr(marker, "max_concurrency", None) is not None
    adapted = with_signature(adapt(call, scope, limited=limited))
    return replace(marker, dependency=adapted, scope=scope)
