"""Whether the value of a field may be missing, so that its schema shows `None`."""

from typing import Any

from django.db import models
from django.db.models import F, Value, When
from django.db.models.constants import LOOKUP_SEP
from django.db.models.functions import Coalesce, ConcatPair, NullIf

__all__ = ["may_show_none"]


def may_show_none(field: Any) -> bool:
    """Return whether a schema may have `None` in place of a value of `field`, one of a model."""
    generated: Any = field
    if isinstance(field, models.GeneratedField):
        return bool(generated.null or _may_be_null(generated.expression, generated.model))
    # Of a file that is not there, there is no URL.
    return bool(field.null or (isinstance(field, models.FileField) and field.blank))


def _may_be_null(expression: Any, model: Any) -> bool:
    """Return whether a column that may be null, or another reason, makes `expression` null."""
    if isinstance(expression, F):
        name = expression.name  # type: ignore[attr-defined]
        if LOOKUP_SEP in name:  # a key of a JSON document, which need not be there
            return True
        return bool(model._meta.pk.null if name == "pk" else model._meta.get_field(name).null)
    if isinstance(expression, Value):
        return expression.value is None
    if isinstance(expression, NullIf):
        return True
    if isinstance(expression, ConcatPair):  # which makes empty texts of nulls
        return False
    if isinstance(expression, When):
        return _may_be_null(expression.result, model)
    parts = [
        _may_be_null(part, model) for part in getattr(expression, "get_source_expressions", list)()
    ]
    return all(parts) if isinstance(expression, Coalesce) else any(parts)
