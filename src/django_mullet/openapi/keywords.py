"""JSON Schema keywords rewritten as the tools that read OpenAPI documents understand them.

What FastAPI writes is right; but for some of it generators look in another place.
"""

from collections import Counter
from typing import Any

__all__ = ["reword"]

_SIDES = {"-Input": "Input", "-Output": "Output"}
"""How Pydantic names the two components of a class that is sent in another form than shown."""


def reword(document: dict[str, Any]) -> None:
    """Say what `document` says in the words of generators, too."""
    _tell_apart(document.get("components", {}).get("schemas", {}))
    _mark_files(document)


def _tell_apart(schemas: dict[str, Any]) -> None:
    """Give components that have the same title two, by which some tools name their classes."""
    used = Counter(schema.get("title") for schema in schemas.values())
    for name, schema in schemas.items():
        for ending, side in _SIDES.items():
            if name.endswith(ending) and used[schema.get("title")] > 1:
                schema["title"] += side


def _mark_files(part: Any) -> None:
    """Have a file of a form be "binary" also: what generators knew before OpenAPI 3.1."""
    if isinstance(part, list):
        for item in part:
            _mark_files(item)
    elif isinstance(part, dict):
        is_file = part.get("contentMediaType") == "application/octet-stream"
        if is_file and part.get("type") == "string" and "contentEncoding" not in part:
            part.setdefault("format", "binary")
        for value in part.values():
            _mark_files(value)
