"""What the caller has made of a queryset, and what a plan may still add to it.

What the caller wrote wins: a relation that is prefetched is not joined, as a join would take the
place of the caller's queryset; columns that are left out stay so, if no relation needs them; and
where there is SQL, no other table joins those whose columns it may name.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain
from typing import Any

from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import RawSQL
from django.db.models.sql.where import ExtraWhere, WhereNode

from django_mullet._compat.orm import prefetched_by, takes_columns, takes_joins
from django_mullet.fields.info import find_field
from django_mullet.queries.instances import is_made_by_django, tells_of_making
from django_mullet.schemas.annotations import annotations_below
from django_mullet.schemas.join_columns import columns_of
from django_mullet.schemas.query_plan import QueryPlan

__all__ = ["planned", "serves_in_rows", "takes_plan"]


def takes_plan(queryset: Any) -> bool:
    """Return whether a plan may add to `queryset`."""
    return takes_joins(queryset) or takes_columns(queryset)


def planned(plan: QueryPlan, queryset: Any) -> Any:
    """Return `queryset`, which takes a plan, with what `plan` needs and the caller left open."""
    theirs = prefetched_by(queryset)
    if not takes_joins(queryset):
        return _with_keys(queryset, [*_relations(plan), *theirs])
    joins, columns = _wanted(plan)
    if joins and _has_sql(queryset.query):
        return queryset
    if not all(map(_is_made_of_its_row, _joined_models(plan))):
        columns = None  # what the code reads that runs for each instance, nobody knows
    if theirs:
        covered = set(_with_parents(theirs))
        joins = [path for path in joins if covered.isdisjoint(_with_parents([path]))]
        columns = None  # what the caller's relations read, only the caller knows
    if joins:
        queryset = queryset.select_related(*joins)
    return queryset if columns is None else queryset.only(*columns)


def serves_in_rows(plan: QueryPlan, query: Any) -> bool:
    """Return whether `query` finds the same where it is asked for the columns of `plan` alone."""
    below = annotations_below(plan)
    return below <= query.annotations.keys() and not (
        _is_grouped(query, plan.annotations | below) or (_joins(plan) and _has_sql(query))
    )


def _is_grouped(query: Any, shown: frozenset[str]) -> bool:
    """Return whether what `query` counts depends on annotations besides those that are `shown`."""
    if query.group_by is None:
        return False
    others = query.annotation_select.keys() - shown
    return any(query.annotation_select[name].get_group_by_cols() for name in others)


def _has_sql(query: Any) -> bool:
    """Return whether the caller has written SQL, which may name a column without its table."""
    return (
        bool(query.extra or query.extra_tables or query.extra_order_by)
        or any(map(_is_condition_of_sql, query.where.children))
        or any(map(_is_sql, query.order_by))
        or any(map(_is_sql, query.annotations.values()))
    )


def _is_condition_of_sql(condition: Any) -> bool:
    if isinstance(condition, WhereNode):
        return any(map(_is_condition_of_sql, condition.children))
    sides = (getattr(condition, "lhs", None), getattr(condition, "rhs", None))
    return isinstance(condition, ExtraWhere) or any(isinstance(side, RawSQL) for side in sides)


def _is_sql(expression: Any) -> bool:
    return not isinstance(expression, str) and any(
        isinstance(part, RawSQL) for part in expression.flatten()
    )


@cache
def _joins(plan: QueryPlan) -> bool:
    return bool(plan.to_one) or any(
        LOOKUP_SEP in lookup for _, lookup in plan.columns if lookup not in plan.annotations
    )


@cache
def _wanted(plan: QueryPlan) -> tuple[list[str], set[str] | None]:
    return list(plan.joined()), plan.loaded()


@cache
def _joined_models(plan: QueryPlan) -> tuple[Any, ...]:
    below = (_joined_models(one.plan) for one in plan.to_one if one.is_joined)
    return (plan.model, *chain.from_iterable(below))


def _is_made_of_its_row(model: Any) -> bool:
    """Return whether no code but Django's runs when an instance of `model` is made."""
    return is_made_by_django(model) and not tells_of_making(model)


@cache
def _relations(plan: QueryPlan) -> list[str]:
    return list(plan.related())


def _with_parents(paths: Iterable[str]) -> Iterator[str]:
    """Yield each of `paths`, of relations, and those on the way."""
    for path in paths:
        names = path.split(LOOKUP_SEP)
        yield from (LOOKUP_SEP.join(names[:length]) for length in range(1, len(names) + 1))


def _with_keys(queryset: Any, relations: list[str]) -> Any:
    """Return `queryset` with the columns by which `relations` are found, which it may leave out."""
    chosen, leaves_out = queryset.query.deferred_loading
    keys = set(_keys(queryset, relations))
    if not leaves_out:
        # Of what is joined, and not named, all columns are loaded already.
        named = {"", *_with_parents(map(_owner, chosen))}
        keys = {pair for pair in keys if _owner(pair[0]) in named}
        return queryset.only(*chosen, *(attname for _, attname in keys))
    still = chosen - {name for pair in keys for name in pair}
    return queryset.defer(None).defer(*still)


def _owner(column: str) -> str:
    """Return the relations by which `column` is reached, none of a column of the model itself."""
    return column.rpartition(LOOKUP_SEP)[0]


def _keys(queryset: Any, relations: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the name of each column by which one of `relations` is found, and its attribute."""
    for path in relations:
        model, joined, before = queryset.model, queryset.query.select_related, ""
        for name in path.split(LOOKUP_SEP):
            relation = find_field(model, name)
            if relation is None:  # an attribute that the caller has named
                break
            for column in columns_of(relation):
                field = model._meta.get_field(column)
                yield before + field.name, before + field.attname
            if not isinstance(joined, dict) or name not in joined:
                break
            model, joined = relation.related_model, joined[name]
            before += name + LOOKUP_SEP
