"""Querysets loaded by their plan, as rows or as instances.

By rows, if the plan of the schema and what the caller made of the queryset allow it: one query
with the columns of the schema, and one more for each to-many relation. Otherwise by instances, of
which the relations are loaded before the first is read. Both need a number of queries that does
not depend on the number of objects.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, TypeGuard

from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.db.models.signals import post_init

from django_mullet._compat.orm import is_as_built, is_evaluated
from django_mullet.queries.instances import is_listened_to, is_made_by_django
from django_mullet.queries.prepared import Prepared
from django_mullet.queries.prepared_queryset import PreparedQuerySet, traced_queryset_of
from django_mullet.queries.querysets import rows_of
from django_mullet.schemas.caller_querysets import planned, serves_in_rows, takes_plan
from django_mullet.schemas.prefetching import load_relations
from django_mullet.schemas.query_plan import QueryPlan, ToMany

__all__ = ["load_instances", "load_rows"]

Row = tuple[Any, ...]
Values = dict[str, Any]
Batches = list[dict[Any, list[Values]]]
"""For each to-many relation, the input of its owners, by what they are known by."""

Build = Callable[[list[Row], Batches], list[Values]]


def load_rows(plan: QueryPlan, objects: Iterable[Any]) -> list[Values] | None:
    """Return the input of the plan's schema for each of `objects`, or `None`: rows do not serve."""
    if _is_to_be_loaded(objects) and _comes_in_rows(plan, objects):
        return _rows_of(plan).of(objects)
    return None


def load_instances(plan: QueryPlan, objects: Iterable[Any]) -> list[Any]:
    """Return `objects` with the relations that the plan's schema shows or reads."""
    if _is_to_be_loaded(objects) and takes_plan(traced_queryset_of(objects)):
        objects = _planned(plan, objects)
    instances = rows_of(objects)
    load_relations(plan, instances)
    return instances


def _is_to_be_loaded(objects: Any) -> TypeGuard[models.QuerySet[Any]]:
    return isinstance(objects, models.QuerySet) and not is_evaluated(objects)


def _planned(plan: QueryPlan, queryset: Any) -> Any:
    if isinstance(queryset, PreparedQuerySet):
        return queryset.changed(("planned", plan), partial(planned, plan))
    return planned(plan, queryset)


def _comes_in_rows(plan: QueryPlan, queryset: Any) -> bool:
    if isinstance(queryset, PreparedQuerySet):
        has_columns = queryset.bound.traced.asked(("columns", plan), partial(_has_columns, plan))
    else:
        has_columns = _has_columns(plan, queryset)
    return has_columns and _has_no_instance_code(plan)


def _has_columns(plan: QueryPlan, queryset: Any) -> bool:
    """Return whether `queryset` can be asked for what the plan's schema shows, as columns."""
    return (
        _fits_in_rows(plan)
        and issubclass(queryset.model, plan.model)
        and is_as_built(queryset)
        and plan.annotations <= queryset.query.annotations.keys()
        and serves_in_rows(plan, queryset.query)
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
    return is_made_by_django(model) and not is_listened_to(post_init, model)


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
    """Turns the rows of a query into input, and fills in the to-many relations afterwards.

    By a function that is written for the plan, as `dataclasses` write theirs: it runs for each row.
    """

    def __init__(self, plan: QueryPlan, *before: str) -> None:
        self._lookups = list(before)
        self._batches: list[ToMany] = []
        values = self._written(plan, "")
        columns = "".join(f"c{number}, " for number in range(len(self._lookups))) or "_"
        source = f"lambda rows, owners: [{values} for {columns} in rows]"
        self._build: Build = eval(source, {"hold": _hold})  # noqa: S307  # its names are quoted

    def of(self, queryset: Any) -> list[Values]:
        """Return the input for each row of `queryset`."""
        return self._filled(self._rows(queryset), queryset)

    def by_owner(self, queryset: Any) -> dict[Any, list[Values]]:
        """Return the input for each row, by the row's first column."""
        rows = self._rows(queryset)
        built = self._filled(rows, queryset)
        return _grouped((row[0], values) for row, values in zip(rows, built, strict=True))

    def _rows(self, queryset: Any) -> list[Row]:
        if isinstance(queryset, PreparedQuerySet):
            return queryset.rows(*self._lookups)
        return list(queryset.values_list(*self._lookups))

    def _filled(self, rows: list[Row], queryset: Any) -> list[Values]:
        owners: Batches = [{} for _ in self._batches]
        built = self._build(rows, owners)
        for relation, holders in zip(self._batches, owners, strict=True):
            if holders:
                found = _related(relation, list(holders), queryset.db)
                for key, sharing in holders.items():
                    for values in sharing:
                        values[relation.key] = found.get(key, [])
        return built

    def _written(self, plan: QueryPlan, prefix: str) -> str:
        """Return the expression for the input of a row; note which columns the row must have."""
        items = [f"{key!r}: {self._column(prefix + lookup)}" for key, lookup in plan.columns]
        for one in plan.to_one:
            known_by = self._column(prefix + one.known_by)
            values = self._written(one.plan, f"{prefix}{one.name}{LOOKUP_SEP}")
            items.append(f"{one.key!r}: None if {known_by} is None else {values}")
        written = f"{{{', '.join(items)}}}"
        for many in plan.to_many:
            owner, number = self._column(prefix + many.owner), len(self._batches)
            self._batches.append(many)
            written = f"hold(owners[{number}], {owner}, {written})"
        return written

    def _column(self, lookup: str) -> str:
        # Not twice: the first releases of Django 5.2 would give it once.
        if lookup not in self._lookups:
            self._lookups.append(lookup)
        return f"c{self._lookups.index(lookup)}"


def _hold(holders: dict[Any, list[Values]], owner: Any, values: Values) -> Values:
    """Note that `values` lack what belongs to `owner`, and return them."""
    holders.setdefault(owner, []).append(values)
    return values


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
