"""Which descriptors, managers and querysets do packages have that are not Django's own?

These do what those of django-modeltranslation, django-money, django-polymorphic, django-cacheops
and django-sortedm2m do, as small as can be.
"""

import pickle
from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.models.fields.related import ManyToManyDescriptor
from django.db.models.query import ModelIterable
from django.utils.translation import get_language


class TranslatedField(models.CharField):  # type: ignore[type-arg]
    """Is read from the column of the active language, where that has something."""

    def contribute_to_class(  # type: ignore[override]
        self, cls: Any, name: str, **kwargs: Any
    ) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, name, _Translated(name))


class _Translated:
    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        in_language = getattr(instance, f"{self.name}_{get_language()}", "")
        return in_language or instance.__dict__[self.name]

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = value


class AmountField(models.DecimalField):  # type: ignore[type-arg]
    """Is read with what another column has, which must be loaded."""

    def contribute_to_class(  # type: ignore[override]
        self, cls: Any, name: str, **kwargs: Any
    ) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, name, _Amount(name))


class _Amount:
    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        cents = instance.__dict__["in_cents"]
        amount = instance.__dict__[self.name]
        return amount / 100 if cents else amount

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = value


class _AsTheyAre(ModelIterable):  # type: ignore[type-arg]
    """Yields each row as an instance of the model that it is."""

    def __iter__(self) -> Iterator[Any]:
        for row in super().__iter__():
            yield row.as_it_is()


class MixedQuerySet(models.QuerySet[Any]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._iterable_class = _AsTheyAre


class KeptQuerySet(models.QuerySet[Any]):
    """Keeps what it has found until a row of its own model changes."""

    kept: dict[str, bytes] = {}

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            key = f"{self._iterable_class.__name__}: {self.query}"
            if key not in self.kept:
                super()._fetch_all()
                self.kept[key] = pickle.dumps(self._result_cache)
            self._result_cache = pickle.loads(self.kept[key])
        super()._fetch_all()


class TitledQuerySet(models.QuerySet[Any]):
    """Changes its objects when they are looked at."""

    def __iter__(self) -> Iterator[Any]:
        for found in super().__iter__():
            found.name = found.name.title()
            yield found


class VisibleManager(models.Manager[Any]):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(is_hidden=False)


class SortedManyToManyField(models.ManyToManyField):  # type: ignore[type-arg]
    """Has its objects in an order of its own."""

    def contribute_to_class(  # type: ignore[override]
        self, cls: Any, name: str, **kwargs: Any
    ) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, name, _Sorted(self.remote_field))


class _Sorted(ManyToManyDescriptor):  # type: ignore[type-arg]
    @property
    def related_manager_cls(self) -> Any:
        base: Any = super().related_manager_cls

        class Manager(base):  # type: ignore[misc]
            def get_queryset(self) -> Any:
                found = super().get_queryset()
                return found if found._result_cache is not None else found.order_by("-pk")

            def get_prefetch_querysets(self, instances: Any, querysets: Any = None) -> Any:
                queryset, *others = super().get_prefetch_querysets(instances, querysets)
                return queryset.order_by("-pk"), *others

        return Manager
