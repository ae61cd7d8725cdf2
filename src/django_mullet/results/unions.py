"""Objects that a union of schemas may show: what is loaded for them.

All that any of them shows: which it is Pydantic chooses, by reading the object with each.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.query import RawQuerySet

from django_mullet.queries.querysets import queryset_of, rows_of
from django_mullet.schemas.nesting import schemas_within
from django_mullet.schemas.prefetching import load_relations
from django_mullet.schemas.query_plan import plan_of

__all__ = ["Alternatives", "evaluated"]


def evaluated(value: Any) -> Any:
    """Return a queryset as a list, which Pydantic reads: its own query is one for all objects."""
    items = queryset_of(value)
    return rows_of(items) if isinstance(items, QuerySet | RawQuerySet) else value


class Alternatives:
    """Presents a value, or a list of them, that an annotation shows in several ways."""

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation

    def __call__(self, value: Any) -> Any:
        value = _evaluated_within(value)
        instances = [*_instances_in(value)]
        for schema in self._schemas if instances else ():
            model = schema.django_model()
            load_relations(plan_of(schema), [one for one in instances if isinstance(one, model)])
        return value

    @cached_property
    def _schemas(self) -> list[Any]:
        return list(dict.fromkeys(schemas_within(self._annotation)))


def _evaluated_within(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _evaluated_within(item) for key, item in value.items()}
    return [*map(_evaluated_within, value)] if isinstance(value, list) else evaluated(value)


def _instances_in(value: Any) -> Iterator[Model]:
    if isinstance(value, Model):
        yield value
    elif isinstance(value, list | tuple | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _instances_in(item)
