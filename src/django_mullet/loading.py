"""How does a queryset become the input of a schema?

By rows, if the plan of the schema and what the caller made of the queryset allow it: one query
with the columns of the schema, and one more for each to-many relation. Otherwise by instances, of
which the relations are loaded before the first is read. Both need a number of queries that does
not depend on the number of objects.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache, partial
from itertools import repeat
from operator import itemgetter
from typing import Any, TypeGuard

from django.db import models
from django.db.models import prefetch_related_objects
from django.db.models.constants import LOOKUP_SEP
from django.db.models.signals import post_init

from django_mullet._compat import is_as_built, is_evaluated, takes_joins
from django_mullet.planning import QueryPlan, ToMany, ToOne
from django_mullet.prepared import Prepared, PreparedQuerySet, shape_of

__all__ = ["load_instances", "load_relations", "load_rows"]

Row = tuple[Any, ...]
Values = dict[str, Any]
Batches = list[dict[Any, list[Values]]]
"""For each to-many relation, the input of its owners, by what they are known by."""

Build = Callable[[Row, Batches], Values]
Part = Callable[[Row, Batches, Values], None]


def load_rows(plan: QueryPlan, objects: Iterable[Any]) -> list[Values] | None:
    """Return the input of the plan's schema for each of `objects`, or `None`: rows do not serve."""
    if _is_to_be_loaded(objects) and _comes_in_rows(plan, shape_of(objects)):
        return _rows_of(plan).of(objects)
    return None


def load_instances(plan: QueryPlan, objects: Iterable[Any]) -> list[Any]:
    """Return `objects` with the relations that the plan's schema shows or reads."""
    if _is_to_be_loaded(objects) and takes_joins(shape_of(objects)):
        objects = _with_joins(plan, objects)
    instances = list(objects)
    load_relations(plan, instances)
    return instances


def load_relations(plan: QueryPlan, instances: list[Any]) -> None:
    """Load what the plan's schema shows of other objects, for all `instances` at once.

    What is loaded already stays as it is.
    """
    if instances and all(isinstance(instance, plan.model) for instance in instances):
        prefetch_related_objects(instances, *plan.related())


def _is_to_be_loaded(objects: Any) -> TypeGuard[models.QuerySet[Any]]:
    return isinstance(objects, models.QuerySet) and not is_evaluated(objects)


def _with_joins(plan: QueryPlan, queryset: Any) -> Any:
    if isinstance(queryset, PreparedQuerySet):
        return queryset.changed(("joins", plan), partial(_with_joins, plan))
    if joined := list(plan.joined()):
        queryset = queryset.select_related(*joined)
    loaded = plan.loaded()
    return queryset if loaded is None else queryset.only(*loaded)


def _comes_in_rows(plan: QueryPlan, queryset: Any) -> bool:
    return (
        _fits_in_rows(plan)
        and issubclass(queryset.model, plan.model)
        and is_as_built(queryset)
        and plan.annotations <= queryset.query.annotations.keys()
        and _has_no_instance_code(plan)
    )


def _has_no_instance_code(plan: QueryPlan) -> bool:
    """Return whether instances would hold just what their rows do."""
    shown, batched = _models_of(plan)
    return all(map(_is_plain, shown)) and all(map(_is_usual, batched))


@cache
def _fits_in_rows(plan: QueryPlan) -> bool:
    return plan.fits_in_rows()


@cache
def _models_of(plan: QueryPlan) -> tuple[list[type[models.Model]], list[type[models.Model]]]:
    """Return the models whose columns are shown, and those that have queries of their own."""
    return list(plan.shown_models()), list(plan.batched_models())


def _is_plain(model: Any) -> bool:
    return (
        model.from_db.__func__ is models.Model.from_db.__func__  # type: ignore[attr-defined]
        and model.__init__ is models.Model.__init__
        and not post_init.has_listeners(model)
    )


def _is_usual(model: type[models.Model]) -> bool:
    # A manager of one's own may give another queryset each time.
    return _is_always_usual(model) or is_as_built(model._default_manager.get_queryset())


@cache
def _is_always_usual(model: type[models.Model]) -> bool:
    return _has_plain_manager(model) and is_as_built(model._default_manager.get_queryset())


def _has_plain_manager(model: type[models.Model]) -> bool:
    return type(model._default_manager).get_queryset is models.Manager.get_queryset


@cache
def _rows_of(plan: QueryPlan, *before: str) -> "_Rows":
    return _Rows(plan, *before)


class _Rows:
    """Turns the rows of a query into input, and fills in the to-many relations afterwards."""

    def __init__(self, plan: QueryPlan, *before: str) -> None:
        self._lookups = list(before)
        self._batches: list[ToMany] = []
        self._build = self._compile(plan, "")
        self._is_flat = not (plan.to_one or plan.to_many)
        self._keys = [key for key, _ in plan.columns]
        self._columns = [lookup for _, lookup in plan.columns]

    def of(self, queryset: Any) -> list[Values]:
        """Return the input for each row of `queryset`."""
        rows, owners = self._rows(queryset)
        return self._filled(rows, owners, queryset.db)

    def by_owner(self, queryset: Any) -> dict[Any, list[Values]]:
        """Return the input for each row, by the row's first column."""
        rows, owners = self._rows(queryset)
        built = self._filled(rows, owners, queryset.db)
        return _grouped((row[0], values) for row, values in zip(rows, built, strict=True))

    def _rows(self, queryset: Any) -> tuple[list[Row], Batches]:
        if isinstance(queryset, PreparedQuerySet):
            rows = queryset.rows(*self._lookups)
        else:
            rows = list(queryset.values_list(*self._lookups))
        return rows, [{} for _ in self._batches]

    def _filled(self, rows: list[Row], owners: Batches, using: str) -> list[Values]:
        if self._is_flat and self._lookups == self._columns:
            return list(map(dict, map(zip, repeat(self._keys), rows)))
        built = [self._build(row, owners) for row in rows]
        for relation, holders in zip(self._batches, owners, strict=True):
            if holders:
                found = _related(relation, list(holders), using)
                for key, sharing in holders.items():
                    for values in sharing:
                        values[relation.key] = found.get(key, [])
        return built

    def _compile(self, plan: QueryPlan, prefix: str) -> Build:
        """Return what makes input of a row; note which columns the row must have."""
        values_of = _picker([self._position(prefix + lookup) for _, lookup in plan.columns])
        keys = [key for key, _ in plan.columns]
        parts = [self._compile_to_one(relation, prefix) for relation in plan.to_one]
        parts += [self._compile_to_many(relation, prefix) for relation in plan.to_many]
        if not parts:
            return lambda row, owners: dict(zip(keys, values_of(row), strict=True))

        def build(row: Row, owners: Batches) -> Values:
            values = dict(zip(keys, values_of(row), strict=True))
            for part in parts:
                part(row, owners, values)
            return values

        return build

    def _compile_to_one(self, relation: ToOne, prefix: str) -> Part:
        known_by = self._position(prefix + relation.known_by)
        key = relation.key
        build = self._compile(relation.plan, f"{prefix}{relation.name}{LOOKUP_SEP}")

        def add(row: Row, owners: Batches, values: Values) -> None:
            values[key] = None if row[known_by] is None else build(row, owners)

        return add

    def _compile_to_many(self, relation: ToMany, prefix: str) -> Part:
        owner, number = self._position(prefix + relation.owner), len(self._batches)
        self._batches.append(relation)

        def add(row: Row, owners: Batches, values: Values) -> None:
            owners[number].setdefault(row[owner], []).append(values)

        return add

    def _position(self, lookup: str) -> int:
        # Not twice: the first releases of Django 5.2 would give it once.
        if lookup not in self._lookups:
            self._lookups.append(lookup)
        return self._lookups.index(lookup)


def _picker(positions: list[int]) -> Callable[[Row], Row]:
    """Return what gives the values of a row at `positions`."""
    start = positions[0] if positions else 0
    stop = start + len(positions)
    if positions == list(range(start, stop)):
        return itemgetter(slice(start, stop))
    return itemgetter(*positions)


def _related(relation: ToMany, keys: list[Any], using: str) -> dict[Any, list[Any]]:
    """Return the input for the related objects of each of `keys`."""
    queryset = _related_query(relation)(keys).using(using)
    if relation.plan is None:
        return _grouped(queryset.values_list(relation.back, "pk"))
    return _rows_of(relation.plan, relation.back).by_owner(queryset)


@cache
def _related_query(relation: ToMany) -> Callable[[list[Any]], models.QuerySet[Any]]:
    """Return what makes the query for the related objects of several owners."""
    manager: Any = relation.model._default_manager

    def related(keys: list[Any]) -> models.QuerySet[Any]:
        found: models.QuerySet[Any] = manager.filter(**{f"{relation.back}{LOOKUP_SEP}in": keys})
        return found

    # A manager of one's own may read more than the keys.
    return Prepared(related) if _has_plain_manager(relation.model) else related


def _grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return groups
