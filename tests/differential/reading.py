"""What does code read of an instance that knows nothing of schemas, and what does a schema show?"""

from contextlib import suppress
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import ForeignKey

from tests.differential.schemas import Shown

__all__ = ["plain", "shown_values"]


def plain(shown: Shown, instance: Any) -> dict[str, Any]:
    """Return what plain code reads of `instance` of that which `shown` shows."""
    values: dict[str, Any] = {name: getattr(instance, name) for name in shown.columns}
    for name, kind in shown.keys.items():
        if kind == "many":
            keys = [each.pk for each in getattr(instance, name).all()]
            values[name] = _ordered(shown, name, keys)
        else:
            values[name] = _key(instance, name)
    for name, (is_many, _) in shown.nested.items():
        if is_many:
            items = [plain(shown.of(name, each), each) for each in getattr(instance, name).all()]
            values[name] = _ordered(shown, name, items)
        else:
            related = _one(instance, name)
            values[name] = None if related is None else plain(shown.of(name, related), related)
    return values


def shown_values(shown: Shown, found: Any) -> dict[str, Any]:
    """Return what `found`, an instance of the schema of `shown`, shows."""
    assert type(found) is shown.schema
    values: dict[str, Any] = {name: vars(found)[name] for name in shown.columns}
    for name, kind in shown.keys.items():
        value = vars(found)[name]
        values[name] = _ordered(shown, name, value) if kind == "many" else value
    for name, (is_many, choices) in shown.nested.items():
        value = vars(found)[name]
        by_schema = {each.schema: each for each in choices}
        if is_many:
            items = [shown_values(by_schema[type(each)], each) for each in value]
            values[name] = _ordered(shown, name, items)
        else:
            values[name] = None if value is None else shown_values(by_schema[type(value)], value)
    return values


def _key(instance: Any, name: str) -> Any:
    field = instance._meta.get_field(_relation(type(instance), name))
    if field.concrete and isinstance(field, ForeignKey):
        return getattr(instance, field.attname)
    related = _one(instance, name)
    return None if related is None else related.pk


def _one(instance: Any, name: str) -> Any:
    with suppress(ObjectDoesNotExist):
        return getattr(instance, name)
    return None


def _ordered(shown: Shown, name: str, items: list[Any]) -> list[Any]:
    """Return `items`, sorted where no `Meta.ordering` does that."""
    relation = shown.model._meta.get_field(_relation(shown.model, name))
    is_sorted = relation.related_model._meta.ordering
    return items if is_sorted else sorted(items, key=_order)


def _order(item: Any) -> str:
    return repr(sorted(item.items()) if isinstance(item, dict) else item)


def _relation(model: Any, accessor: str) -> str:
    """Return what `Model._meta` calls the relation that instances call `accessor`."""
    names = {
        field.get_accessor_name(): field.name
        for field in model._meta.get_fields()
        if field.is_relation and field.auto_created and not field.concrete
    }
    return names.get(accessor, accessor)
