"""Names of Pydantic beyond public API.

* `__pydantic_fields_complete__` of a model, whether the names in its annotations are
  known: one that names what is defined further down stays as it was where only what holds it is
  used. Missing door: a public reader.
"""

from typing import Any

__all__ = [
    "knows_its_fields",
]


def knows_its_fields(model: Any) -> bool:
    """Return whether Pydantic knows every name in the annotations of `model`, one of its own."""
    return bool(model.__pydantic_fields_complete__)
