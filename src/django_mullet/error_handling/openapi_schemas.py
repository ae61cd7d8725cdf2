"""The schemas of error responses in the OpenAPI document.

Each response says all of it, as nobody else may have a say in a route's document. `mount_django`
has them refer to one schema, so that generated clients have one class of errors.
"""

from collections.abc import Iterator
from typing import Any

__all__ = ["DETAIL", "PROBLEM", "name_errors"]

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/"

_ITEM: Schema = {
    "type": "object",
    "required": ["loc", "msg", "type"],
    "properties": {
        "loc": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
        "msg": {"type": "string"},
        "type": {"type": "string"},
    },
}
_POINTED_ITEM: Schema = {
    **_ITEM,
    "properties": {**_ITEM["properties"], "pointer": {"type": "string"}},
}


def _detail(item: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["detail"],
        "properties": {"detail": {"anyOf": [{"type": "string"}, {"type": "array", "items": item}]}},
    }


def _problem(item: Schema) -> Schema:
    return {
        "type": "object",
        "required": ["type", "title", "status"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": item},
        },
    }


DETAIL = _detail(_ITEM)
"""FastAPI's `{"detail": ...}`."""

PROBLEM = _problem(_POINTED_ITEM)
"""A problem of RFC 9457."""

_NAMED: list[tuple[Schema, str, dict[str, Schema]]] = [
    (
        DETAIL,
        "Error",
        {"Error": _detail({"$ref": f"{_REFERENCE}ErrorItem"}), "ErrorItem": _ITEM},
    ),
    (
        PROBLEM,
        "Problem",
        {"Problem": _problem({"$ref": f"{_REFERENCE}ProblemItem"}), "ProblemItem": _POINTED_ITEM},
    ),
]


def name_errors(document: dict[str, Any]) -> None:
    """Have all errors of `document` refer to one schema, "Error" or "Problem".

    They stay as they are if the document has a schema of that name.
    """
    for schema, name, components in _NAMED:
        places = [place for place in _responses(document) if place.get("schema") == schema]
        schemas = document.get("components", {}).get("schemas", {})
        if not places or components.keys() & schemas.keys():
            continue
        for place in places:
            place["schema"] = {"$ref": f"{_REFERENCE}{name}"}
        sorted_schemas = dict(sorted({**schemas, **components}.items()))
        document["components"] = {**document.get("components", {}), "schemas": sorted_schemas}


def _responses(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield where a response of `document` says what a body of a media type is."""
    for item in document.get("paths", {}).values():
        operations = [value for value in item.values() if isinstance(value, dict)]
        for operation in operations:
            for response in operation.get("responses", {}).values():
                yield from response.get("content", {}).values()
