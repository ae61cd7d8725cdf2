"""Pydantic's strict mode for bodies whose JSON FastAPI has parsed already.

In strict mode Pydantic takes a date or a UUID from a string of JSON, but from no string of Python,
and such strings are what FastAPI passes on. So they are made JSON again, and read in its mode.
"""

from functools import partial
from typing import Any, cast

from pydantic import ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema, to_json

from django_mullet.fields.range_limits import is_range
from django_mullet.fields.ranges import Range

__all__ = ["described_as", "is_strict", "lax", "strict"]


def is_strict(config: ConfigDict) -> bool:
    """Return whether requests send each value as the type that the OpenAPI document says."""
    return bool(config.get("strict"))


def strict(schema: Any, handler: GetCoreSchemaHandler) -> Any:
    """Return what validates by the core schema of a model, strictly and in the mode for JSON.

    What cannot be written as JSON is refused.
    """
    inner = _with_strict(_in_words_of_json(schema, handler), value=True)
    return core_schema.no_info_before_validator_function(_written, core_schema.json_schema(inner))


def lax(schema: Any) -> Any:
    """Return the core schema of a model that takes what a column holds for an enumeration, say."""
    return _with_strict(schema, value=False)


def described_as(schema: Any) -> Any:
    """Return the core schema that the OpenAPI document describes: not a text with JSON in it."""
    if schema["type"] != "function-before" or schema["schema"]["type"] != "json":
        return schema
    outer = {key: schema[key] for key in ("metadata", "ref") if key in schema}
    return {**schema["schema"]["schema"], **outer}


def _with_strict(schema: Any, *, value: bool) -> Any:
    if schema["type"] == "model":
        return {**schema, "config": {**schema.get("config", {}), "strict": value}}
    return {**schema, "schema": _with_strict(schema["schema"], value=value)}


def _in_words_of_json(schema: Any, handler: GetCoreSchemaHandler) -> Any:
    """Return `schema` with integers as JSON Schema has them, and ranges as strict as it is."""
    if isinstance(schema, list):
        return [_in_words_of_json(item, handler) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "definition-ref":
        found: Any = handler.resolve_ref_schema(cast("CoreSchema", schema))
        return _in_words_of_json(found, handler) if is_range(found) else schema
    inner: Any = {
        key: value if key == "metadata" else _in_words_of_json(value, handler)
        for key, value in schema.items()
    }
    if schema.get("type") == "int":
        return core_schema.no_info_before_validator_function(_whole, inner)
    if is_range(schema):
        # A model in a model has a configuration of its own; mere fields have that of the outer one.
        return core_schema.no_info_after_validator_function(
            partial(_made, schema["cls"]), inner["schema"], metadata=schema["metadata"]
        )
    return inner


def _whole(value: Any) -> Any:
    # `1.0` is an integer (JSON Schema, 6.1.1).
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _made(cls: type[Range[Any]], parts: tuple[dict[str, Any], Any, set[str]]) -> Range[Any]:
    values, _, names = parts
    return cls.model_construct(names, **values)


def _written(value: Any) -> bytes:
    try:
        return to_json(value)
    except ValueError as error:
        # A lone surrogate, for one, or more levels than Pydantic writes.
        raise PydanticCustomError("json_invalid", "{error}", {"error": str(error)}) from None
