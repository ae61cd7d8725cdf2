"""How do values stand in JSON for which Pydantic has another way, and how does OpenAPI say so?"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from pydantic import ConfigDict
from pydantic_core import PydanticCustomError, core_schema

from django_mullet.fields import FieldFacts

__all__ = ["described", "with_encodings"]

_DURATION_SETTINGS = ("ser_json_temporal", "ser_json_timedelta")


def with_encodings(schema: Any, config: ConfigDict) -> Any:
    """Return the core schema of a model's fields in which values stand as this library has them.

    Bytes as base64 (RFC 4648, 4), decimals without an exponent, durations in days (RFC 3339,
    appendix A). A type that says itself how it stands in JSON is left as it is, and so are
    durations where `config` says it.
    """
    kinds = {"bytes": _as_base64, "decimal": partial(_as_text, _digits)}
    if not any(name in config for name in _DURATION_SETTINGS):
        kinds["timedelta"] = partial(_as_text, _duration)
    fields = {
        name: {**field, "schema": _encoded(field["schema"], kinds)}
        for name, field in schema["fields"].items()
    }
    return {**schema, "fields": fields}


def _encoded(schema: Any, kinds: Mapping[str, Any]) -> Any:
    if "serialization" in schema:
        return schema
    if schema["type"] in kinds:
        return kinds[schema["type"]](schema)
    inner = {
        key: _encoded(schema[key], kinds)
        for key in ("schema", "items_schema", "values_schema")
        if isinstance(schema.get(key), dict)
    }
    return {**schema, **inner} if inner else schema


# Bytes


def _as_base64(schema: Any) -> Any:
    return core_schema.no_info_before_validator_function(
        _decoded,
        schema,
        serialization=core_schema.plain_serializer_function_ser_schema(
            _base64, return_schema=core_schema.str_schema(), when_used="json-unless-none"
        ),
    )


def _decoded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise PydanticCustomError(
            "base64_decode", "Input should be base64, of the standard alphabet and padded"
        ) from None


def _base64(value: bytes) -> str:
    return b64encode(value).decode()


# Decimals and durations


def _as_text(write: Callable[[Any], str], schema: Any) -> Any:
    # Without the type that is returned, OpenAPI still has the format of the schema.
    serialization = core_schema.plain_serializer_function_ser_schema(
        write, when_used="json-unless-none"
    )
    return {**schema, "serialization": serialization}


def _digits(value: Decimal) -> str:
    return format(value, "f")


def _duration(value: timedelta) -> str:
    """Return what RFC 3339 calls a duration; a sign and a fraction are ISO 8601's."""
    sign, span = ("-", -value) if value < timedelta() else ("", value)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{span.microseconds:06}".rstrip("0") if span.microseconds else ""
    time = f"{seconds}{fraction}S" if seconds or fraction else ""
    if minutes or (hours and time):  # no hours are followed by seconds
        time = f"{minutes}M{time}"
    if hours:
        time = f"{hours}H{time}"
    days = f"{span.days}D" if span.days else ""
    if not days and not time:
        time = "0S"
    return f"{sign}P{days}T{time}" if time else f"{sign}P{days}"


# In the OpenAPI document


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
    if "properties" in facts.json_schema:
        return _of_properties(json_schema, facts.json_schema["properties"])
    # What is said of texts is not said of whatever else an annotation lets pass, or of any JSON.
    if json_schema.get("type") != ("string" if "not" not in facts.json_schema else None):
        return json_schema
    return {**facts.json_schema, **json_schema, **_corrected(json_schema, facts.json_schema)}


def _of_properties(json_schema: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of an object, or of a reference to one, with what is `said`."""
    if "$ref" not in json_schema and "properties" not in json_schema:
        return json_schema
    known = json_schema.get("properties", {})
    return {
        **json_schema,
        "properties": {**known, **{name: {**known.get(name, {}), **said[name]} for name in said}},
    }


def _corrected(json_schema: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the format if that of Pydantic is another: "binary" is no base64, for instance."""
    is_wrong = json_schema.get("format") in ("binary", "time")
    return {"format": said["format"]} if is_wrong and "format" in said else {}
