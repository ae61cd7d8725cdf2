"""Instances scattered through a result, loaded in one batch.

As those of a list are: what is loaded is loaded for all at once, and what queries for each of them
is refused. So a result is gone through twice: the objects are found, and then replaced.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.db.models import Model

from django_mullet.exceptions import LazyLoad
from django_mullet.schemas.lazy_loads import from_above, refused
from django_mullet.schemas.prefetching import load_relations
from django_mullet.schemas.query_plan import plan_of

__all__ = ["show", "show_many", "together"]

Present = Callable[[Any], Any]


class _Objects:
    """What one result shows, by schema."""

    def __init__(self) -> None:
        self._found: dict[Any, dict[int, Any]] = {}
        self._shown: dict[tuple[Any, int], Any] = {}

    def replaced(self, schema: Any, instance: Any) -> Any:
        """Return what `schema` shows of `instance`; itself, while it is not known."""
        self._found.setdefault(schema, {})[id(instance)] = instance
        return self._shown.get((schema, id(instance)), instance)

    def load(self) -> bool:
        """Have those be shown that were found; return whether there are any."""
        for schema, instances in self._found.items():
            shown = _shown(schema, list(instances.values()))
            keys = [(schema, number) for number in instances]
            self._shown.update(zip(keys, shown, strict=True))
        return bool(self._found)


_objects: ContextVar[_Objects | None] = ContextVar("mullet_together", default=None)


def show(schema: Any, value: Any) -> Any:
    """Return what `schema` shows of `value`, an instance; within `together()`, of all at once."""
    objects = _objects.get()
    if objects is None or not isinstance(value, schema.django_model()):
        return schema.from_model(value)
    return objects.replaced(schema, value)


def show_many(schema: Any, value: Any) -> Any:
    """Return what `schema` shows of `value`, a queryset or instances, as `show()` does."""
    if _objects.get() is None or not isinstance(value, list | tuple):
        return schema.from_qs(value)
    return [show(schema, item) if isinstance(item, Model) else item for item in value]


def together(present: Present) -> Present:
    """Return `present`, which takes what it has presented as it is, so that objects are loaded."""

    def present_together(value: Any) -> Any:
        if _objects.get() is not None:  # within a list of lists, for instance
            return present(value)
        objects = _Objects()
        token = _objects.set(objects)
        try:
            found = present(value)
            return present(found) if objects.load() else found
        finally:
            _objects.reset(token)

    return present_together


def _shown(schema: Any, instances: list[Model]) -> list[Any]:
    if len(instances) == 1:  # which may load what it needs
        return [schema.from_model(instances[0])]
    load_relations(plan_of(schema), instances)
    try:
        with refused(schema.__name__):
            return [schema.from_model(instance) for instance in instances]
    except LazyLoad as error:
        raise from_above(error, schema) from None
