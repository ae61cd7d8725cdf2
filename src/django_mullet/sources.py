"""Which queryset do a model, a manager or a queryset stand for?"""

from typing import Any

from django.db.models import Manager, Model, QuerySet

__all__ = ["found_in", "queryset_of"]


def queryset_of(source: Any) -> Any:
    """Return the objects of a model, or of a manager; anything else as it is."""
    if isinstance(source, QuerySet):
        return source
    if isinstance(source, type) and issubclass(source, Model):
        return source._default_manager.all()
    return source.all() if isinstance(source, Manager) else source


def found_in(source: Any, *conditions: Any, **lookup: Any) -> Any:
    """Return the objects of `source` which are found as `get_object_or_404()` would; two at most.

    Raises `ValueError` if it is no model, manager or queryset.
    """
    queryset = queryset_of(source)
    if not isinstance(queryset, QuerySet):
        kind = source.__name__ if isinstance(source, type) else type(source).__name__
        raise ValueError(  # as Django does
            "The first argument of 'get_or_404()' must be a model, a manager or a queryset, as "
            f"'Book', 'Book.objects' or 'Book.objects.filter(...)', not '{kind}'."
        )
    return (queryset.filter(*conditions, **lookup) if conditions or lookup else queryset)[:2]
