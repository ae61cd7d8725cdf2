"""The test whether it is Django's own code that would run, and nobody's override.

Who replaces a method of Django's, in a subclass or in Django itself, has a reason, which what runs
here in its place would not know. What is replaced when an application starts is looked at when
something is compiled. Instruments replace what executes a query with the first request, or later:
that is looked at each time.
"""

import os
from operator import attrgetter
from pathlib import Path
from types import FunctionType
from typing import Any

import django
from django.db.models import Manager, Model, QuerySet
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler, SQLInsertCompiler, SQLUpdateCompiler

__all__ = [
    "compiles_as_usual",
    "inserts_as_usual",
    "is_usual",
    "is_written_in_django",
    "own_answers",
    "reads_as_usual",
    "updates_as_usual",
]

_ROOT = f"{Path(django.__file__).parent}{os.sep}"

ANSWERS = ("count", "exists", "first", "get")
"""Methods that a queryset of one's own may have without being another one."""

_BUILDING = (
    *("__getitem__", "_chain", "_clone", "_fetch_all", "_filter_or_exclude"),
    *("_filter_or_exclude_inplace", "_next_is_sticky", "_prefetch_related_objects", "_values"),
    *("db", "filter", "only", "order_by", "ordered", "query", "select_related", "using"),
    *("values", "values_list"),
)
"""What is done to a queryset that is prepared, or would be done to it if it were not."""

_QUERYING = ("chain", "clone", "exists", "get_aggregation", "get_compiler", "get_count")
"""What such a queryset does to its query."""

_COMPILING = ("as_sql", "compile", "execute_sql", "get_converters", "has_results", "results_iter")

_ATTRIBUTES = vars(QuerySet()).keys()


def is_written_in_django(*methods: Any) -> bool:
    """Return whether `methods` are written in Django, and no wrappers of those that are."""
    return all(map(_is_written_in_django, methods))


def is_usual(queryset: QuerySet[Any]) -> bool:
    """Return whether `queryset` is one of Django's, but for methods that it has besides.

    It may answer in its own way: see `own_answers()`.
    """
    kind: Any = type(queryset)
    iterable: Any = queryset._iterable_class
    return (
        type(queryset.query) is Query
        and vars(queryset).keys() <= _ATTRIBUTES
        and is_written_in_django(iterable.__iter__, *(getattr(kind, name) for name in _BUILDING))
        and is_written_in_django(*(getattr(Query, name) for name in _QUERYING))
    )


def own_answers(kind: type[QuerySet[Any]]) -> dict[str, Any]:
    """Return the methods of a class of querysets that answer in place of Django's, by name."""
    methods = {name: getattr(kind, name) for name in ANSWERS}
    return {name: method for name, method in methods.items() if not is_written_in_django(method)}


def compiles_as_usual(compiler: Any) -> bool:
    """Return whether `compiler` is one of Django's, and of the kind that it makes of itself."""
    kind = type(compiler)
    modules = [base.__module__ for base in kind.__mro__ if base is not object]
    return all(module.startswith("django.") for module in modules) and is_written_in_django(
        *(getattr(kind, name) for name in _COMPILING)
    )


def _is_written_in_django(method: Any) -> bool:
    function = method.fget if isinstance(method, property) else method
    return isinstance(function, FunctionType) and function.__code__.co_filename.startswith(_ROOT)


# Comparisons alone, as each query of a request asks for one.

_inserting, _updating = attrgetter("_insert"), attrgetter("_update")
_inserting_one, _updating_one = attrgetter("_do_insert"), attrgetter("_do_update")
_READ = SQLCompiler.execute_sql
_INSERT = SQLInsertCompiler.execute_sql
_UPDATE = SQLUpdateCompiler.execute_sql
_INSERT_ROWS = _inserting(QuerySet)
_INSERT_BY_MANAGER = _inserting(Manager)
_UPDATE_ROWS = _updating(QuerySet)
_INSERT_ONE, _UPDATE_ONE = _inserting_one(Model), _updating_one(Model)
_IS_READ_BY_DJANGO = is_written_in_django(_READ)
_IS_INSERTED_BY_DJANGO = is_written_in_django(
    _INSERT, _INSERT_ROWS, _INSERT_BY_MANAGER, _INSERT_ONE
)
_IS_UPDATED_BY_DJANGO = is_written_in_django(_READ, _UPDATE, _UPDATE_ROWS, _UPDATE_ONE)


def reads_as_usual() -> bool:
    """Return whether nobody has replaced what executes a query: a cache, an instrument."""
    return _IS_READ_BY_DJANGO and SQLCompiler.execute_sql is _READ


def inserts_as_usual() -> bool:
    """Return whether nobody has replaced what `save()` inserts by."""
    return (
        _IS_INSERTED_BY_DJANGO
        and SQLInsertCompiler.execute_sql is _INSERT
        and _inserting(QuerySet) is _INSERT_ROWS
        and _inserting(Manager) is _INSERT_BY_MANAGER
        and _inserting_one(Model) is _INSERT_ONE
    )


def updates_as_usual() -> bool:
    """Return whether nobody has replaced what `save()` updates by."""
    return (
        _IS_UPDATED_BY_DJANGO
        and SQLUpdateCompiler.execute_sql is _UPDATE
        and SQLCompiler.execute_sql is _READ
        and _updating(QuerySet) is _UPDATE_ROWS
        and _updating_one(Model) is _UPDATE_ONE
    )
