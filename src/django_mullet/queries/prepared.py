"""Queries that are compiled once and run many times: `@prepared`.

By `@prepared`, above a function of its parameters alone. Building and compiling a queryset is most
of what a small query costs. A call gives a real queryset, which runs what was compiled. Whatever
else is asked of it, another `filter()` for instance, is asked of the queryset that the function
builds, in the ordinary way.

What the function reads besides its parameters would be frozen. So it is traced twice, under another
language and time zone and without ContextVars, and refused if that gives another query. In DEBUG
and in tests, and for a share `MULLET["VERIFY_PREPARED"]` of the calls elsewhere, what runs is
compared with what the function builds.
"""

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from functools import cache, partial, update_wrapper
from inspect import Parameter as SignatureParameter
from inspect import signature
from typing import Any, Generic, ParamSpec, TypeVar, cast
from weakref import WeakSet

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.core.signals import setting_changed
from django.db import connections
from django.db.models import QuerySet, prefetch_related_objects

from django_mullet.callables import dotted_name
from django_mullet.exceptions import NotPreparable
from django_mullet.queries.compiled import (
    ANSWERS,
    Asking,
    Bound,
    Limits,
    Shape,
    existence,
    number,
    objects,
)
from django_mullet.queries.fetching import fetch
from django_mullet.queries.placeholders import (
    Parameter,
    Unfit,
    explained,
    fits,
    holds_iterators,
    repeatable,
)
from django_mullet.queries.purity import aside, traced
from django_mullet.queries.stock_django import own_answers, reads_as_usual
from django_mullet.queries.traced import Change, Template
from django_mullet.queries.verification import ADVICE, is_due, require_alike, require_same, sent_by

__all__ = ["Prepared", "PreparedQuerySet", "prepared"]

P = ParamSpec("P")
QuerySetT = TypeVar("QuerySetT", bound=QuerySet[Any])
Build = Callable[..., QuerySet[Any]]

FIRST: Limits = (0, 1)

FIRST_TWO: Limits = (0, 2)
"""What `get()` asks for: a second says that there are several."""

known: "WeakSet[Prepared[..., Any]]" = WeakSet()
"""All there are: other settings have them compiled anew."""

decorated: "WeakSet[Prepared[..., Any]]" = WeakSet()
"""Those that `@prepared` has made, for the system check: the library has some of its own."""


def prepared(function: Callable[P, QuerySetT]) -> "Prepared[P, QuerySetT]":
    """Have the queryset that `function` returns compiled once per database.

    For a function that depends on its parameters alone, and compares them by lookups:
    `filter(user_id=user_id)`. Raises `TypeError` if it takes `*args` or `**kwargs`. The first call
    raises `NotPreparable` where the function does something else with its parameters, or reads
    the clock, the language, the time zone or a ContextVar.
    """
    made = Prepared(function)
    decorated.add(made)
    return made


class Prepared(Generic[P, QuerySetT]):
    """A function whose querysets are compiled once."""

    def __init__(self, function: Callable[P, QuerySetT]) -> None:
        update_wrapper(self, function)
        self._function = function
        self._names = _names_of(function)
        self._signature = signature(function)
        self._template: Template | None = None
        known.add(self)

    def __repr__(self) -> str:
        return dotted_name(self._function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> QuerySetT:
        template = self._template or self.traced()
        if not template.is_usual:
            return self._function(*args, **kwargs)
        if holds_iterators([*args, *kwargs.values()]):
            call: Any = self
            kept = {name: repeatable(value) for name, value in kwargs.items()}
            return call(*map(repeatable, args), **kept)  # type: ignore[no-any-return]
        if kwargs or len(args) != len(self._names):
            given = self._signature.bind(*args, **kwargs)
            given.apply_defaults()
            values = dict(given.arguments)
        else:
            values = dict(zip(self._names, args, strict=True))
        build: Any = partial(self._function, *args, **kwargs)
        return _queryset(template, values, build)  # type: ignore[return-value]

    def traced(self) -> Template:
        """Call the function with a parameter for each value; raise `NotPreparable` if it minds."""
        name = self.__name__  # type: ignore[attr-defined]
        parameters = {each: Parameter(each) for each in self._names}
        with explained(name):
            function = cast("Build", self._function)
            queryset = function(**parameters)
            if not isinstance(queryset, QuerySet):
                raise NotPreparable(f"it returns {queryset!r}, which is no queryset")
            traces = traced(partial(function, **parameters))
            self._template = Template(name, queryset, traces)
        return self._template

    def forget(self) -> None:
        """Trace and compile anew: what the settings say may have changed."""
        self._template = None


class PreparedQuerySet(QuerySet[Any]):
    """Mixed into the class of a queryset: runs what was compiled, and builds what was not.

    What is not overridden here, and so whatever changes the queryset, goes by `query`, which is
    that of the queryset that the function builds.
    """

    template: Template
    values_given: Mapping[str, Any]
    limits: Limits | None = None
    build: Build
    _for_write: bool
    _prefetch_related_lookups: tuple[Any, ...]
    _ordinary: QuerySet[Any] | None = None

    @property
    def shape(self) -> QuerySet[Any]:
        """The same queryset with parameters for values."""
        return self.template.queryset_with_holes

    @property
    def query(self) -> Any:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._built.query

    @property
    def _built(self) -> QuerySet[Any]:
        if self._ordinary is None:
            self._ordinary = self._fresh()
        return self._ordinary

    def _fresh(self) -> QuerySet[Any]:
        return _within(self.build(), self.limits)

    def _clone(self) -> Any:
        built: Any = self._built
        clone = built._clone()
        clone._for_write = self._for_write
        return clone

    def all(self) -> Any:
        return self._like_this(self.template, self.values_given, self.limits, self.build)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return deepcopy(self._built, memo)

    def __reduce__(self) -> Any:
        self._fetch_all()
        built: Any = self._built
        built._result_cache = self._result_cache
        return built.__reduce__()

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._result_cache = self._results()
            super()._fetch_all()  # which prefetches

    def _results(self) -> list[Any]:
        found = self._found(self.template, self.limits, self._fresh)
        return list(self._built) if found is None else found

    def _found(
        self, template: Template, limits: Limits | None, fresh: Callable[[], QuerySet[Any]]
    ) -> list[Any] | None:
        """Return what `template` finds for the values of this queryset, as `fresh()` would.

        `None` if Django has to compile it.
        """
        bound = self._bound(template, objects, limits, fresh)
        if bound is None:
            return None
        shape, *query = bound
        return shape.results(*query)

    def _bound(
        self,
        template: Template,
        asking: Asking,
        limits: Limits | None,
        fresh: Callable[[], QuerySet[Any]],
    ) -> tuple[Shape, Any, Bound] | None:
        """Return what is to run, and on which connection; or `None`: Django has to compile it."""
        if not reads_as_usual():
            return None
        alias, values = self.db, self.values_given
        connection = connections[alias]
        if template.locks and connection.get_autocommit():
            return None  # for which Django raises an error
        if not all(map(fits, values.values())):
            return None
        shape = template.shape(alias, asking)
        if shape is None:
            return None
        try:
            bound = shape.bound(connection, values, limits)
        except (EmptyResultSet, FullResultSet, NotPreparable, Unfit):
            return None
        if is_due():
            _verify(template.name, shape.aside, bound, asking, fresh(), alias)
        return shape, connection, bound

    def exists(self) -> bool:
        if found := self._asked(existence):
            _, connection, bound = found
            return bool(fetch(connection, *bound))
        return super().exists()

    def count(self) -> int:
        if found := self._asked(number):
            _, connection, bound = found
            [[counted]] = fetch(connection, *bound)
            return int(counted)
        return super().count()

    def _asked(self, asking: Asking) -> tuple[Shape, Any, Bound] | None:
        if self._result_cache is not None or self.limits is not None:
            return None
        return self._bound(self.template, asking, None, self._fresh)

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return what `values_list()` gives, which is not kept."""
        key, change = _in_rows(columns)
        template = self.template.changed(key, change)
        found = self._found(template, self.limits, lambda: change(self._fresh()))
        return list(change(self._built)) if found is None else found

    def changed(self, key: Any, change: Change) -> "PreparedQuerySet":
        """Return what `change` makes of this queryset, compiled once for each `key`."""
        build = self.build
        template = self.template.changed(key, change)
        return self._like_this(template, self.values_given, self.limits, lambda: change(build()))

    def filter(self, *args: Any, **lookups: Any) -> Any:
        if args or self.limits is not None:
            return super().filter(*args, **lookups)
        filtered = self.template.filtered(lookups)
        if filtered is None:
            return super().filter(**lookups)
        template, names = filtered
        build = self.build
        values = {**self.values_given, **{names[each]: lookups[each] for each in lookups}}
        return self._like_this(template, values, None, lambda: build().filter(**lookups))

    def _like_this(
        self, template: Template, values: Mapping[str, Any], limits: Limits | None, build: Build
    ) -> "PreparedQuerySet":
        made = _queryset(template, values, build)
        made.limits = limits
        made._for_write = self._for_write
        return made

    def values_list(self, *fields: Any, flat: bool = False, named: bool = False) -> Any:
        is_plain = all(isinstance(field, str) for field in fields)
        if not is_plain:
            return super().values_list(*fields, flat=flat, named=named)
        return self.changed(*_in_rows(fields, flat=flat, named=named))

    def values(self, *fields: Any, **expressions: Any) -> Any:
        is_plain = all(isinstance(field, str) for field in fields) and not expressions
        if not is_plain:
            return super().values(*fields, **expressions)
        return self.changed(("values", fields), lambda queryset: queryset.values(*fields))

    def using(self, alias: str | None) -> Any:
        return self.changed(("using", alias), lambda queryset: queryset.using(alias))

    @property
    def _takes_limits(self) -> bool:
        return self.limits is None and self.template.takes_limits

    def __getitem__(self, key: Any) -> Any:
        if self._result_cache is not None:
            return super().__getitem__(key)
        if isinstance(key, int) and key >= 0:
            found: list[Any] = list(self[key : key + 1])
            return found[0]  # an `IndexError` is Django's answer, too
        limits = _limits_of(key) if isinstance(key, slice) else None
        if limits is None or not self._takes_limits or self.template.locks:
            return super().__getitem__(key)
        return self._like_this(self.template, self.values_given, limits, self.build)

    def first(self) -> Any:
        found = self._few("first", _in_some_order, FIRST)
        return super().first() if found is None else next(iter(found), None)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs and not args and self._takes_limits:
            return self.filter(**kwargs).get()
        found = None if args else self._few("get", _in_any_order, FIRST_TWO)
        if found is not None and len(found) == 1:
            return found[0]
        return super().get(*args, **kwargs)  # which says what is wrong

    def _few(self, key: str, change: Change, limits: Limits) -> list[Any] | None:
        """Return what this queryset finds, changed and within `limits`, if it may have any."""
        if not self._takes_limits:
            return None
        if self.template.locks:  # which stands after the limits
            return list(self.changed((key, limits), lambda each: _within(change(each), limits)))
        template = self.template.changed(key, change)
        found = self._found(template, limits, lambda: _within(change(self.build()), limits))
        if found and self._prefetch_related_lookups:
            prefetch_related_objects(found, *self._prefetch_related_lookups)
        return found


def refusal_of(
    function: Prepared[..., Any], databases: Collection[str] = ()
) -> NotPreparable | None:
    """Return why `function` cannot be prepared, if it cannot.

    What it reads besides its parameters shows in what is compiled, for which Django may ask the
    database: that is done for one of `databases`.
    """
    try:
        template = function.traced()
        alias = template.queryset_with_holes.db
        if template.is_usual and alias in databases:
            template.shape(alias, objects)
    except NotPreparable as error:
        return error
    return None


def shape_of(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return `queryset`, or if it is prepared the same one with parameters for values."""
    return queryset.shape if isinstance(queryset, PreparedQuerySet) else queryset


def _names_of(function: Callable[..., Any]) -> list[str]:
    parameters = signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind in (SignatureParameter.VAR_POSITIONAL, SignatureParameter.VAR_KEYWORD):
            raise TypeError(
                f"'{function.__name__}' takes '{parameter}': give a prepared function parameters "
                "with names."
            )
    return [parameter.name for parameter in parameters]


def _queryset(template: Template, values: Mapping[str, Any], build: Build) -> "PreparedQuerySet":
    """Return the queryset of `template` with `values`, which `build` builds in the ordinary way."""
    made: Any = object.__new__(_prepared_class(type(template.queryset_with_holes)))
    made.__dict__ = template.queryset_with_holes.__dict__.copy()
    made.template = template
    made.values_given = values
    made.build = build
    return made  # type: ignore[no-any-return]


@cache
def _prepared_class(base: type[QuerySet[Any]]) -> Any:
    namespace = {"__module__": base.__module__, **own_answers(base)}
    return type(base.__name__, (PreparedQuerySet, base), namespace)


def _verify(
    name: str, beside: Any, bound: Bound, asking: Asking, fresh: QuerySet[Any], alias: str
) -> None:
    """Raise `PreparedMismatch` if `fresh` would be asked for another thing than by `bound`."""
    answer = partial(ANSWERS[asking], fresh.using(alias))
    require_same(name, bound, sent_by(answer, alias), advice=ADVICE)
    require_alike(name, beside, aside(fresh, alias))


def _limits_of(wanted: slice) -> Limits | None:
    """Return the limits of a slice that every database takes, or `None`."""
    start, stop = wanted.start or 0, wanted.stop
    if wanted.step is not None or not isinstance(start, int) or start < 0:
        return None
    if stop is None:
        return (start, None) if start else None
    return (start, stop) if isinstance(stop, int) and stop > start else None


def _within(queryset: QuerySet[Any], limits: Limits | None) -> QuerySet[Any]:
    return queryset if limits is None else queryset[slice(*limits)]


def _in_rows(columns: tuple[str, ...], **kind: bool) -> tuple[Any, Change]:
    key = "values_list", columns, *kind.items()
    return key, lambda queryset: queryset.values_list(*columns, **kind)


def _in_some_order(queryset: Any) -> Any:
    if queryset.ordered:
        return queryset
    queryset._check_ordering_first_last_queryset_aggregation(method="first")
    return queryset.order_by("pk")


def _in_any_order(queryset: Any) -> Any:
    return queryset if queryset.query.distinct_fields else queryset.order_by()


def _forget_all(**kwargs: Any) -> None:
    for each in list(known):
        each.forget()


setting_changed.connect(_forget_all)
