"""What does code do for a body that knows nothing of schemas? By Django alone, as documented."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models

from tests.differential.writing import Written

__all__ = ["write"]


def write(written: Written, body: dict[str, Any], instance: Any, owner: Any = None) -> Any:
    """Write `body` to `instance`, or to a new object; return it."""
    one = written.model(**(owner or {})) if instance is None else instance
    _set_own(written, body, one)
    for name, (each, inner) in written.nested.items():
        if name in body and _is_forward(each):
            _refer(one, name, inner, body[name])
    _require_related(written, body, one)
    if instance is None:
        one.save(force_insert=(models.Model,))
    else:
        one.save()
    for name in written.order:
        if name in body:
            _set_relation(written, name, one, body[name])
    return one


def _set_own(written: Written, body: dict[str, Any], one: Any) -> None:
    """Set columns and foreign keys; the key of a new object only."""
    is_new = one._state.adding
    for name in written.columns:
        if name in body and (is_new or not _is_of_key(written.model, name)):
            setattr(one, name, body[name])
    for name, each in written.keys.items():
        if name in body and not each.many_to_many and (is_new or not each.primary_key):
            setattr(one, each.attname, body[name])


def _is_forward(each: Any) -> bool:
    return bool(each.concrete) and not each.many_to_many


def _require_related(written: Written, body: dict[str, Any], one: Any) -> None:
    for name, each in written.keys.items():
        if name in body and not each.many_to_many and getattr(one, each.attname) is not None:
            each.validate(getattr(one, each.attname), one)


def _set_relation(written: Written, name: str, one: Any, value: Any) -> None:
    if name in written.keys and written.keys[name].many_to_many:
        _set_keys(one, name, written.keys[name], value)
    elif name in written.nested and not _is_forward(written.nested[name][0]):
        each, inner = written.nested[name]
        if each.many_to_many:
            _set_shared(one, name, each, inner, value)
        elif each.one_to_many:
            _set_owned(one, name, each, inner, value)
        else:
            _set_one(one, name, each, inner, value)


def _is_of_key(model: Any, name: str) -> bool:
    each, key = model._meta.get_field(name), model._meta.pk
    return each == key or each in getattr(key, "fields", ())


def _key(inner: Written, body: dict[str, Any], owner: Any = None, link: Any = None) -> Any:
    """Return the key of the object that `body` means, if it says one."""
    key = inner.model._meta.pk
    parts: list[Any] = list(getattr(key, "fields", [key]))
    values = []
    for part in parts:
        names = [name for name in (part.attname, part.name) if name in body]
        if part == link:
            values.append(owner.pk)
        elif not names:
            return None
        else:
            values.append(body[names[0]])
    return tuple(values) if len(values) > 1 else values[0]


def _refer(one: Any, name: str, inner: Written, body: Any) -> None:
    related = getattr(one, name, None)
    if body is None:
        setattr(one, name, None)
        return
    if related is not None:
        _require_same(inner, body, related)
    setattr(one, name, write(inner, body, related))


def _require_same(
    inner: Written, body: dict[str, Any], related: Any, owner: Any = None, link: Any = None
) -> None:
    key = _key(inner, body, owner, link)
    if key is not None and key != related.pk:
        raise ValidationError("another key")


def _set_keys(one: Any, name: str, each: Any, keys: list[Any]) -> None:
    if each.related_model._base_manager.filter(pk__in=keys).count() != len(set(keys)):
        raise ValidationError("no such key")
    getattr(one, name).set(keys)


def _set_shared(one: Any, name: str, each: Any, inner: Written, bodies: list[Any]) -> None:
    keys = [key for body in bodies if (key := _key(inner, body)) is not None]
    known = each.related_model._base_manager.in_bulk(keys)
    getattr(one, name).set(
        [write(inner, body, known.pop(_key(inner, body), None)) for body in bodies]
    )


def _set_owned(one: Any, name: str, each: Any, inner: Written, bodies: list[Any]) -> None:
    link = each.field
    known = {related.pk: related for related in getattr(one, name).all()}
    kept = [known.pop(_key(inner, body, one, link), None) for body in bodies]
    for related in known.values():
        _let_go(related, link)
    for body, related in zip(bodies, kept, strict=True):
        write(inner, body, related, {link.name: one})


def _let_go(related: Any, link: Any) -> None:
    if link.null:
        setattr(related, link.name, None)
        related.save()
    else:
        related.delete()


def _set_one(one: Any, name: str, each: Any, inner: Written, body: Any) -> None:
    try:
        related = getattr(one, name)
    except ObjectDoesNotExist:
        related = None
    if body is None:
        if related is not None:
            _let_go(related, each.field)
        return
    if related is not None:
        _require_same(inner, body, related, one, each.field)
    write(inner, body, related, {each.field.name: one})
