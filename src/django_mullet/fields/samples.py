"""Sample values of fields for the OpenAPI document.

What a docs page thinks of by itself, from a pattern, is noise, and whoever presses "Execute" stores
it.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.text import slugify

from django_mullet.fields.foreign_code import is_djangos
from django_mullet.fields.info import FieldFacts

__all__ = ["FORMATS", "sample_of", "within"]

FORMATS = {
    "base64": "AAAA",
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "date-time-local": "2026-01-31T12:00:00",
    "duration": "P1D",
    "email": "somebody@example.com",
    "ipv4": "192.0.2.1",
    "ipv4interface": "192.0.2.1/24",
    "ipv4network": "192.0.2.0/24",
    "ipv6": "2001:db8::1",
    "ipv6interface": "2001:db8::1/32",
    "ipv6network": "2001:db8::/32",
    "ipvanyaddress": "192.0.2.1",
    "ipvanyinterface": "192.0.2.1/24",
    "ipvanynetwork": "192.0.2.0/24",
    "name-email": "Somebody <somebody@example.com>",
    "time": "12:00:00Z",
    "time-local": "12:00:00",
    "uri": "https://example.com/",
    "uuid": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "uuid4": "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
    "zoneinfo": "Europe/Berlin",
}
"""A text of each format; the addresses are kept free for examples (RFC 2606, 3849, 5737)."""

_CLASSES: Mapping[str, Any] = {
    "integer": int,
    "number": (int, float),
    "string": str,
}
"""Of which class the values of each type of JSON are, of those that have an example."""

PHONE = "+12025550123"
"""Of the numbers that are kept free for fiction."""


def sample_of(schema: Mapping[str, Any], facts: FieldFacts, name: str) -> Any:
    """Return a value of the field `name`, of which `schema` is what the document says.

    `None` where none is known, or none is needed, as with a list of choices.
    """
    if "anyOf" in schema:
        samples = (sample_of(choice, facts, name) for choice in schema["anyOf"])
        return next((sample for sample in samples if sample is not None), None)
    if "not" in schema:  # JSON that is not null
        return {} if facts.takes_empty else {"key": "value"}
    if "enum" in schema or "const" in schema:
        return None
    kind = schema.get("type")
    if _is_usual_alone(facts) and isinstance(facts.usual, _CLASSES.get(kind or "", ())):
        return facts.usual
    if kind == "array":
        return _list(schema, facts, name)
    if "max_digits" in dict(facts.limits) and kind in {"number", "string"}:
        return _decimal(facts)
    if kind in {"integer", "number"}:
        return within(1, schema.get("minimum"), schema.get("maximum"))
    return _text(schema, facts, name) if kind == "string" else None


def within(value: Any, least: Any, most: Any) -> Any:
    """Return the number next to `value` that is neither below `least` nor above `most`."""
    value = value if least is None else max(value, least)
    return value if most is None else min(value, most)


def _list(schema: Mapping[str, Any], facts: FieldFacts, name: str) -> list[Any] | None:
    inner = sample_of(schema.get("items", {}), facts.items or FieldFacts(), name)
    return None if inner is None else [inner] * max(1, schema.get("minItems", 1))


def _decimal(facts: FieldFacts) -> str:
    limits = dict(facts.limits)
    places = limits.get("decimal_places") or 0
    # One, or what is next to it: of a number below one there are no whole digits.
    value = Decimal(1) if limits["max_digits"] > places else Decimal(1).scaleb(-places)
    return f"{within(value, limits.get('ge'), limits.get('le')):.{places}f}"


def _text(schema: Mapping[str, Any], facts: FieldFacts, name: str) -> str | None:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "format" in schema:
        known = FORMATS.get(schema["format"])
        is_known = known is not None and len(known) <= (most or len(known))
        return known if is_known else None
    named = [text for text in _named(name) if least <= len(text) <= (most or len(text))]
    texts = [*named, *(_of_length(text, least, most) for text in _texts(name))]
    return next((text for text in texts if _fits(text, facts)), texts[len(named)])


def _of_length(text: str, least: int, most: int | None) -> str:
    longer = text * (least // len(text) + 1)
    return longer[: max(least, len(text))][:most]


def _named(name: str) -> Iterator[str]:
    """Yield what a field that is called `name` is likely to hold."""
    words = name.lower().split("_")
    if words[-1] in ("email", "mail"):
        yield FORMATS["email"]
    if "phone" in words[-2:]:
        yield PHONE
    if words[-1] == "url":
        yield FORMATS["uri"]


def _texts(name: str) -> Iterator[str]:
    """Yield what a person might write into the field `name`, and what else is often wanted."""
    words = name.replace("_", " ").strip().capitalize() or "Text"
    yield words
    yield slugify(words) or "text"
    yield "ABC"
    yield PHONE
    yield "123"
    yield FORMATS["email"]
    yield FORMATS["uri"]


def _is_usual_alone(facts: FieldFacts) -> bool:
    """Return whether nobody knows which values are taken beside the usual one."""
    return not all(map(_is_known, facts.validators))


def _is_known(check: Any) -> bool:
    """Return whether a validator is Django's, which does nothing but look at a value."""
    return is_djangos(check) or is_djangos(type(check))


def _fits(text: str, facts: FieldFacts) -> bool:
    """Return whether the pattern and Django's validators of the model let `text` pass.

    Other validators are not asked: they may do anything, as query the database.
    """
    pattern = (facts.json_schema or {}).get("pattern")
    try:
        if pattern is not None:
            RegexValidator(pattern)(text)
        for check in filter(_is_known, facts.validators):
            check(text)
    except ValidationError:
        return False
    return True
