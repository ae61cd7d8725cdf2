"""Placeholders for the values that a query does not have yet.

A function that builds a queryset is traced with a `Parameter` for each of its own. Where the
queryset compares something with one, there is a `BindSlot` in its SQL, which Django's own lookup
fills as soon as there is a value: so a value that changes the SQL of its lookup is no trouble.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db.models import Model
from django.db.models.expressions import Expression, NegatedExpression, Subquery
from django.db.models.lookups import IsNull, Lookup
from django.db.models.sql import Query, UpdateQuery
from django.db.models.sql.where import WhereNode

from django_mullet._compat.python import caller_s_module
from django_mullet.exceptions import NotPreparable
from django_mullet.queries.passthrough import (
    VENDORS,
    class_as_is,
    class_listed,
    is_composed,
    keeps_side,
    range_as_is,
)
from django_mullet.queries.stock_django import is_written_in_django

__all__ = [
    "MARK",
    "BindSlot",
    "Parameter",
    "Unfit",
    "explained",
    "fits",
    "holds_iterators",
    "repeatable",
    "with_slots",
]

MAX_KEPT = 256
"""Of how many lists and right sides the SQL is kept: each length of a list has another."""

MARK = "\0"
"""Marks each slot in the SQL; no database accepts it there."""


class Parameter(Expression):
    """Stands for the value of a parameter in a function that is traced.

    It may be compared by a lookup, as in `filter(user_id=user_id)`, and nothing else.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        """Stay the same: there is nothing to resolve."""
        return self

    def relabeled_clone(self, change_map: Any) -> Any:
        """Stay the same: this names no table."""
        return self

    def as_sql(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise `NotPreparable`: where a lookup waits for a value, it is asked itself."""
        raise NotPreparable(f"'{self._name}' is part of an expression")

    def __getattr__(self, attribute: str) -> NoReturn:
        raise AttributeError(f"'{self._name}' has no '{attribute}' yet")

    def _refuse(self, *args: Any) -> NoReturn:
        raise NotPreparable(f"the value of '{self._name}' is read while the query is built")

    # No `__iter__`, by which Django would take it for several objects; `__getitem__` does for it.
    __len__ = __int__ = __index__ = __float__ = _refuse
    __str__ = __format__ = __getitem__ = __call__ = _refuse
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        return _is_asked_by_django() or self._refuse()

    def __eq__(self, other: object) -> bool:
        return (self is other) if _is_asked_by_django() else self._refuse()


def _is_asked_by_django() -> bool:
    """Return whether the ORM wants to know whether there is an expression, or which one."""
    return caller_s_module(2).startswith("django.")


class Unfit(Exception):
    """A value has no place in a slot: the queryset has to be built with it."""


class BindSlot:
    """A lookup in `query` that waits for its value, and is `MARK` in the SQL until then."""

    def __init__(self, lookup: Any, query: Any) -> None:
        self.name: str = lookup.rhs._name
        self._lookup = lookup
        self._query = query
        self._keeps_side = keeps_side(lookup)
        self._side = ""
        self._is_composed = is_composed(lookup)
        self._composed: dict[str, str] = {}
        """The SQL of the lookup by that of its right side, if it depends on nothing else."""
        self._given_as_is = class_as_is(lookup)
        self._range: tuple[float, float] | None = None
        self._listed_as_is = class_listed(lookup)
        self._of_lists: dict[int, str] = {}
        """The SQL of the lookup by the number of values, if it depends on nothing else."""

    def told(self, compiler: Any) -> Any:
        """Return what is compared with the value, and how; raise `Unfit` if that has to wait."""
        lookup = self._lookup
        try:
            sql, params = compiler.compile(lookup.lhs)
        except NotPreparable as error:  # another parameter is part of it
            raise Unfit from error
        transforms = lookup.bilateral_transforms
        return self.name, type(lookup), sql, list(map(repr, params)), transforms

    def filled(self, value: Any, connection: Any) -> tuple[str, Any]:
        """Return the SQL of the lookup with `value`, and its parameters.

        Raises `Unfit` where `filter()` would make something else of the value than this lookup,
        or an error, and whatever the lookup raises.
        """
        if value.__class__ is self._given_as_is and _AS_IS in self._composed:
            if self._is_in_range(value, connection):
                return self._composed[_AS_IS], (value,)
        elif value.__class__ is list and set(map(type, value)) == {self._listed_as_is}:
            return self._listed(dict.fromkeys(value), connection)
        right, params = self._right_side(value, connection)
        if right in self._composed:
            return self._composed[right], params
        sql, params = self._compiled(value, connection)
        if right and len(self._composed) < MAX_KEPT:
            self._composed[right] = sql
        return sql, params

    def _is_in_range(self, value: Any, connection: Any) -> bool:
        if self._given_as_is is not int:
            return True
        self._range = self._range or range_as_is(self._lookup, connection)
        first, last = self._range
        return bool(first <= value <= last)

    def _listed(self, values: Iterable[Any], connection: Any) -> tuple[str, Any]:
        params = tuple(values)
        sql = self._of_lists.get(len(params))
        if sql is None:
            sql, params = self._compiled(list(params), connection)
            if len(params) <= MAX_KEPT:
                self._of_lists[len(params)] = sql
        return sql, params

    def _compiled(self, value: Any, connection: Any) -> tuple[str, Any]:
        lookup = self._lookup
        instances = value if _is_list(value) else [value]
        related = _related_to(lookup.lhs)
        if any(isinstance(each, Model) and not isinstance(each, related) for each in instances):
            raise Unfit
        if _is_to_be_resolved(value):
            raise Unfit
        filled = type(lookup)(lookup.lhs, value)
        if filled.rhs is None or _has_null(filled.rhs):  # as fields understand some values, too
            raise Unfit
        if self._keeps_side:
            filled.process_lhs = self._process_lhs
        compiler = self._query.get_compiler(connection=connection)
        sql, params = compiler.compile(filled)
        if not sql:  # as a lookup of no keys: there is no condition
            raise FullResultSet
        return sql, params

    def _right_side(self, value: Any, connection: Any) -> tuple[str, Any]:
        """Return the SQL of the right side alone, with its parameters; or none, if it may not do.

        The lookup is made without what its `__init__()` has found out for the parameter already.
        """
        if not self._is_composed or value.__class__ not in _PLAIN:
            return "", ()
        lookup: Any = object.__new__(type(self._lookup))
        lookup.lhs, lookup.bilateral_transforms = self._lookup.lhs, ()
        lookup.rhs = value
        lookup.rhs = lookup.get_prep_lookup()
        if lookup.rhs.__class__ not in _PLAIN:
            return "", ()
        right: tuple[str, Any] = lookup.process_rhs(None, connection)
        return right

    def _process_lhs(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if not self._side:
            self._side, _ = self._lookup.process_lhs(compiler, connection)
        return self._side, []


_PLAIN = frozenset({str, int, float, Decimal, date, datetime, UUID})
"""Classes of values for which the SQL of a lookup is that of its two sides and no other."""

_READ_OFTEN = frozenset({*_PLAIN, bool, list, tuple, type(None)})
"""Common classes of values that are no iterators."""

_AS_IS = "%s"
"""The right side of a lookup that leaves its value to the database."""


def fits(value: Any) -> bool:
    """Return whether a `Parameter` may stand for `value`: if not, it makes another query."""
    if value is None or value.__class__ is str:
        return bool(value)  # an empty string is null on Oracle
    if value.__class__ in _PLAIN:
        return True
    return not (isinstance(value, Iterator) or hasattr(value, "resolve_expression"))


def _is_to_be_resolved(value: Any) -> bool:
    """Return whether Django makes something else of `value`, or of a part of it, for the query."""
    if isinstance(value, list | tuple):
        return any(map(_is_to_be_resolved, value))
    return hasattr(value, "resolve_expression")


def _is_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Iterator)


def _has_null(value: Any) -> bool:
    """Return whether `value` is a list with a null in it, of which Django makes another query."""
    return _is_list(value) and any(each is None for each in value)


def holds_iterators(values: list[Any]) -> bool:
    """Return whether some of `values` could be read once only."""
    return not _READ_OFTEN.issuperset(map(type, values)) and any(
        isinstance(value, Iterator) for value in values
    )


def repeatable(value: Any) -> Any:
    """Return `value`, or the list of what it gives once only: a queryset may be built again."""
    return list(value) if isinstance(value, Iterator) else value


def with_slots(query: Any) -> Any:
    """Return a copy of `query` that can be compiled although it has no values yet.

    Raises `Unfit` if a class that is not Django's would not know what to make of that.
    """
    if type(query) not in (Query, UpdateQuery):
        raise Unfit
    opened = query.clone()
    opened.where = _opened(query.where)
    return opened


@contextmanager
def explained(function: str) -> Iterator[None]:
    """Have whatever is raised say that `function` cannot be prepared, and what to do."""
    try:
        yield
    except (EmptyResultSet, FullResultSet, Unfit):
        raise
    except Exception as error:
        raise NotPreparable(
            f"'{function}' cannot be prepared: {error}. A prepared function may compare its "
            f"parameters by lookups, as in 'filter(user_id=user_id)', and do nothing else with "
            f"them; choose by a value outside of it, or leave '@prepared' out."
        ) from error


def _related_to(column: Any) -> tuple[type[Model], ...]:
    """Return the model whose instances may be compared with `column`, if any may."""
    model = getattr(column.output_field, "related_model", None)
    return () if model is None else (model,)


def _opened(node: Any) -> Any:
    if isinstance(node, WhereNode):
        opened = node.clone()
        opened.children = [_opened(child) for child in node.children]
        return opened
    if isinstance(node, Lookup):
        return _opened_lookup(node)
    if isinstance(node, Subquery):
        subquery: Any = copy(node)
        subquery.query = with_slots(subquery.query)
        return subquery
    if isinstance(node, NegatedExpression):
        negated: Any = copy(node)
        negated.expression = _opened(negated.expression)
        return negated
    return node


def _opened_lookup(lookup: Any) -> Any:
    if not isinstance(lookup.rhs, Parameter):
        opened = copy(lookup)
        opened.lhs = _opened(lookup.lhs)
        if isinstance(lookup.rhs, Query):
            opened.rhs = with_slots(lookup.rhs)
        return opened
    if isinstance(lookup, IsNull):
        raise NotPreparable(f"'isnull={lookup.rhs._name}' is another query for each value")
    if not is_written_in_django(type(lookup).__init__, type(lookup).get_prep_lhs):
        raise Unfit  # it is to be made of a value, and cannot be made of one and another one
    opened = copy(lookup)
    opened.rhs = None  # which nobody reads any more

    def as_sql(compiler: Any, connection: Any) -> tuple[str, list[BindSlot]]:
        return MARK, [BindSlot(lookup, compiler.query)]

    opened.as_sql = as_sql
    for vendor in VENDORS:  # what Django would call in its place for that database
        setattr(opened, f"as_{vendor}", as_sql)
    return opened
