"""Does reading an object query the database?

Where many objects are shown, such a query is made for each of them. While `refused` is entered it
is an error, or a warning in the log, as `MULLET["LAZY_LOADS"]` says. Where an endpoint that shows
many reads them one by one, as the page of a package does, it is one from the second object on.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections

from django_mullet import conf
from django_mullet.exceptions import LazyLoad
from django_mullet.fields import accessor_of, find_field

__all__ = ["explained", "read_one_by_one", "refused", "refused_for_others"]

logger = logging.getLogger("django_mullet.lazy_loads")

read_one_by_one: ContextVar[dict[Any, Any] | None] = ContextVar("mullet_one_by_one", default=None)
"""In an endpoint that shows many objects: by schema the one that has queried when it was read."""

_Execute = Callable[..., Any]


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Have every query of the block raise `LazyLoad`, or be logged as one of `what`."""

    def refuse(execute: _Execute, sql: str, *args: Any) -> Any:
        _refuse(what, sql)
        return execute(sql, *args)

    with _watching(refuse):
        yield


@contextmanager
def refused_for_others(schema: Any, instance: Any, read: dict[Any, Any]) -> Iterator[None]:
    """Have every query of the block be refused, if another object that `schema` shows made one.

    `read` holds that object, or will.
    """

    def refuse(execute: _Execute, sql: str, *args: Any) -> Any:
        if read.setdefault(schema, instance) is not instance:
            _refuse(schema.__name__, sql)
        return execute(sql, *args)

    with _watching(refuse):
        yield


def _refuse(what: str, sql: str) -> None:
    mode = conf.current().lazy_loads
    if mode == "raise":
        raise LazyLoad(f"Showing '{what}' queries for each object: {sql}", sql=sql)
    if mode == "warn":
        logger.warning("Showing '%s' queries for each object: %s", what, sql)


@contextmanager
def _watching(refuse: Callable[..., Any]) -> Iterator[None]:
    """Have `refuse` see the queries of the block, and nothing else that would watch them."""
    token = read_one_by_one.set(None)
    try:
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(refuse))
            yield
    finally:
        read_one_by_one.reset(token)


def explained(error: LazyLoad, schema: Any, name: str) -> LazyLoad:
    """Return `error` with the field of `schema` that was read, and what to write."""
    field = f"'{schema.__name__}.{name}'"
    return LazyLoad(
        f"{field} queries the database for each object by itself. {_cure(error.sql, schema, name)}",
        sql=error.sql,
    )


def _cure(sql: str, schema: Any, name: str) -> str:
    model = schema.django_model()
    table = _table(sql)
    if table == model._meta.db_table and find_field(model, name) is not None:
        return f"Load '{name}' with the objects: add it to 'only()', or take it out of 'defer()'."
    for relation in model._meta.get_fields():
        if _leads_to(relation, table):
            is_many = relation.many_to_many or relation.one_to_many
            method = "prefetch_related" if is_many else "select_related"
            call = f'{method}("{accessor_of(relation)}")'
            return f"Load what it reads with the objects: '{model.__name__}.objects.{call}'."
    return (
        f"Load what it reads of '{table}' with the objects, by 'select_related()' or "
        "'prefetch_related()'."
    )


def _table(sql: str) -> str:
    found = re.search(r'\bFROM\s+[`"]?([\w.]+)', sql)
    return found[1] if found else "another table"


def _leads_to(field: Any, table: str) -> bool:
    related = field.related_model
    return related is not None and related != "self" and related._meta.db_table == table
