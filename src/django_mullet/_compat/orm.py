"""Names of Django's querysets and SQL compilers beyond public API.

As `_compat`, which has the others.

* Django: `_result_cache`, `_iterable_class` and `_prefetch_related_lookups` of a queryset: whether
  it is evaluated, and what the caller wants to come of its rows; `_fetch_all()`, which caches
  override. Missing doors: public readers.
* Django: `Query.get_compiler` and what a compiler knows when it has compiled: `select`,
  `col_count`, `klass_info`, `annotation_col_map`, `has_extra_select`; `_fetch_mode` and `_query` of
  a queryset. Missing door: a query that is compiled once and run many times.
* Django: `Model._do_insert()` and `Model._do_update()`, by which `save()` writes a row;
  `InsertQuery` with the `returning_fields` of its compiler, and `UpdateQuery` with its
  `add_update_fields()`. Missing door: a hook of `save()` for the statement.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.db.models.query import ModelIterable, RawQuerySet
from django.db.models.sql import InsertQuery, UpdateQuery

__all__ = [
    "InsertsBy",
    "UpdatesBy",
    "fetches_as_usual",
    "gives_instances",
    "insert_compiler",
    "is_as_built",
    "is_evaluated",
    "prefetched_by",
    "select_of",
    "takes_columns",
    "takes_joins",
    "update_query",
]


def is_evaluated(queryset: "QuerySet[Any] | RawQuerySet[Any]") -> bool:
    """Return whether `queryset` has its results already."""
    return queryset._result_cache is not None  # type: ignore[union-attr]


def is_as_built(queryset: QuerySet[Any]) -> bool:
    """Return whether `queryset` gives one plain instance for each row, which other columns serve.

    `only()`, `defer()` and `select_related()` change what is loaded, and not what is there.
    """
    query: Any = queryset.query
    return (
        gives_instances(queryset)
        and not prefetched_by(queryset)
        and not (query.combinator or query.distinct or query.extra or query.select_for_update)
    )


def prefetched_by(queryset: QuerySet[Any]) -> list[str]:
    """Return the attributes of its instances that `queryset` prefetches, `"author__books"`."""
    lookups: Any = queryset._prefetch_related_lookups  # type: ignore[attr-defined]
    return [each if isinstance(each, str) else each.prefetch_to for each in lookups]


def takes_joins(queryset: QuerySet[Any]) -> bool:
    """Return whether `select_related()` and `only()` may be added to what the caller wrote."""
    query: Any = queryset.query
    return (
        gives_instances(queryset)
        and query.deferred_loading == (frozenset(), True)
        and not (query.select_related or query.combinator or query.select_for_update)
    )


def takes_columns(queryset: QuerySet[Any]) -> bool:
    """Return whether the caller has chosen columns of instances, to which others may be added."""
    query: Any = queryset.query
    is_chosen = query.deferred_loading != (frozenset(), True)
    return gives_instances(queryset) and is_chosen and not query.combinator


def fetches_as_usual(queryset: QuerySet[Any]) -> bool:
    """Return whether nobody has chosen how deferred fields are fetched (Django 6.1)."""
    mode = getattr(queryset, "_fetch_mode", None)
    return mode is getattr(models, "FETCH_ONE", None)


def select_of(compiler: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the model whose instances `compiler` selects, and the names of their columns."""
    names = tuple(column.target.attname for column, _, _ in compiler.select)
    return compiler.klass_info["model"], names


def gives_instances(queryset: QuerySet[Any]) -> bool:
    """Return whether Django's own code makes one instance of the model of each row."""
    # The class itself: Polymorphic's, for one, gives instances of other models.
    return queryset._iterable_class is ModelIterable and _is_fetched_by_django(type(queryset))


@cache
def _is_fetched_by_django(kind: Any) -> bool:
    """Return whether nobody else's code has a part in it, as a cache that knows the tables."""
    return all(
        method.__module__.startswith(("django.", "django_mullet."))
        for method in (kind._fetch_all, kind.__iter__)
    )


class InsertsBy:
    """Mixed into a model: `save()` inserts a row by `_inserts_by()`, if that can."""

    _inserts_by: Callable[[Any, Any, Any, Any, Any], list[Any] | None]
    """Inserts an instance: by a manager, in a database, with its fields; says what is returned.

    Returns a list with the row of those fields, or `None` if it is Django that should do it.
    """

    def _do_insert(
        self, manager: Any, using: Any, fields: Any, returning_fields: Any, raw: Any
    ) -> Any:
        do_insert: Any = super()._do_insert  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
        model: Any = models.Model
        rows = None
        if not raw and getattr(do_insert, "__func__", None) is model._do_insert:
            rows = self._inserts_by(self, manager, using, fields, returning_fields)
        if rows is None:
            return do_insert(manager, using, fields, returning_fields, raw)
        return rows


def insert_compiler(
    instance: Any, model: Any, using: Any, fields: Any, returning_fields: Any
) -> Any:
    """Return what compiles the INSERT by which `save()` inserts `instance`, which is prepared."""
    query: Any = InsertQuery(model)
    query.insert_values(fields, [instance], raw=True)  # `pre_save()` has been called
    compiler = query.get_compiler(using=using)
    compiler.returning_fields = returning_fields
    return compiler


class UpdatesBy:
    """Mixed into a model: `save()` updates a row by `_updates_by()`, if that can."""

    _updates_by: Callable[[Any, Any, Any], int | None]
    """Updates one of the rows: that with the key, to the fields with `None` and a value each.

    Returns the number of rows that there were, or `None` if it is Django that should do it.
    """

    def _do_update(
        self, base_qs: Any, using: Any, pk_val: Any, values: Any, *args: Any, **kwargs: Any
    ) -> Any:
        model: Any = self
        do_update: Any = super()._do_update  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
        number, returning = None, args[2:]  # since Django 6.0: fields that are to be returned
        is_own = getattr(do_update, "__func__", None) is models.Model._do_update
        if is_own and not (kwargs or any(returning) or model._meta.select_on_save):
            number = self._updates_by(base_qs, pk_val, values)
        if number is None:
            return do_update(base_qs, using, pk_val, values, *args, **kwargs)
        return [()] * number if returning else number > 0


def update_query(rows: QuerySet[Any], values: Any) -> Any:
    """Return the query by which `save()` updates `rows`."""
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_fields(values)
    return query
