"""Component names of generic models around schema variants: `Envelope[Create[S]]` and the like.

Pydantic's name says of both that something is annotated, and tells them apart by a module and a
number. As `S` alone is "SCreate" and "SPatch", they are "Envelope_SCreate_" and "Envelope_SPatch_".
"""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, get_args, get_origin

from django_mullet._compat.pydantic import generic_metadata_of
from django_mullet.schemas.variants import Variant, component_name

__all__ = ["name_variants", "name_without_side"]

_REFERENCE = "#/components/schemas/"


def name_variants(document: dict[str, Any], classes: Iterable[Any]) -> None:
    """Name the generic models among `classes` in `document` by what stands in them."""
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    renamed: dict[str, str] = {}
    for cls in dict.fromkeys(classes):
        arguments = generic_metadata_of(cls)["args"]
        wanted = {name for argument in arguments for name in _variants_in(argument)}
        if not wanted:
            continue
        title = f"{generic_metadata_of(cls)['origin'].__name__}{_spelled(arguments)}"
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


def name_without_side(document: dict[str, Any]) -> None:
    """Name a schema that is only shown, or only sent, as if it had no other side.

    One that is nested in a body is sent as its variant: Pydantic describes its own input, too, to
    which nothing refers, where aliases have it differ from what is shown.
    """
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    while unused := _unused_sides(document, schemas):
        renamed = {other: base for _, other, base in unused}
        for name, other, base in unused:
            del schemas[name]
            schemas[base] = schemas.pop(other)
        _refer(document, renamed)
        document["components"]["schemas"] = schemas = dict(sorted(schemas.items()))


def _unused_sides(document: Any, schemas: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the sides of classes to which nothing refers: each with the other, and its class."""
    sides = [
        (f"{base}-{side}", f"{base}-{other}", base)
        for base in {name.rpartition("-")[0] for name in schemas} - schemas.keys()
        for side, other in (("Input", "Output"), ("Output", "Input"))
    ]
    referred = {*_referred(document)} & schemas.keys()
    known = schemas.keys() - referred
    return [found for found in sides if found[0] in known and found[1] in referred]


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


def _refer(part: Any, renamed: dict[str, str]) -> None:
    """Have `part` refer to components by their new names, in the mapping of unions as well."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(value, dict | list):
            _refer(value, renamed)
        elif isinstance(value, str) and value.startswith(_REFERENCE):
            name = value.removeprefix(_REFERENCE)
            part[key] = f"{_REFERENCE}{renamed.get(name, name)}"
