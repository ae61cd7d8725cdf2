"""The refusal of models in results for which no schema says what is shown.

FastAPI writes what it does not know as a dictionary of its attributes. Of a user that is the hash
of the password, too.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, get_args, get_origin, get_type_hints

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Manager, Model, QuerySet
from django.db.models.query import RawQuerySet
from django.utils.functional import SimpleLazyObject
from fastapi.encoders import jsonable_encoder
from fastapi.sse import ServerSentEvent

from django_mullet._compat.orm import gives_instances
from django_mullet.callables import dotted_name
from django_mullet.exceptions import UnshownModel
from django_mullet.queries.querysets import rows_of

__all__ = ["Encoded", "advice_on", "evaluated", "refuse_models"]

Endpoint = Callable[..., Any]

_MANY = (QuerySet, RawQuerySet, Manager)
"""What gives many instances, and knows their model."""


class Encoded:
    """In place of the response field of a route that has none: FastAPI's encoder, less models."""

    def __init__(self, endpoint: Endpoint) -> None:
        refuse = partial(_refuse, endpoint)
        self._encoders: dict[Any, Callable[[Any], Any]] = {
            Model: refuse,
            QuerySet: self._rows,
            RawQuerySet: refuse,
            Manager: refuse,
        }
        self._refuse = refuse

    def validate(self, value: Any, *args: Any, **kwargs: Any) -> tuple[Any, None]:
        """Return `value` as FastAPI encodes it, and no errors; raise `UnshownModel` for a model."""
        return self(value), None

    def serialize(self, value: Any, **kwargs: Any) -> Any:
        """Return `value`, which is encoded."""
        return value

    def __call__(self, value: Any) -> Any:
        return jsonable_encoder(value, custom_encoder=self._encoders)

    def event(self, item: Any) -> Any:
        """Return an item of an event stream; if it is an event, with its data encoded."""
        if isinstance(item, ServerSentEvent) and not hasattr(item.data, "model_dump_json"):
            return item.model_copy(update={"data": self(item.data)})
        return item

    def item(self, item: Any) -> Any:
        """Return an item of an event stream of which no annotation says the type, encoded."""
        return self.event(item) if isinstance(item, ServerSentEvent) else self(item)

    def _rows(self, queryset: Any) -> Any:
        if gives_instances(queryset):
            self._refuse(queryset)
        return self(rows_of(queryset))


def evaluated(value: Any) -> Any:
    """Return `value` with a list in place of each queryset of rows. Runs in a worker."""
    if isinstance(value, QuerySet) and not gives_instances(value):
        return rows_of(value)
    if isinstance(value, Mapping):
        return {key: evaluated(item) for key, item in value.items()}
    return [*map(evaluated, value)] if isinstance(value, list | tuple) else value


def refuse_models(endpoint: Endpoint, response_model: Any) -> None:
    """Raise `ImproperlyConfigured` if a route is to answer with models, by annotations."""
    for annotation in (response_model, _hints(partial(get_type_hints, endpoint)).get("return")):
        for found in _models_in(annotation, ()):
            raise ImproperlyConfigured(_told(endpoint, found))


def advice_on(error: Exception, endpoint: Endpoint) -> str | None:
    """Return what to write where Pydantic has met a model that its response model leaves open."""
    found = re.match(r"Unable to serialize unknown type: <class '(.+)'>", str(error))
    if found is None:
        return None
    for cls in (*apps.get_models(), *_MANY, SimpleLazyObject):
        if dotted_name(cls) == found[1]:
            return _told(endpoint, cls)
    return None


def _refuse(endpoint: Endpoint, value: Any) -> None:
    model = value.model if isinstance(value, _MANY) else value.__class__  # not that of a lazy user
    raise UnshownModel(_told(endpoint, model))


def _told(endpoint: Endpoint, found: Any) -> str:
    model = found.__name__ if issubclass(found, Model) else "Model"
    schema = f"{model.removesuffix('_')}Schema"
    return (
        f"'{dotted_name(endpoint)}' returns what is of the model '{model}', and no schema says "
        f"what of it is shown. Write 'response_model={schema}', or 'response_model=list[{schema}]' "
        f"for many, with 'class {schema}(ModelSchema[{model}])' and the fields that the API shows."
    )


def _models_in(annotation: Any, within: tuple[Any, ...]) -> Iterator[Any]:
    """Yield the models and the classes of querysets in an annotation, at any depth."""
    for argument in get_args(annotation):
        yield from _models_in(argument, within)
    cls = get_origin(annotation) or annotation
    if not isinstance(cls, type) or cls in within:
        return
    if issubclass(cls, (Model, *_MANY)):
        yield cls
    elif dataclasses.is_dataclass(cls) or hasattr(cls, "__total__") or hasattr(cls, "_fields"):
        # A dataclass, a typed dictionary, a named tuple.
        for hint in _hints(partial(get_type_hints, cls)).values():
            yield from _models_in(hint, (*within, cls))


def _hints(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return read()
    except Exception:  # a name that is not there when it runs, for one
        return {}
