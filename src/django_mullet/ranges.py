"""What does a range of PostgreSQL look like in Python and in JSON?"""

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

__all__ = ["Bounds", "Range"]

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
