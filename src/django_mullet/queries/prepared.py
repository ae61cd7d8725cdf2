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

from collections.abc import Callable, Collection
from functools import partial, update_wrapper
from inspect import Parameter as SignatureParameter
from inspect import signature
from typing import Any, Generic, ParamSpec, TypeVar, cast
from weakref import WeakSet

from django.core.signals import setting_changed
from django.db.models import QuerySet

from django_mullet.callables import dotted_name
from django_mullet.exceptions import NotPreparable
from django_mullet.queries.bound_query import BoundQuery, Build
from django_mullet.queries.compiled import objects
from django_mullet.queries.placeholders import Parameter, explained, holds_iterators, repeatable
from django_mullet.queries.prepared_queryset import queryset_of
from django_mullet.queries.purity import traced
from django_mullet.queries.traced import TracedQuery

__all__ = ["Prepared", "prepared"]

P = ParamSpec("P")
QuerySetT = TypeVar("QuerySetT", bound=QuerySet[Any])

known: "WeakSet[Prepared[..., Any]]" = WeakSet()
"""All there are: when settings change, they are compiled again."""

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
        self._traced: TracedQuery | None = None
        known.add(self)

    def __repr__(self) -> str:
        return dotted_name(self._function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> QuerySetT:
        query = self._traced or self.traced()
        if not query.is_usual:
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
        return queryset_of(BoundQuery(query, values, build))  # type: ignore[return-value]

    def traced(self) -> TracedQuery:
        """Call the function with a `Parameter` for each value.

        Raises `NotPreparable` if it uses one other than in a lookup.
        """
        name = self.__name__  # type: ignore[attr-defined]
        parameters = {each: Parameter(each) for each in self._names}
        with explained(name):
            function = cast("Build", self._function)
            queryset = function(**parameters)
            if not isinstance(queryset, QuerySet):
                raise NotPreparable(f"it returns {queryset!r}, which is no queryset")
            traces = traced(partial(function, **parameters))
            self._traced = TracedQuery(name, queryset, traces)
        return self._traced

    def forget(self) -> None:
        """Trace and compile again: the settings may have changed."""
        self._traced = None


def refusal_of(
    function: Prepared[..., Any], databases: Collection[str] = ()
) -> NotPreparable | None:
    """Return why `function` cannot be prepared, if it cannot.

    What it reads besides its parameters shows in what is compiled, for which Django may ask the
    database: that is done for one of `databases`.
    """
    try:
        query = function.traced()
        alias = query.queryset.db
        if query.is_usual and alias in databases:
            query.compiled(alias, objects)
    except NotPreparable as error:
        return error
    return None


def _names_of(function: Callable[..., Any]) -> list[str]:
    parameters = signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind in (SignatureParameter.VAR_POSITIONAL, SignatureParameter.VAR_KEYWORD):
            raise TypeError(
                f"'{function.__name__}' takes '{parameter}': give a prepared function parameters "
                "with names."
            )
    return [parameter.name for parameter in parameters]


def _forget_all(**kwargs: Any) -> None:
    for each in list(known):
        each.forget()


setting_changed.connect(_forget_all)
