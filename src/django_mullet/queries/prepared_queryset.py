"""Querysets of `@prepared` functions: `PreparedQuerySet`, which runs what was compiled."""

from copy import deepcopy
from functools import cache
from typing import Any

from django.db.models import QuerySet, prefetch_related_objects

from django_mullet.queries.bound_query import BoundQuery
from django_mullet.queries.compiled import Window
from django_mullet.queries.stock_django import own_answers
from django_mullet.queries.traced import Change

__all__ = ["PreparedQuerySet", "queryset_of", "traced_queryset_of"]

FIRST: Window = (0, 1)

FIRST_TWO: Window = (0, 2)
"""What `get()` asks for: a second says that there are several."""


class PreparedQuerySet(QuerySet[Any]):
    """Mixed into the class of a queryset: runs what was compiled, and builds what was not.

    What is not overridden here, and so whatever changes the queryset, goes by `query`, which is
    that of the queryset that the function builds.
    """

    bound: BoundQuery
    _for_write: bool
    _hints: dict[str, Any]
    """What routers are told: a related manager, or a `Prefetch`, adds its instance."""
    _sticky_filter: bool
    _prefetch_related_lookups: tuple[Any, ...]
    _ordinary: QuerySet[Any] | None = None

    @property
    def query(self) -> Any:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._built.query

    @property
    def _built(self) -> QuerySet[Any]:
        if self._ordinary is not None:
            return self._ordinary
        built: Any = self.bound.built()
        built._hints = self._hints
        self._ordinary = built
        return built  # type: ignore[no-any-return]

    def _like_this(self, bound: BoundQuery) -> "PreparedQuerySet":
        made = queryset_of(bound)
        made._for_write, made._hints = self._for_write, self._hints
        return made

    def _clone(self) -> Any:
        built: Any = self._built
        clone = built._clone()
        clone._for_write, clone._sticky_filter = self._for_write, self._sticky_filter
        return clone

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return deepcopy(self._built, memo)

    def __reduce__(self) -> Any:
        self._fetch_all()
        built: Any = self._built
        built._result_cache = self._result_cache
        return built.__reduce__()

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            found = self.bound.results(self.db)
            self._result_cache = list(self._built) if found is None else found
            super()._fetch_all()  # which prefetches

    def exists(self) -> bool:
        found = self.bound.exists(self.db) if self._result_cache is None else None
        return super().exists() if found is None else found

    def count(self) -> int:
        found = self.bound.count(self.db) if self._result_cache is None else None
        return super().count() if found is None else found

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return what `values_list()` gives, which is not kept."""
        bound = self.bound.changed(*_in_rows(columns))
        found = bound.results(self.db)
        return list(bound.built()) if found is None else found

    def changed(self, key: Any, change: Change) -> "PreparedQuerySet":
        """Return what `change` makes of this queryset, compiled once for each `key`."""
        return self._like_this(self.bound.changed(key, change))

    def all(self) -> Any:
        return self._like_this(self.bound)

    def filter(self, *args: Any, **lookups: Any) -> Any:
        # A many-to-many manager has Django make one join of the next two calls.
        is_plain = not (args or self._sticky_filter)
        filtered = self.bound.filtered(lookups) if is_plain else None
        return super().filter(*args, **lookups) if filtered is None else self._like_this(filtered)

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

    def __getitem__(self, key: Any) -> Any:
        if self._result_cache is not None:
            return super().__getitem__(key)
        if isinstance(key, int) and key >= 0:
            found: list[Any] = list(self[key : key + 1])
            return found[0]  # an `IndexError` is Django's answer, too
        window = _window_of(key) if isinstance(key, slice) else None
        if window is None or not self.bound.takes_window or self.bound.traced.locks:
            return super().__getitem__(key)
        return self._like_this(self.bound.within(window))

    def first(self) -> Any:
        found = self._few("first", _in_some_order, FIRST)
        return super().first() if found is None else next(iter(found), None)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs and not args and self.bound.takes_window:
            return self.filter(**kwargs).get()
        found = None if args else self._few("get", _in_any_order, FIRST_TWO)
        if found is not None and len(found) == 1:
            return found[0]
        return super().get(*args, **kwargs)  # which says what is wrong

    def _few(self, key: str, change: Change, window: Window) -> list[Any] | None:
        """Return what this queryset finds, changed and within `window`, if it may have any."""
        if not self.bound.takes_window:
            return None
        few = self.bound.changed(key, change).within(window)
        if self.bound.traced.locks:
            return list(self._like_this(few))
        found = few.results(self.db)
        if found and self._prefetch_related_lookups:
            prefetch_related_objects(found, *self._prefetch_related_lookups)
        return found


def queryset_of(bound: BoundQuery) -> PreparedQuerySet:
    """Return the queryset that runs `bound`, of the class that its function returns."""
    traced = bound.traced.queryset
    made: Any = object.__new__(_prepared_class(type(traced)))
    made.__dict__ = traced.__dict__.copy()
    made._hints = {}  # which are changed in place
    made.bound = bound
    return made  # type: ignore[no-any-return]


def traced_queryset_of(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return `queryset`, or if it is prepared the same one with parameters for values."""
    return queryset.bound.traced.queryset if isinstance(queryset, PreparedQuerySet) else queryset


@cache
def _prepared_class(base: type[QuerySet[Any]]) -> Any:
    namespace = {"__module__": base.__module__, **own_answers(base)}
    return type(base.__name__, (PreparedQuerySet, base), namespace)


def _window_of(wanted: slice) -> Window | None:
    """Return the rows of a slice that every database takes, or `None`."""
    start, stop = wanted.start or 0, wanted.stop
    if wanted.step is not None or not isinstance(start, int) or start < 0:
        return None
    if stop is None:
        return (start, None) if start else None
    return (start, stop) if isinstance(stop, int) and stop > start else None


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
