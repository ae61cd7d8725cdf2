"""Validation of field classes that are not Django's, run on values of a request.

By methods of its own, of which Django calls `clean()` with what an instance has. What that is may
be another class than is written: money for a number, a list for a text.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from django_mullet.fields.foreign_code import is_djangos, reads_own_column

__all__ = ["choices_of", "own_check"]

Check = Callable[[Any], Any]

_REFUSED: Any = object()
_OWN = ("clean", "run_validators", "to_python", "validate")


@cache  # as who finds that a check queries remembers it by its id
def own_check(field: Any, is_limit: Callable[[Any, Any], bool]) -> Check | None:
    """Return what raises Django's `ValidationError` for a value that `field` does not take.

    What a schema says itself, the validators for which `is_limit` is true, is left to that. `None`
    if all of it is Django's own code.
    """
    if field.is_relation:
        return None
    own = {name for name in _OWN if not is_djangos(getattr(type(field), name))}
    if not own and _has_usual_values(field):
        return None
    return partial(_check, field, own, is_limit)


def choices_of(field: Any, read: Callable[[Any], Any] | None) -> tuple[Any, ...]:
    """Return the choices of `field` as a schema has them: as `read` gives what is set to them.

    None where a value of `field` is a list of choices.
    """
    choices = [choice for choice, _ in field.flatchoices or ()]  # django-countries has `None`
    if read is None or not choices:
        return tuple(choices)
    if not is_djangos(type(field).to_python):
        several = field.to_python(choices[0])
        if isinstance(several, list | set | tuple):
            return ()
    instance = None if _has_usual_values(field) else field.model()
    return tuple(
        choice if choice is None else read(_as_set(field, choice, instance, choice))
        for choice in choices
    )


def _check(field: Any, own: set[str], is_limit: Callable[[Any, Any], bool], written: Any) -> None:
    instance = None if _has_usual_values(field) else field.model()
    value = _as_set(field, written, instance, _REFUSED)
    if value is _REFUSED:  # which is said when it is written, beside what else was sent
        return
    if {"clean", "run_validators"} & own:
        field.clean(value, instance)
        return
    value = field.to_python(value)
    if "validate" in own or field.choices:
        field.validate(value, instance)
    for check in field.validators:
        if not is_limit(field, check):
            check(value)


def _as_set(field: Any, value: Any, instance: Any, refused: Any) -> Any:
    """Return what `instance`, where there is one, has when `field` was set to `value`.

    That is `refused` where the field refuses it: of money without its currency, for instance, or
    of a state that only transitions change.
    """
    if instance is None:
        return value
    try:
        setattr(instance, field.attname, value)
    except (AttributeError, ValueError, ValidationError):
        return refused
    return getattr(instance, field.attname)


def _has_usual_values(field: Any) -> bool:
    model: type[models.Model] | None = getattr(field, "model", None)
    return model is None or reads_own_column(model, field)
