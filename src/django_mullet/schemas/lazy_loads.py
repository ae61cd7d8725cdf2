"""The refusal of queries that showing many objects would make for each: N+1.

Where many objects are shown, such a query is made for each of them. While `refused` is entered it
is an error, or a warning in the log, as `MULLET["LAZY_LOADS"]` says. Where an endpoint that shows
many reads them one by one, as the page of a package does, it is one from the second object on.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections
from django.db.models.constants import LOOKUP_SEP

from django_mullet import conf
from django_mullet.exceptions import LazyLoad
from django_mullet.fields.info import accessor_of, find_field, is_generic, is_parent_link
from django_mullet.queries.statements import is_of_one, left_out, table_of
from django_mullet.schemas.join_columns import returns_by
from django_mullet.schemas.query_plan import QueryPlan, plan_of

__all__ = [
    "begin_anew",
    "explained",
    "from_above",
    "read_one_by_one",
    "refused",
    "refused_for_others",
]

logger = logging.getLogger("django_mullet.lazy_loads")

read_one_by_one: ContextVar[dict[Any, Any] | None] = ContextVar("mullet_one_by_one", default=None)
"""In an endpoint that shows many objects: by schema the one that has queried when it was read."""

_Execute = Callable[..., Any]


def begin_anew() -> None:
    """Forget what has been read, as the request runs again: the objects are others then."""
    if (read := read_one_by_one.get()) is not None:
        read.clear()


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
    column = _column(error.sql, schema, name)
    relation = _relation(error.sql, schema, name)
    if column is not None:
        cure = _load(column)
    elif relation is not None:
        is_one = (relation.many_to_one or relation.one_to_one) and not is_generic(relation)
        method = "select_related" if is_one else "prefetch_related"
        cure = _call(schema, f'{method}("{accessor_of(relation)}")')
    else:
        cure = (
            f"Load what it reads of '{table_of(error.sql)}' with the objects, by "
            "'select_related()' or 'prefetch_related()'."
        )
    return _told(error.sql, schema, name, cure)


def from_above(error: LazyLoad, shown: Any) -> LazyLoad:
    """Return `error` with what to write where the objects are queried that `shown` shows.

    What has queried may be within them.
    """
    if error.schema is None or error.schema is shown:
        return error
    column = _column(error.sql, error.schema, error.field)
    relation = _relation(error.sql, error.schema, error.field)
    plan = plan_of(shown)
    cure = None
    if column is not None:
        ways = ([*way, *column.split(LOOKUP_SEP)] for way in _ways(plan, error.schema))
        names = next((name for way in ways if (name := _by_joins(plan.model, way))), None)
        cure = None if names is None else _load(names)
    elif relation is not None:
        lookups = dict.fromkeys(_lookups(plan, error.schema, accessor_of(relation)))
        cure = _call(shown, f"prefetch_related({', '.join(lookups)})") if lookups else None
    return error if cure is None else _told(error.sql, error.schema, error.field, cure)


def _told(sql: str, schema: Any, name: str, cure: str) -> LazyLoad:
    field = f"'{schema.__name__}.{name}'"
    message = f"{field} queries the database for each object by itself. {cure}"
    return LazyLoad(message, sql=sql, schema=schema, field=name)


def _load(column: str) -> str:
    return f"Load '{column}' with the objects: add it to 'only()', or take it out of 'defer()'."


def _call(schema: Any, call: str) -> str:
    model = schema.django_model().__name__
    return f"Load what it reads with the objects: '{model}.objects.{call}'."


def _column(sql: str, schema: Any, name: str) -> str | None:
    """Return the column that `sql` has loaded late, if that is what it has done."""
    own: Any = find_field(schema.django_model(), name)
    if own is not None and own.concrete and not (own.many_to_many or schema.is_nested(name)):
        return str(own.attname)
    return left_out(sql, schema.django_model())


def _relation(sql: str, schema: Any, name: str) -> Any:
    """Return the relation of which `sql` has read an object, if there is one."""
    model, table = schema.django_model(), table_of(sql)
    own = find_field(model, name)
    if own is not None and is_generic(own):
        return own
    candidates = sorted(
        model._meta.get_fields() if own is None else [own],
        key=lambda field: bool(field.many_to_one or field.one_to_one) is not is_of_one(sql),
    )
    return next((relation for relation in candidates if _leads_to(relation, table)), None)


def _ways(plan: QueryPlan, schema: Any) -> Iterator[list[str]]:
    """Yield the relations by which `plan` leads to the objects that `schema` shows."""
    for accessor, plans in plan.accessors():
        for below in plans:
            if below.schema is schema:
                yield [accessor]
            yield from ([accessor, *way] for way in _ways(below, schema))


def _by_joins(model: Any, way: list[str]) -> str | None:
    """Return how a queryset of `model` names the column at the end of `way`, if joins lead there.

    Who goes to an object and comes back has the one from which it went: Django sets it.
    """
    gone: list[Any] = []
    for name in way[:-1]:
        relation: Any = find_field(gone[-1].related_model if gone else model, name)
        if gone and returns_by(gone[-1]) == name:
            gone.pop()
        elif relation is None or is_generic(relation):
            return None
        else:
            gone.append(relation)
    if not all(relation.many_to_one or relation.one_to_one for relation in gone):
        return None
    return LOOKUP_SEP.join([*map(accessor_of, gone), way[-1]])


def _lookups(plan: QueryPlan, schema: Any, name: str, before: str = "") -> Iterator[str]:
    """Yield what prefetches the relation `name` of the objects within `plan` that `schema` shows.

    As it is written in code.
    """
    for accessor, plans in plan.accessors():
        way = f"{before}{accessor}"
        if len(plans) == 1:
            if plans[0].schema is schema:
                yield f'"{way}{LOOKUP_SEP}{name}"'
            yield from _lookups(plans[0], schema, name, f"{way}{LOOKUP_SEP}")
        elif querysets := [text for below in plans if (text := _queryset(below, schema, name))]:
            yield f'GenericPrefetch("{way}", [{", ".join(querysets)}])'


def _queryset(plan: QueryPlan, schema: Any, name: str) -> str:
    """Return the querysets for `GenericPrefetch` of one of the models that it leads to."""
    own = [f'"{name}"'] if plan.schema is schema else []
    lookups = ", ".join(dict.fromkeys([*own, *_lookups(plan, schema, name)]))
    # Objects of its children have content types of their own.
    related = plan.model._meta.related_objects
    children = [each.related_model for each in related if is_parent_link(each.field)]
    models = [each.__name__ for each in (plan.model, *children)]
    found = ", ".join(f"{model}.objects.prefetch_related({lookups})" for model in models)
    return found if lookups else ""


def _leads_to(field: Any, table: str) -> bool:
    related = field.related_model
    return related is not None and related != "self" and related._meta.db_table == table
