"""The limits of a column, applied to the bounds of a range.

They are a part of the range, and not said beside a reference to it, where tools do not look.
"""

from collections.abc import Callable
from typing import Any

from django_mullet.fields.ranges import NAME, Range

__all__ = ["is_range", "limited"]


def is_range(schema: Any) -> bool:
    """Return whether a core schema is that of a `Range`."""
    cls = schema.get("cls")
    return isinstance(cls, type) and issubclass(cls, Range)


def limited(schema: Any, name: str, limit: Callable[[Any], Any]) -> Any:
    """Return the core schema of a `Range`, with limits to its bounds, as a component `name`."""
    fields = dict(schema["schema"]["fields"])
    for bound in ("lower", "upper"):
        fields[bound] = {**fields[bound], "schema": limit(fields[bound]["schema"])}
    cls = schema["cls"]
    return {
        **schema,
        "ref": f"{cls.__module__}.{name}:{id(cls)}",
        "metadata": {**schema["metadata"], NAME: name},
        "schema": {**schema["schema"], "fields": fields},
    }
