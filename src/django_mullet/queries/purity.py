"""The test whether a function builds the same queryset in all surroundings.

It is traced under another language, in another time zone and without ContextVars; and under each
language of the project, if it reads the one that is active.
"""

from collections.abc import Callable, Mapping
from contextvars import Context, ContextVar
from datetime import timedelta, timezone
from functools import partial
from inspect import getclosurevars, unwrap
from types import FunctionType, MethodType
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.utils.timezone import override as override_timezone
from django.utils.translation import override as override_language

from django_mullet._compat.django import active_translation

__all__ = ["aside", "names_context_variable", "retraced", "traced"]

T = TypeVar("T")
R = TypeVar("R")

ELSEWHERE = "eo"
"""The language of a trace, which has none of the project's names."""


def names_context_variable(function: Any) -> bool:
    """Return whether the code of `function` names a ContextVar.

    One that is at its default when the function is traced gives the same there as elsewhere.
    """
    function = unwrap(function)
    if not isinstance(function, FunctionType | MethodType):
        return False
    named = getclosurevars(function)
    found = [*named.globals.values(), *named.nonlocals.values()]
    return any(isinstance(each, ContextVar) for each in found)


def traced(trace: Callable[[], T]) -> dict[str, T]:
    """Return what `trace` returns in other surroundings, by their language."""
    made, reads_language = Context().run(_noted, trace)
    made_by = {ELSEWHERE: made}
    if reads_language:
        for language, _ in settings.LANGUAGES:
            made_by[language] = Context().run(_within, language, trace)
    return made_by


def retraced(traces: Mapping[str, T], change: Callable[[T], R]) -> dict[str, R]:
    """Return what `change` makes of each of `traces`, in the surroundings of each."""
    if len(traces) == 1:
        return traced(partial(change, traces[ELSEWHERE]))
    return {
        language: Context().run(_within, language, partial(change, trace))
        for language, trace in traces.items()
    }


def aside(queryset: Any, alias: str) -> Any:
    """Return what is made of the rows of `queryset`, which its SQL does not show."""
    return (
        type(queryset),
        queryset._iterable_class,
        queryset._fields,
        queryset._db,
        getattr(queryset, "_fetch_mode", None),  # since Django 6.1
        [_prefetched(lookup, alias) for lookup in queryset._prefetch_related_lookups],
    )


def _prefetched(lookup: Any, alias: str) -> Any:
    if isinstance(lookup, str):
        return lookup
    querysets = getattr(lookup, "querysets", [lookup.queryset])
    asked = [_asked(each, alias) for each in querysets if each is not None]
    return type(lookup), lookup.prefetch_through, lookup.prefetch_to, asked


def _asked(queryset: Any, alias: str) -> Any:
    try:
        sql, params = queryset.query.clone().get_compiler(using=alias).as_sql()
    except EmptyResultSet:
        sql, params = "", ()
    return aside(queryset, alias), sql, list(map(repr, params))


def _noted(trace: Callable[[], T]) -> tuple[T, bool]:
    """Return what `trace` returns elsewhere, and whether it has read the language."""

    def noted() -> tuple[T, bool]:
        active, read = active_translation(), list[str]()
        if settings.USE_I18N:
            active.value = _Noting(active.value, read)
        made = trace()
        return made, bool(read)

    return _within(ELSEWHERE, noted)


class _Noting:
    """Stands for a translation, and notes what it is asked for."""

    def __init__(self, translation: Any, read: list[str]) -> None:
        self._translation = translation
        self._read = read

    def __getattr__(self, name: str) -> Any:
        self._read.append(name)
        return getattr(self._translation, name)


def _within(language: str, trace: Callable[[], T]) -> T:
    here = timezone(timedelta(hours=13, minutes=37))
    with override_timezone(here), override_language(language):
        return trace()
