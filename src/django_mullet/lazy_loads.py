"""Does reading an object query the database?

Where many objects are shown, such a query is made for each of them. While `refused` is entered it
is an error, or a warning in the log, as `MULLET["LAZY_LOADS"]` says.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db import connections

from django_mullet import conf
from django_mullet.exceptions import LazyLoad
from django_mullet.fields import accessor_of, find_field

__all__ = ["explained", "refused"]

logger = logging.getLogger("django_mullet.lazy_loads")


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Have every query of the block raise `LazyLoad`, or be logged as one of `what`."""
    mode = conf.current().lazy_loads
    if mode == "allow":
        yield
        return

    def refuse(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if mode == "raise":
            raise LazyLoad(f"Showing '{what}' queries for each object: {sql}", sql=sql)
        logger.warning("Showing '%s' queries for each object: %s", what, sql)
        return execute(sql, *args)

    with ExitStack() as stack:
        for connection in connections.all():
            stack.enter_context(connection.execute_wrapper(refuse))
        yield


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
