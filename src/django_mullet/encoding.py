"""How do values stand in JSON for which Pydantic has another way, and how does OpenAPI say so?"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from django_mullet.fields import FieldFacts

__all__ = ["described", "with_base64"]


def with_base64(schema: Any) -> Any:
    """Return the core schema of a model's fields in which bytes stand as base64 (RFC 4648, 4).

    A type that says itself how it stands in JSON is left as it is.
    """
    fields = {
        name: {**field, "schema": _with_base64(field["schema"])}
        for name, field in schema["fields"].items()
    }
    return {**schema, "fields": fields}


def _with_base64(schema: Any) -> Any:
    if "serialization" in schema:
        return schema
    if schema["type"] == "bytes":
        return core_schema.no_info_before_validator_function(
            _decoded,
            schema,
            serialization=core_schema.plain_serializer_function_ser_schema(
                _encoded, return_schema=core_schema.str_schema(), when_used="json-unless-none"
            ),
        )
    inner = {
        key: _with_base64(schema[key])
        for key in ("schema", "items_schema", "values_schema")
        if isinstance(schema.get(key), dict)
    }
    return {**schema, **inner} if inner else schema


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise PydanticCustomError(
            "base64_decode", "Input should be base64, of the standard alphabet and padded"
        ) from None


def _encoded(value: bytes) -> str:
    return b64encode(value).decode()


def described(json_schema: dict[str, Any], facts: FieldFacts, *, read_only: bool) -> dict[str, Any]:
    """Return the JSON schema of a field with what its model adds."""
    described: dict[str, Any] = {}
    if facts.description:
        described["description"] = facts.description
    if read_only:
        described["readOnly"] = True
    return described | _of_values(json_schema, facts)


def _of_values(json_schema: dict[str, Any], facts: FieldFacts) -> dict[str, Any]:
    """Return `json_schema` with the format and so on of its values, at the depth of these."""
    if "anyOf" in json_schema:
        choices = [_of_values(choice, facts) for choice in json_schema["anyOf"]]
        return {**json_schema, "anyOf": choices}
    if facts.items is not None and isinstance(json_schema.get("items"), dict):
        return {**json_schema, "items": _of_values(json_schema["items"], facts.items)}
    if not facts.json_schema or "enum" in json_schema:
        return json_schema
    # What is said of texts is not said of whatever else an annotation lets pass, or of any JSON.
    if json_schema.get("type") != ("string" if "not" not in facts.json_schema else None):
        return json_schema
    return {**facts.json_schema, **json_schema, **_corrected(json_schema, facts.json_schema)}


def _corrected(json_schema: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the format if that of Pydantic is another: "binary" is no base64, for instance."""
    is_wrong = json_schema.get("format") in ("binary", "time")
    return {"format": said["format"]} if is_wrong and "format" in said else {}
