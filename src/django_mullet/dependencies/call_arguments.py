"""The arguments with which a route's callable was called, kept for errors about a body.

The error is answered with the place in the body that it is about, which `body_locations` finds in
them.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError

__all__ = ["OF_BODIES", "note"]

OF_BODIES = (IntegrityError, ValidationError)
"""What may be about a body."""


def note(error: Any, values: dict[str, Any]) -> None:
    """Have `error` tell the arguments of the callable that it comes from: the first that asks."""
    if not hasattr(error, "arguments"):
        error.arguments = values
