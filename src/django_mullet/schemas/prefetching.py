"""Related objects prefetched for instances, as a plan shows them.

Relation by relation, for all instances at once, as `prefetch_related()` loads them. What is below
a relation is loaded for all the objects that it leads to: Django, told of the whole way, goes on
from those only that it has just loaded, and instances that share what they lead to have some of it.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, prefetch_related_objects
from django.db.models.constants import LOOKUP_SEP

from django_mullet.fields.info import find_field
from django_mullet.schemas.annotations import hand_down
from django_mullet.schemas.join_columns import columns_of
from django_mullet.schemas.query_plan import QueryPlan

__all__ = ["load_relations"]


def load_relations(plan: QueryPlan, instances: list[Any]) -> None:
    """Load what the plan's schema shows of other objects, for all `instances` at once.

    What is loaded already stays as it is.
    """
    if instances and all(isinstance(instance, plan.model) for instance in instances):
        _load(plan, instances)
        hand_down(plan, instances)


def _load(plan: QueryPlan, instances: list[Any]) -> None:
    columns, paths, relations = _wanted(plan)
    if missing := [name for name in columns if any(name not in vars(one) for one in instances)]:
        _load_columns(missing, instances)
    for first, *further in paths:
        _load_path(instances, first, further)
    for accessor, below, is_generic_key in relations:
        prefetch_related_objects(instances, accessor)
        related = _related(instances, accessor) if below else []
        for inner in below:
            # Of those that a generic key leads to, each has the schema of its model.
            for own in _by_model(inner.model, related) if is_generic_key else [related]:
                if own:
                    _load(inner, own)


def _by_model(model: Any, objects: list[Any]) -> list[list[Any]]:
    """Return those of `objects` that are of `model`, or of a child of it: each model's together.

    A child may have the key of another's parent: Django would give what it finds to one of them.
    """
    found: dict[Any, list[Any]] = {}
    for one in objects:
        if isinstance(one, model):
            found.setdefault(one._meta.concrete_model, []).append(one)
    return list(found.values())


def _load_path(instances: list[Any], first: str, further: list[str]) -> None:
    prefetch_related_objects(instances, first)
    if further and (related := _related(instances, first)):
        _load_path(related, further[0], further[1:])


_Wanted = tuple[list[str], list[list[str]], list[tuple[str, list[QueryPlan], bool]]]


@cache
def _wanted(plan: QueryPlan) -> _Wanted:
    """Return what to load: columns, ways that code takes, and relations with the plans below.

    Of each relation also whether it is a generic key.
    """
    relations = []
    for accessor, plans in plan.accessors():
        relation: Any = find_field(plan.model, accessor)
        below = [inner for inner in plans if inner.has_relations()]
        relations.append((accessor, below, relation.related_model is None))
    paths = [path.split(LOOKUP_SEP) for path in plan.read_paths()]
    names = {first for first, *_ in paths} | {accessor for accessor, *_ in relations}
    found = [find_field(plan.model, name) for name in names]
    columns = [columns_of(relation) for relation in found if relation is not None]
    return sorted(frozenset[str]().union(*columns)), paths, relations


def _load_columns(columns: list[str], instances: list[Any]) -> None:
    """Load `columns` for all of `instances` at once, which Django would load for each of them."""
    first = instances[0]
    manager = type(first)._base_manager.using(first._state.db)
    found = manager.only(*columns).in_bulk([instance.pk for instance in instances])
    for instance in instances:
        if instance.pk in found:  # or it is deleted
            for column in columns:
                vars(instance).setdefault(column, getattr(found[instance.pk], column))


def _related(instances: Iterable[Any], accessor: str) -> list[Any]:
    """Return the objects that `accessor`, which is loaded, leads to: each once."""
    found = {id(one): one for instance in instances for one in _of(instance, accessor)}
    return list(found.values())


def _of(instance: Any, accessor: str) -> Iterator[Any]:
    try:
        related = getattr(instance, accessor)
    except ObjectDoesNotExist:
        return
    if isinstance(related, Model):
        yield related
    elif related is not None:
        yield from related.all()
