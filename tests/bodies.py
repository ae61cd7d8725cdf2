"""What does an endpoint get of a body that a client has sent?"""

from typing import Any

from pydantic import TypeAdapter

__all__ = ["body"]


def body(variant: Any, **values: Any) -> Any:
    """Return `values` as a body, of `Create[BookSchema]` for instance."""
    return TypeAdapter(variant).validate_python(values)
