"""The error responses that the OpenAPI document lists for a route, and their schemas.

FastAPI lists 422, where a route takes anything. A route that takes what its model knows to be
unique, or one that runs again, lists 409 too; `errors()` writes the entries of others. Each entry
says all of its schema, as nobody else may have a say in a route's document; `mount_django` has them
refer to one, so that generated clients have one class of errors.
"""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from fastapi.dependencies.models import Dependant

from django_mullet import conf
from django_mullet.dependencies.adaptation import below
from django_mullet.error_handling.body_fields import body_fields
from django_mullet.error_handling.constraints import unique_fields
from django_mullet.error_handling.problem_details import PROBLEM_JSON
from django_mullet.error_handling.retries import retries_of

__all__ = ["Responses", "errors", "name_error_schemas", "with_known_errors"]

Responses = dict[int | str, dict[str, Any]]

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


DETAIL_SCHEMA = _detail(_ITEM)
"""FastAPI's `{"detail": ...}`."""

PROBLEM_SCHEMA = _problem(_POINTED_ITEM)
"""A problem of RFC 9457."""

_NAMED: list[tuple[Schema, str, dict[str, Schema]]] = [
    (
        DETAIL_SCHEMA,
        "Error",
        {"Error": _detail({"$ref": f"{_REFERENCE}ErrorItem"}), "ErrorItem": _ITEM},
    ),
    (
        PROBLEM_SCHEMA,
        "Problem",
        {"Problem": _problem({"$ref": f"{_REFERENCE}ProblemItem"}), "ProblemItem": _POINTED_ITEM},
    ),
]


def errors(*statuses: int) -> Responses:
    """Return what `responses=` of a route takes, for errors that it answers with.

    `@router.get("/{pk}/", responses=errors(403, 404))`. In the form that the settings want.
    """
    media_type, schema = "application/json", DETAIL_SCHEMA
    if conf.current().problem_details:
        media_type, schema = PROBLEM_JSON, PROBLEM_SCHEMA
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {media_type: {"schema": schema}},
        }
        for status in statuses
    }


def with_known_errors(
    endpoint: Callable[..., Any], dependant: Dependant, responses: Responses
) -> Responses:
    """Return `responses`, a route's own, and the errors that are known of it."""
    statuses = []
    if retries_of(endpoint) or _may_meet_its_like(dependant):
        statuses.append(409)
    if conf.current().problem_details and _takes_anything(dependant):
        statuses.append(422)
    known = {str(status).upper() for status in responses}
    missing = [n for n in statuses if not known & {str(n), "4XX", "DEFAULT"}]
    return {**responses, **errors(*missing)}


def _may_meet_its_like(dependant: Dependant) -> bool:
    return any(
        field.model is not None
        and {field.name, field.name.removesuffix("_id")} & unique_fields(field.model)
        for field in body_fields(dependant)
    )


def _takes_anything(dependant: Dependant) -> bool:
    return any(
        each.path_params
        or each.query_params
        or each.header_params
        or each.cookie_params
        or each.body_params
        for each in (dependant, *below(dependant))
    )


def name_error_schemas(document: dict[str, Any]) -> None:
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
