"""Which model does the argument of a command name?"""

from typing import Any

from django.apps import apps
from django.core.management.base import CommandError

__all__ = ["model_of"]


def model_of(label: str) -> Any:
    """Return the model of a label, "shop.Book"; raise `CommandError` if there is none."""
    try:
        return apps.get_model(label)
    except (LookupError, ValueError):
        raise CommandError(f"There is no model '{label}': write it as 'shop.Book'.") from None
