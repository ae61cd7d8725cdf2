"""Error locations in the request body for what Django, or the database, refuses.

It is told as the client has sent it: by that of its aliases, with the index of a list's item. A
`Place` is as FastAPI writes `loc`, without its "body", and with all keys that are possible.
"""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from pydantic import BaseModel

from django_mullet.error_handling.body_fields import (
    BodyField,
    body_fields,
    body_params,
    is_embedded,
)
from django_mullet.error_handling.constraints import Violation
from django_mullet.schemas.input_keys import Keys, Place, keys_of

__all__ = ["place_of_name", "places_of"]


def place_of_name(dependant: Any, error: Exception, name: str) -> Place:
    """Return where the field is that `error` calls `name`; a nested one is `books.0.title`."""
    parts = tuple(
        int(part) if part.isdecimal() else part
        for part in (() if name == NON_FIELD_ERRORS else name.split("."))
    )
    body, place = _written(dependant, error)
    if body is not None:
        return (*place, *_in_schema(type(body), parts))
    fields = [] if dependant is None or not parts else list(body_fields(dependant))
    names = tuple(part for part in parts if isinstance(part, str))
    for known in (names, (*names[:-1], f"{names[-1]}_id") if names else names):
        found = {field.keys for field in fields if field.names[-len(known) :] == known}
        if len(found) == 1:
            return _with_indexes(found.pop(), parts, len(known))
    return parts


def places_of(dependant: Any, error: Exception, violation: Violation) -> list[Place]:
    """Return where those fields of the body are that `violation` is about, in its order."""
    names = [name for field in violation.fields for name in (field, f"{field}_id")]
    known = [] if dependant is None else list(dict.fromkeys(body_fields(dependant)))
    body, place = _written(dependant, error)
    if body is not None and _is_of(body.django_model(), violation.model):
        taken = {field.name for field in known} & type(body).model_fields.keys()
        own = [name for name in names if name in taken]
        if own:
            return [(*place, keys_of(type(body), name)) for name in own]
    return [
        _place_of(field, place)
        for name in names
        for field in known
        if field.name == name and (field.model is None or _is_of(field.model, violation.model))
    ]


def _is_of(model: Any, written: Any) -> bool:
    """Return whether what is sent for `model` may be what was written to `written`."""
    return issubclass(model, written._meta.concrete_model)


def _place_of(field: BodyField, place: Place) -> Place:
    """Return where `field` is, if it stands in what was written, which is at `place`."""
    keys = tuple(part for part in place if not isinstance(part, int))
    if field.keys[: len(keys)] != keys:
        return field.keys
    return (*place, *field.keys[len(keys) :])


def _with_indexes(keys: Place, parts: tuple[str | int, ...], number: int) -> Place:
    """Return `keys`, with the indexes among `parts`, of which they have the last `number` names."""
    last = iter(keys[len(keys) - number :])
    return (*keys[: len(keys) - number], *(p if isinstance(p, int) else next(last) for p in parts))


def _in_schema(schema: Any, parts: tuple[str | int, ...]) -> Iterator[str | int | Keys]:
    for part in parts:
        if isinstance(part, int) or schema is None or part not in schema.model_fields:
            yield part
            continue
        yield keys_of(schema, part)
        schema = next(iter(schema.schemas_of(part)), None)


def _written(dependant: Any, error: Any) -> tuple[Any, Place]:
    """Return what was being written when `error` was raised, and where it stands in the body.

    The innermost of the objects in each other that the request has sent; `None` if there is none.
    """
    arguments = getattr(error, "arguments", {})
    params = [] if dependant is None else list(body_params(dependant))
    for body in getattr(error, "bodies", ()):
        for param in params:
            # What a dependency has taken may have been passed on by another name.
            is_known = param.name in arguments or len(params) > 1
            values = [arguments.get(param.name)] if is_known else arguments.values()
            for value in values:
                place = _path(value, body)
                if place is not None:
                    return body, ((param.alias,) if is_embedded(params) else ()) + place
    return None, ()


def _path(value: Any, body: Any) -> Place | None:
    """Return the way from `value` to the very `body`, if that is in it."""
    if value is body:
        return ()
    items: Any = ()
    if isinstance(value, list | tuple):
        items = enumerate(value)
    elif isinstance(value, dict):
        items = value.items()
    elif isinstance(value, BaseModel):
        schema: Any = type(value)
        own = [name for name in schema.model_fields if name in value.__dict__]
        items = [(keys_of(schema, name), value.__dict__[name]) for name in own]
    ways = ((key, _path(item, body)) for key, item in items)
    return next(((key, *way) for key, way in ways if way is not None), None)
