"""JSON encodings of values that Pydantic encodes in another way, such as bytes and durations."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from pydantic import ConfigDict
from pydantic_core import PydanticCustomError, core_schema

__all__ = ["with_encodings"]

_DURATION_SETTINGS = ("ser_json_temporal", "ser_json_timedelta")


def with_encodings(schema: Any, config: ConfigDict, places: Callable[[str], int | None]) -> Any:
    """Return the core schema of a model's fields in which values stand as this library has them.

    Bytes as base64 (RFC 4648, 4), decimals without an exponent and filled up to the `places` of the
    field of that name, if it has any, durations in days (RFC 3339, appendix A). A type that says
    itself how it stands in JSON is left as it is, and so are durations where `config` says it.
    """
    kinds: dict[str, Callable[[Any], Any]] = {"bytes": _as_base64}
    if not any(name in config for name in _DURATION_SETTINGS):
        kinds["timedelta"] = partial(_as_text, _duration)
    fields = {
        name: {
            **field,
            "schema": _encoded(field["schema"], {**kinds, **_of_decimals(places(name))}),
        }
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


def _of_decimals(places: int | None) -> dict[str, Callable[[Any], Any]]:
    return {"decimal": partial(_as_text, partial(_filled, places) if places else _digits)}


def _digits(value: Decimal) -> str:
    return format(value, "f")


def _filled(places: int, value: Decimal) -> str:
    """Return the digits of a number that code may have set to fewer places than its column has."""
    digits = format(value, "f")
    if digits[-places - 1 : -places] == "." or not value.is_finite():
        return digits
    _, _, fraction = digits.partition(".")
    return digits if len(fraction) > places else format(value, f".{places}f")


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
