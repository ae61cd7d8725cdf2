"""Names of Django's querysets and SQL compilers beyond public API."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.db.models.query import ModelIterable, RawQuerySet
from django.db.models.sql import InsertQuery, UpdateQuery

from django_mullet._compat.names import Name, require

__all__ = [
    "RELIED_ON",
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

_COMPILED_ONCE = "a query that is compiled once and run many times"

RELIED_ON = (
    *(
        Name(
            f"django.db.models.query.QuerySet.{attribute}",
            "It says whether a queryset is evaluated, and what its caller wants of its rows.",
            "a public reader",
            used_in="django.db.models.query.QuerySet.__init__",
        )
        for attribute in (
            "_db",
            "_fields",
            "_for_write",
            "_iterable_class",
            "_prefetch_related_lookups",
            "_query",
            "_result_cache",
        )
    ),
    Name(
        "django.db.models.query.QuerySet._fetch_mode",
        "It says how deferred fields are fetched, since Django 6.1.",
        "a public reader",
        used_in="django.db.models.query.QuerySet.__init__",
        since=True,
    ),
    *(
        Name(
            f"django.db.models.query.{path}",
            "A prepared query has other results than an ordinary one where one of them is "
            "overridden: then Django runs it.",
            _COMPILED_ONCE,
        )
        for path in (
            "ModelIterable.__iter__",
            "QuerySet._chain",
            "QuerySet._check_ordering_first_last_queryset_aggregation",
            "QuerySet._clone",
            "QuerySet._fetch_all",
            "QuerySet._filter_or_exclude",
            "QuerySet._filter_or_exclude_inplace",
            "QuerySet._insert",
            "QuerySet._next_is_sticky",
            "QuerySet._prefetch_related_objects",
            "QuerySet._update",
            "QuerySet._values",
            "ValuesListIterable.__iter__",
        )
    ),
    *(
        Name(
            f"django.db.models.sql.{path}",
            "A query is compiled once, and run with other values.",
            _COMPILED_ONCE,
        )
        for path in (
            "compiler.SQLCompiler.as_sql",
            "compiler.SQLCompiler.compile",
            "compiler.SQLCompiler.execute_sql",
            "compiler.SQLCompiler.get_converters",
            "compiler.SQLCompiler.has_composite_fields",
            "compiler.SQLCompiler.has_results",
            "compiler.SQLCompiler.results_iter",
            "compiler.SQLCompiler.setup_query",
            "query.Query.chain",
            "query.Query.clone",
            "query.Query.exists",
            "query.Query.get_aggregation",
            "query.Query.get_compiler",
            "query.Query.get_count",
        )
    ),
    *(
        Name(
            f"django.db.models.sql.compiler.SQLCompiler.{attribute}",
            "It says which columns a compiled query has, and what becomes of them.",
            _COMPILED_ONCE,
            used_in=f"django.db.models.sql.compiler.SQLCompiler.{method}",
        )
        for attribute, method in (
            ("annotation_col_map", "__init__"),
            ("col_count", "setup_query"),
            ("has_extra_select", "pre_sql_setup"),
            ("klass_info", "__init__"),
            ("select", "__init__"),
        )
    ),
    *(
        Name(
            f"django.db.models.{path}",
            "A row is written by a statement that is compiled once.",
            "a hook of `save()` for the statement",
        )
        for path in (
            "base.Model._do_insert",
            "base.Model._do_update",
            "sql.compiler.SQLInsertCompiler.returning_fields",
            "sql.subqueries.InsertQuery.insert_values",
            "sql.subqueries.UpdateQuery.add_update_fields",
        )
    ),
)

require(RELIED_ON)


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
