"""The JSON Schema of a field in the OpenAPI document.

Of answers what a row may hold, of bodies what is taken.
A validator looks at what is written, and at no row that is older, or that code has saved. So of
what is read the document promises the type and how it is spelled: clients that validate answers
refuse none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from pydantic.json_schema import JsonSchemaMode

from django_mullet.fields.info import FieldFacts
from django_mullet.fields.samples import sample_of
from django_mullet.schemas.input_keys import input_key

__all__ = ["key_of", "shown", "taken"]

Schema = dict[str, Any]

_LIMITS = {
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "multipleOf",
    "not",
    "pattern",
    "properties",
    "required",
}
"""Keywords for what a value keeps to, in place of how it is spelled."""

_ASIDE = ("title", "description", "default", "examples", "deprecated")
"""Keywords that say nothing of what a value may be."""

_CHECKED = {
    "email",
    "file-path",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "ipvanyaddress",
    "iri",
    "iri-reference",
    "regex",
    "uri",
    "uri-reference",
    "uri-template",
}
"""Formats of texts that a validator has looked at, or has not."""


def key_of(schema: Any, name: str, properties: Schema, mode: JsonSchemaMode) -> str | None:
    """Return by which of the keys of `properties` the document has the field `name`, if any."""
    alias = schema.model_fields[name].serialization_alias
    key = alias if alias and mode == "serialization" else input_key(schema, name)
    return next((each for each in (key, name) if each in properties), None)


def shown(json_schema: Schema, facts: FieldFacts) -> Schema:
    """Return the JSON schema of a field of an answer with what its model adds."""
    return _described(facts) | _deep(json_schema, facts, _shown)


def taken(json_schema: Schema, facts: FieldFacts, name: str) -> Schema:
    """Return the JSON schema of a field of a body with what its model adds, and an example."""
    described = _described(facts) | _deep(json_schema, facts, _taken)
    described.pop("writeOnly", None)  # nobody reads a body
    if not described.keys() & {"default", "example", "examples"}:
        sample = _registered(facts) or sample_of(described, facts, name)
        if sample is not None:
            described["examples"] = [sample]
    return described


def _registered(facts: FieldFacts) -> Any:
    """Return the example that was registered for the values of a field, if any."""
    return next(iter((facts.json_schema or {}).get("examples", ())), None)


def _described(facts: FieldFacts) -> Schema:
    return {"description": facts.description} if facts.description else {}


def _deep(
    json_schema: Schema, facts: FieldFacts, of_value: Callable[[Schema, FieldFacts], Schema]
) -> Schema:
    """Return `json_schema` with the facts about its values, at their depth."""
    if "anyOf" in json_schema:
        choices = [_deep(choice, facts, of_value) for choice in json_schema["anyOf"]]
        return {**json_schema, "anyOf": [one for each in choices for one in _choices(each)]}
    if facts.items is not None and isinstance(json_schema.get("items"), dict):
        return {**json_schema, "items": _deep(json_schema["items"], facts.items, of_value)}
    return of_value(_spelled(json_schema, facts.json_schema or {}), facts)


def _choices(json_schema: Schema) -> list[Schema]:
    """Return the choices that `json_schema` is, or itself."""
    choices: list[Schema] = json_schema["anyOf"] if [*json_schema] == ["anyOf"] else [json_schema]
    return choices


def _spelled(json_schema: Schema, said: Mapping[str, Any]) -> Schema:
    """Return `json_schema` with how values are spelled, where Pydantic has other words for it."""
    found = json_schema.get("format")
    if "contentEncoding" in said:
        # Of base64 nothing more is known: tools would take it for the bytes themselves.
        json_schema = {k: v for k, v in json_schema.items() if k != "contentMediaType"}
    if found in ("binary", "time") and "format" in said:
        return {**json_schema, "format": said["format"]}
    if found == "date-time" and not settings.USE_TZ:
        # RFC 3339 has an offset in its "date-time"; as "time-local", of OpenAPI's registry.
        return {**json_schema, "format": "date-time-local"}
    return json_schema


def _shown(json_schema: Schema, facts: FieldFacts) -> Schema:
    if not _is_of(json_schema, facts):
        return json_schema
    said = facts.json_schema or {}
    spelled = {key: value for key, value in said.items() if key not in _LIMITS}
    if spelled.get("format") in _CHECKED:
        del spelled["format"]
    return {**spelled, **json_schema}


def _taken(json_schema: Schema, facts: FieldFacts) -> Schema:
    said = facts.json_schema or {}
    if not _is_of(json_schema, facts):
        return json_schema
    if "$ref" in json_schema:  # to what is any JSON: tools look at nothing beside it
        json_schema = {key: value for key, value in json_schema.items() if key != "$ref"}
    whole = {**said, **json_schema}
    if not facts.blank or _takes_empty(whole):
        return whole
    aside = {key: whole.pop(key) for key in _ASIDE if key in whole}
    return {"anyOf": [whole, {"type": "string", "maxLength": 0}], **aside}


def _takes_empty(json_schema: Schema) -> bool:
    is_limited = "format" in json_schema or json_schema.get("minLength", 0) > 0
    return not is_limited and re.search(json_schema.get("pattern", ""), "") is not None


def _is_of(json_schema: Schema, facts: FieldFacts) -> bool:
    """Return whether what the model says is said of `json_schema`.

    What is said of texts is not said of whatever else an annotation lets pass, or of any JSON.
    """
    if not facts.json_schema or "enum" in json_schema:
        return False
    return bool(json_schema.get("type") == ("string" if "not" not in facts.json_schema else None))
