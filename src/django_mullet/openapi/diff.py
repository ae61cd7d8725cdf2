"""Differences between two JSON documents."""

import json
from collections.abc import Iterator
from typing import Any

__all__ = ["changes"]

MAX_VALUE_LENGTH = 60  # characters of a value


def changes(old: Any, new: Any, place: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield a line for each difference: `+` what is new, `-` what is gone, `~` what is another.

    The order of keys is no difference, and neither is white space.
    """
    old_parts, new_parts = _parts(old), _parts(new)
    if old_parts is None or new_parts is None or isinstance(old, dict) is not isinstance(new, dict):
        if old != new:
            yield f"~ {' > '.join(place)}: {_short(old)} is {_short(new)} now"
        return
    for key in dict.fromkeys([*old_parts, *new_parts]):
        here = (*place, key)
        if key not in new_parts:
            yield f"- {' > '.join(here)}"
        elif key not in old_parts:
            yield f"+ {' > '.join(here)}"
        else:
            yield from changes(old_parts[key], new_parts[key], here)


def _parts(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict):
        return value
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return {_label(item, index): item for index, item in enumerate(value)}
    return None


def _label(item: Any, index: int) -> str:
    """Return what identifies an item of a list: a parameter's name."""
    name = item.get("name") if isinstance(item, dict) else None
    return f"'{name}'" if isinstance(name, str) else str(index)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 1]}…"
