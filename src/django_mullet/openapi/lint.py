"""Warnings about what the OpenAPI document leaves generated clients to guess."""

import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from django_mullet.callables import dotted_name
from django_mullet.openapi.raised_errors import named_errors
from django_mullet.routing.inspection import calls_of, refusing_scheme

__all__ = ["document_of", "gaps"]

OPAQUE_ASIDE = {"title", "description", "default", "examples"}
"""Keys that say nothing of what a value may be."""


LISTED_BY_ITSELF = {409, 422}
"""What no route has to write."""


@dataclass(frozen=True, slots=True)
class _Operation:
    """An operation of the document, and the route that answers it."""

    method: str
    path: str
    context: RouteContext
    content: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path} ({dotted_name(self.context.endpoint)})"


def document_of(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of `app`, with the methods of a path in a fixed order.

    FastAPI leaves the order of those of one route to chance. Raises `ImproperlyConfigured` where
    two schemas have the same name.
    """
    with warnings.catch_warnings():
        # That an operation id is there twice: `gaps` tells what to write.
        warnings.filterwarnings("ignore", "Duplicate Operation ID", UserWarning)
        document = app.openapi()
    return {
        **document,
        "paths": {path: dict(sorted(item.items())) for path, item in document["paths"].items()},
    }


def gaps(app: FastAPI, document: dict[str, Any]) -> Iterator[str]:
    """Yield what `document`, that of `app`, does not say; each names a route and the cure."""
    operations = list(_operations(app, document))
    for operation in operations:
        yield from _opaque(operation)
        yield from _unlisted(operation)
    yield from _operation_ids(operations)


def _operations(app: FastAPI, document: dict[str, Any]) -> Iterator[_Operation]:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute) and context.include_in_schema:
            item = document["paths"].get(context.path_format, {})
            for method in sorted(context.methods or ()):
                if method.lower() in item:
                    path = str(context.path_format)
                    yield _Operation(method, path, context, item[method.lower()])


def _opaque(operation: _Operation) -> Iterator[str]:
    if any(map(_is_opaque, _schemas(operation.content.get("requestBody", {})))):
        yield (
            f"{operation}: the type of its body is unknown. Annotate it, for example 'body: "
            "Create[BookSchema]'."
        )
    for status, response in operation.content.get("responses", {}).items():
        if status.startswith("2") and any(map(_is_opaque, _schemas(response))):
            yield (
                f"{operation}: the type of its {status} response is unknown. Write "
                "'response_model=BookSchema', 'response_class=' with the class that it returns, or "
                "'status_code=204' if it has no body."
            )


def _schemas(holder: dict[str, Any]) -> list[Any]:
    return [
        media[key]
        for media in holder.get("content", {}).values()
        for key in ("schema", "itemSchema")
        if key in media
    ]


def _is_opaque(schema: dict[str, Any]) -> bool:
    """Return whether `schema` takes everything, any object, or a list of that."""
    said = {key: value for key, value in schema.items() if key not in OPAQUE_ASIDE}
    if said.get("type") == "array":
        return _is_opaque(said.get("items", {}))
    if said.get("type") == "object":
        return not said.keys() - {"type", "additionalProperties"} and said.get(
            "additionalProperties", True
        ) in (True, {})
    return not said or any(map(_is_opaque, said.get("anyOf", ())))


def _unlisted(operation: _Operation) -> Iterator[str]:
    dependant = operation.context.dependant
    named = named_errors(calls_of(dependant))
    listed = {str(status).upper() for status in operation.content.get("responses", {})}
    scheme = refusing_scheme(dependant)
    if scheme is not None and "403" not in listed:  # that of FastAPI's HTTPBearer, once
        named.setdefault(401, scheme)
    missing = {} if listed & {"4XX", "DEFAULT"} else named
    missing = {status: place for status, place in missing.items() if str(status) not in listed}
    if missing:
        told = " and ".join(f"{status} ('{missing[status]}')" for status in sorted(missing))
        kept = {int(status) for status in listed if status.startswith("4")} - LISTED_BY_ITSELF
        numbers = ", ".join(map(str, sorted(missing.keys() | kept)))
        yield (
            f"{operation}: it may answer {told}, which the document does not list. Write "
            f"'responses=errors({numbers})' with 'from django_mullet import errors'."
        )


def _operation_ids(operations: list[_Operation]) -> Iterator[str]:
    by_id: dict[str, list[_Operation]] = defaultdict(list)
    for operation in operations:
        by_id[operation.content.get("operationId") or ""].append(operation)
    for operation in by_id.pop("", ()):
        yield (
            f"{operation}: it has no operation id, from which clients name its function. Write "
            "'operation_id=', or 'FastAPI(generate_unique_id_function=operation_id)' with 'from "
            "django_mullet import operation_id'."
        )
    for operation_id, (first, *others) in by_id.items():
        for other in others:
            is_one_route = other.path == first.path and (
                other.context.original_route is first.context.original_route
            )
            advice = "a route for each method" if is_one_route else "a 'name=' for each"
            yield (
                f"{other}: its operation id '{operation_id}' is also that of {first}, and "
                f"generated clients would have one function for both. Write {advice}."
            )
