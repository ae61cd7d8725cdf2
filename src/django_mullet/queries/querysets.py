"""The queryset that a model, a manager or a queryset stands for."""

from typing import Any

from django.db.models import Manager, Model, QuerySet
from django.db.models.query import RawQuerySet

from django_mullet._compat.orm import is_evaluated

__all__ = ["found_in", "queryset_of", "rows_of"]


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


def rows_of(source: Any) -> list[Any]:
    """Return what there is in `source`, of a queryset what the database has now.

    A queryset keeps what it has found. One that stands in a module, and is returned for each
    request, would show what the first of them has seen: a copy is asked, as Django's own views do.
    """
    if isinstance(source, QuerySet | RawQuerySet) and not is_evaluated(source):
        source = source.all() if isinstance(source, QuerySet) else source.prefetch_related()
    return list(source)
