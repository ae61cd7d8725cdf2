"""Where in the body of a request does a field stand that Django, or the database, found wrong?

It is told as the client has sent it: by its alias, with the index of a list's item.
"""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from pydantic import BaseModel

from django_mullet.bodies import BodyField, body_fields, body_params, is_embedded
from django_mullet.planning import input_key

__all__ = ["place_of", "place_of_name"]

Place = tuple[str | int, ...]
"""As FastAPI writes `loc`, without its "body"."""


def place_of_name(dependant: Any, error: Exception, name: str) -> Place:
    """Return where the field is that `error` calls `name`; a nested one is `books.0.title`."""
    parts: Place = tuple(
        int(part) if part.isdecimal() else part
        for part in (() if name == NON_FIELD_ERRORS else name.split("."))
    )
    body = getattr(error, "body", None)
    if body is not None and hasattr(error, "arguments"):
        return (*_place_of_body(dependant, error), *_in_schema(type(body), parts))
    fields = [] if dependant is None or not parts else list(body_fields(dependant))
    names = tuple(part for part in parts if isinstance(part, str))
    for known in (names, (*names[:-1], f"{names[-1]}_id") if names else names):
        found = {field.loc for field in fields if field.names[-len(known) :] == known}
        if len(found) == 1:
            return _with_indexes(found.pop(), parts, len(known))
    return parts


def place_of(dependant: Any, error: Exception, field: BodyField) -> Place:
    """Return where `field` is, in the item of a list that was to be written."""
    place: Place = _place_of_body(dependant, error)
    body: Any = getattr(error, "body", None)
    if place and field.model is body.django_model() and field.name in body.model_fields_set:
        return (*place, field.loc[-1])
    names = tuple(part for part in place if isinstance(part, str))
    if field.loc[: len(names)] != names:
        return field.loc
    return (*place, *field.loc[len(names) :])


def _with_indexes(loc: tuple[str, ...], parts: Place, number: int) -> Place:
    """Return `loc`, the last `number` of which are the names of `parts`, with their indexes."""
    keys = iter(loc[len(loc) - number :])
    return (*loc[: len(loc) - number], *(p if isinstance(p, int) else next(keys) for p in parts))


def _in_schema(schema: Any, parts: Place) -> Iterator[str | int]:
    for part in parts:
        if isinstance(part, int) or schema is None or part not in schema.model_fields:
            yield part
            continue
        yield input_key(schema, part)
        schema = next(iter(schema.schemas_of(part)), None)


def _place_of_body(dependant: Any, error: Any) -> Place:
    """Return where the body stands that was being written when `error` was raised."""
    arguments = getattr(error, "arguments", {})
    params = [] if dependant is None else list(body_params(dependant))
    for param in params:
        found = _path(arguments.get(param.name), getattr(error, "body", None))
        if found is not None:
            return ((param.alias,) if is_embedded(params) else ()) + found
    return ()


def _path(value: Any, body: Any) -> Place | None:
    """Return the way from `value` to the very `body`, if that is in it."""
    if value is body:
        return () if body is not None else None
    items: Any = ()
    if isinstance(value, list | tuple):
        items = enumerate(value)
    elif isinstance(value, dict):
        items = value.items()
    elif isinstance(value, BaseModel):
        items = [(input_key(type(value), name), item) for name, item in value.__dict__.items()]
    ways = ((key, _path(item, body)) for key, item in items)
    return next(((key, *way) for key, way in ways if way is not None), None)
