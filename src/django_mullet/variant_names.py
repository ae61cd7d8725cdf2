"""What does the OpenAPI document call `Envelope[Create[S]]`, beside `Envelope[Patch[S]]`?

Pydantic's name says of both that something is annotated, and tells them apart by a module and a
number. As `S` alone is "SCreate" and "SPatch", they are "Envelope_SCreate_" and "Envelope_SPatch_".
"""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, get_args, get_origin

from django_mullet.variants import Variant, component_name

__all__ = ["name_variants"]

_REFERENCE = "#/components/schemas/"


def name_variants(document: dict[str, Any], classes: Iterable[Any]) -> None:
    """Name the generic models among `classes` in `document` by what stands in them."""
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    renamed: dict[str, str] = {}
    for cls in dict.fromkeys(classes):
        arguments = cls.__pydantic_generic_metadata__["args"]
        wanted = {name for argument in arguments for name in _variants_in(argument)}
        if not wanted:
            continue
        title = f"{cls.__pydantic_generic_metadata__['origin'].__name__}{_spelled(arguments)}"
        name = re.sub(r"[^a-zA-Z0-9.\-_]", "_", title)
        for key, schema in schemas.items():
            is_it = schema.get("title") == cls.__name__ and wanted <= set(_referred(schema))
            if is_it and name not in schemas:
                renamed[key] = name
                schema["title"] = title
    if renamed:
        _refer(document, renamed)
        named = {renamed.get(key, key): schema for key, schema in schemas.items()}
        document["components"]["schemas"] = dict(sorted(named.items()))


def _variants_in(argument: Any) -> Iterator[str]:
    """Yield the names of the variants in the argument of a generic model."""
    if (name := _variant(argument)) is not None:
        yield name
    else:
        for inner in get_args(argument):
            yield from _variants_in(inner)


def _variant(argument: Any) -> str | None:
    if get_origin(argument) is not Annotated:
        return None
    schema, *metadata = get_args(argument)
    found = next((item for item in metadata if isinstance(item, Variant)), None)
    return None if found is None else f"{component_name(schema)}{found.value}"


def _spelled(arguments: tuple[Any, ...]) -> str:
    return f"[{', '.join(map(_spelled_one, arguments))}]"


def _spelled_one(argument: Any) -> str:
    if (name := _variant(argument)) is not None:
        return name
    origin = get_origin(argument)
    if origin is None:
        return str(getattr(argument, "__name__", argument))
    return f"{getattr(origin, '__name__', origin)}{_spelled(get_args(argument))}"


def _referred(schema: Any) -> Iterator[str]:
    """Yield the names of the components to which `schema` refers."""
    for place in _references(schema):
        yield place["$ref"].removeprefix(_REFERENCE)


def _references(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _refer(document: dict[str, Any], renamed: dict[str, str]) -> None:
    for place in _references(document):
        key = place["$ref"].removeprefix(_REFERENCE)
        if key in renamed:
            place["$ref"] = f"{_REFERENCE}{renamed[key]}"
