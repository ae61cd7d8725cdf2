"""PostgreSQL's ranges in Python and JSON: `Range[T]`."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

from django.conf import settings
from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from django_mullet.fields.cleaning import DECIMAL_PATTERN

__all__ = ["Bounds", "Range"]

_EXAMPLES: dict[Any, tuple[Any, Any]] = {
    int | None: (1, 5),
    float | None: (0.5, 1.5),
    Decimal | None: ("0.50", "1.50"),
    date | None: ("2026-01-01", "2026-02-01"),
    datetime | None: ("2026-01-31T09:00:00Z", "2026-01-31T17:00:00Z"),
}

NAME = "django_mullet_range"
"""The key of metadata that has what the OpenAPI document calls a range with limits."""

T = TypeVar("T")

Bounds = Literal["[)", "(]", "()", "[]", "empty"]
"""Which bounds belong to the range: a bracket's does, a parenthesis's does not."""


class Range(BaseModel, Generic[T]):
    """All values from `lower` to `upper`: `Range[int]`, `Range[Decimal]`, `Range[date]` and so on.

    In JSON, `{"lower": 1, "upper": 5, "bounds": "[)"}`. A bound that is null is not there.
    """

    model_config = ConfigDict(frozen=True)

    lower: T | None = None
    upper: T | None = None
    bounds: Bounds = "[)"

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return what the OpenAPI document calls it: `IntRange`, `DateRange`."""
        [kind] = params
        name = getattr(kind, "__name__", "")
        return f"{name[:1].upper()}{name[1:]}Range"

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        json_schema = handler(schema)
        resolved = handler.resolve_ref_schema(json_schema)
        resolved["title"] = schema.get("metadata", {}).get(NAME, cls.__name__)
        kind = cls.model_fields["lower"].annotation
        is_decimal = kind == Decimal | None
        if kind in _EXAMPLES:
            lower, upper = _EXAMPLES[kind]
            resolved["examples"] = [{"lower": lower, "upper": upper, "bounds": "[)"}]
        for name in ("lower", "upper"):
            for choice in resolved["properties"][name]["anyOf"]:
                if handler.mode == "validation" and is_decimal and choice["type"] == "string":
                    choice["pattern"] = DECIMAL_PATTERN
                if choice.get("format") == "date-time" and not settings.USE_TZ:
                    choice["format"] = "date-time-local"
        return json_schema
