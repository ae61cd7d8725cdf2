"""Annotations of querysets that belong to related objects, handed down to them.

A queryset annotates its own objects alone. So `annotate(author__following=...)` is what the nested
schema of the author shows as `following`: of rows it is a column, and instances are given it here.
"""

from copy import copy
from functools import cache
from typing import Any

from django.db.models.constants import LOOKUP_SEP

from django_mullet.schemas.query_plan import QueryPlan

__all__ = ["annotations_below", "hand_down"]

Below = tuple[tuple[str, ...], str, str]
"""The attributes that lead to a related object, an annotation of it, and what queries call that."""


@cache
def annotations_below(plan: QueryPlan) -> frozenset[str]:
    """Return the annotations that the schemas below to-one relations of `plan` need."""
    return frozenset(full for _, _, full in _below(plan))


def hand_down(plan: QueryPlan, instances: list[Any]) -> None:
    """Give related objects of `instances` what was annotated for them."""
    for path, name, full in _below(plan):
        for instance in instances:
            if full in vars(instance):
                _give(instance, path, name, vars(instance)[full])


@cache
def _below(plan: QueryPlan) -> tuple[Below, ...]:
    found: list[Below] = []
    for one in plan.to_one:
        inner: list[Below] = [((), name, name) for name in sorted(one.plan.annotations)]
        for path, name, full in (*inner, *_below(one.plan)):
            found.append(((one.accessor, *path), name, f"{one.accessor}{LOOKUP_SEP}{full}"))
    return tuple(found)


def _give(instance: Any, path: tuple[str, ...], name: str, value: Any) -> None:
    accessor, *further = path
    related = getattr(instance, accessor, None)
    if related is None:
        return
    if further:
        _give(related, tuple(further), name, value)
        return
    if vars(related).get(name, value) != value:  # several objects share it
        related = copy(related)
        setattr(instance, accessor, related)
    setattr(related, name, value)
