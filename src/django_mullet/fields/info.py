"""What a model says about the values of one of its fields: `FieldFacts`.

Schemas take from here what is not written in them: who may write a field, whether a new row
needs it, and what limits its values.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from inspect import getattr_static
from math import isfinite
from typing import Any

from django.core.exceptions import SynchronousOnlyOperation
from django.core.validators import (
    DecimalValidator,
    MaxLengthValidator,
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
)
from django.db import models

from django_mullet.fields.custom_checks import choices_of, own_check
from django_mullet.fields.registry import reader_of, type_of, value_field, writer_of

__all__ = [
    "QUERYING",
    "FieldFacts",
    "accessor_of",
    "facts_of",
    "facts_of_values",
    "find_field",
    "has_items",
    "has_setter",
    "is_generic",
    "is_parent_link",
]

Check = Callable[[Any], Any]

QUERYING: dict[int, Check] = {}
"""The validators that have been found to query the database, by their `id()`.

The bodies of `async def` endpoints are read in the event loop, where they cannot run: they do when
the values are written.
"""

_BLANK = models.Field.default_error_messages["blank"]

_LIMITS = {
    MinLengthValidator: "min_length",
    MaxLengthValidator: "max_length",
    MinValueValidator: "ge",
    MaxValueValidator: "le",
}
"""Validators of Django that a core schema can say itself, and its name for the limit."""


@dataclass(frozen=True, slots=True)
class FieldFacts:
    """What a model says about the values of one field, as far as a request can know it."""

    read_only: bool = False
    """No client writes it: not editable, an automatic key, computed, or no field at all."""
    create_only: bool = False
    """It identifies the row, which would be another one with another value."""
    required: bool = False
    """A new row has no value for it unless one is sent."""
    null: bool = False
    """A row may have none."""
    blank: bool = False
    """An empty text is valid, whatever the limits of others."""
    limits: tuple[tuple[str, Any], ...] = ()
    """What a value keeps to: pairs of `max_length`, `ge` and so on, and the limit."""
    choices: tuple[Any, ...] = ()
    """The only values that there are; empty if any value will do."""
    validators: tuple[Check, ...] = ()
    """Django's other validators, each of which raises Django's `ValidationError`."""
    description: str = ""
    items: "FieldFacts | None" = None
    """The facts about the items of an array."""
    bounds: "tuple[str, FieldFacts] | None" = None
    """Of a range, its name in the document of bodies, and the facts about its bounds."""
    json_schema: Mapping[str, Any] | None = None
    """What OpenAPI says of the values, beyond their type."""
    clean: Check | None = None
    """Returns what the field shall have in place of a value; raises as `cleaning` does."""
    write: Check | None = None
    """Returns what an instance has in place of a value of the schema."""
    empty: tuple[Any, ...] = ()
    """What counts as no value; Django's validators never see it."""
    takes_empty: bool = True
    """A form may leave it empty, whatever its type."""
    read: Check | None = None
    """The way back."""
    looks_itself: bool = False
    """The one validator is the field's own code, which knows the choices, too."""
    usual: Any = None
    """What a row has where nobody chooses: a default, or an empty text."""

    def checked(self, value: Any, said: Iterable[str] = ()) -> Any:
        """Return what the field shall have in place of `value`.

        Raise `ValueError` or Django's `ValidationError` if the model refuses it. The limits `said`
        are known to be kept.
        """
        if value is None:
            if not self.null:  # as JSON, or a union, may have it
                raise ValueError("Input should not be null")
            return None
        if self.clean is not None:
            value = self.clean(value)
        written = value if self.write is None else self.write(value)
        if written in self.empty:
            if self.takes_empty:
                return value
            if not all(isinstance(check, MaxLengthValidator) for check in self.validators):
                raise ValueError(_BLANK)  # before they see it, as Django's `Field.clean()`
        for check in self.checks(said):
            try:
                check(written)
            except SynchronousOnlyOperation:  # it queries, and this is the event loop
                QUERYING[id(check)] = check
        return value

    def check_late(self, written: Any) -> None:
        """Raise Django's `ValidationError` where a validator in `QUERYING` refuses `written`."""
        if written is None or written in self.empty:
            return
        for check in self.validators:
            if id(check) in QUERYING:
                check(written)
        if self.items is not None:
            for item in written:
                self.items.check_late(item)

    def checks(self, said: Iterable[str] = ()) -> list[Check]:
        """Return what checks whether a value may be stored, apart from the limits in `said`."""
        said = set(said)
        limits = {name: limit for name, limit in self.limits if name not in said}
        checks = [*self.validators, *_validators_of(limits)]
        if self.choices and "choices" not in said and not self.looks_itself:
            checks.append(self._require_choice)
        return checks

    def _require_choice(self, written: Any) -> None:
        value = written if self.read is None else self.read(written)
        if value not in self.choices:
            raise ValueError(f"Choose one of: {', '.join(map(str, self.choices))}.")


_TEXTS = (
    models.CharField,
    models.FilePathField,
    models.GenericIPAddressField,
    models.TextField,
)

_COMPUTED = FieldFacts(read_only=True)

_NOT_OF_MODEL = FieldFacts(read_only=True, required=True, null=True)
"""What a schema alone says: where it is marked, a request sends it, and needs to."""

_FAR_SIDE = FieldFacts()
"""Of a many-to-many relation, which may be written from either side."""


def find_field(model: type[models.Model], name: str) -> Any:
    """Return the field, relation or generic foreign key of `model` that `name` reads, or `None`.

    A foreign key is found by its column too (`user_id`), a reverse relation by its accessor
    (`book_set`). Needs the app registry to be ready.
    """
    for field in model._meta.get_fields():
        if name in (accessor_of(field), getattr(field, "attname", None)):
            return field
    return None


def has_setter(model: type[models.Model], name: str) -> bool:
    """Return whether `name` is a property of `model` that can be set."""
    return getattr(getattr_static(model, name, None), "fset", None) is not None


def is_generic(field: Any) -> bool:
    """Return whether `field` is a relation to objects of any model, or the other side of one."""
    is_forward = isinstance(field, models.Field)
    return bool(
        field.is_relation and (field.related_model is None or (is_forward and field.one_to_many))
    )


def accessor_of(field: Any) -> str:
    """Return what instances call `field`, which may be a relation to their model."""
    accessor: str = field.get_accessor_name() if _is_reverse(field) else field.name
    return accessor


def _is_reverse(field: Any) -> bool:
    return field.auto_created and not field.concrete


def facts_of(model: type[models.Model], name: str) -> FieldFacts:
    """Return what `model` says about the values of `name`; of a name that it lacks: computed."""
    field = find_field(model, name)
    if field is None:
        return _NOT_OF_MODEL
    if isinstance(field, models.ManyToManyRel) and _is_editable(field.field):
        return _FAR_SIDE
    if not isinstance(field, models.Field) or is_generic(field):
        return _COMPUTED
    return facts_of_values(field)


def _is_editable(relation: Any) -> bool:
    # That of django-taggit knows its other side only to look objects up.
    return isinstance(relation, models.ManyToManyField) and relation.editable


def facts_of_values(field: Any) -> FieldFacts:
    """Return what `field`, of a model or of the items of an array, says about its values."""
    kind, source = type_of(field), value_field(field)
    is_automatic = is_parent_link(field) or (
        field.primary_key and (field.has_default() or isinstance(field, models.AutoField))
    )
    is_kept = isinstance(field, models.GeneratedField) or _is_protected(field)
    own = own_check(source, _is_limit)
    return FieldFacts(
        read_only=bool(kind.read_only) or is_automatic or is_kept or not field.editable,
        create_only=_identifies(field),
        required=not (field.null or field.blank or _has_default(field)),
        null=field.null,
        blank=field.blank and isinstance(field, _TEXTS),
        limits=tuple(_limits(kind, source).items()),
        choices=_choices(field),
        validators=(own,) if own else _others(source),
        description=str(field.help_text),
        items=facts_of_values(source.base_field) if has_items(source) else None,
        bounds=_bounds(source) if hasattr(source, "range_type") else None,
        json_schema=_json_schema(kind, source),
        clean=partial(kind.clean, source) if kind.clean else None,
        write=writer_of(field),
        empty=tuple(field.empty_values),
        takes_empty=field.blank,
        read=reader_of(field),
        looks_itself=own is not None,
        usual=_usual(field),
    )


def _usual(field: Any) -> Any:
    default = field.default if field.has_default() else None
    if isinstance(default, str | int | float):
        return default
    return "" if field.blank and isinstance(field, _TEXTS) else None


def has_items(field: Any) -> bool:
    """Return whether `field` is an array."""
    return hasattr(field, "base_field") and hasattr(field, "size")


def _bounds(field: Any) -> tuple[str, FieldFacts]:
    """Return what `IntegerRangeField` is called, "IntegerRange", and the facts of its bounds."""
    return type(field).__name__.removesuffix("Field"), facts_of_values(field.base_field)


def _identifies(field: Any) -> bool:
    if field.primary_key:
        return True
    key: Any = field.model._meta.pk if hasattr(field, "model") else None
    return isinstance(key, models.CompositePrimaryKey) and field in key.fields


def _is_protected(field: Any) -> bool:
    """Return whether only transitions set the field, as those of django-fsm, which says so."""
    return getattr(field, "protected", False) is True


def is_parent_link(field: Any) -> bool:
    """Return whether multi-table inheritance made the field: the parent's row is the child's."""
    return isinstance(field, models.OneToOneField) and field.remote_field.parent_link


def _choices(field: Any) -> tuple[Any, ...]:
    """Return the choices as the schema has them."""
    values = [*choices_of(field, reader_of(field))]
    if values and field.blank and field.empty_strings_allowed and "" not in values:
        values.append("")
    return tuple(values)


def _others(field: Any) -> tuple[Check, ...]:
    """Return the validators that say no limit."""
    return tuple(check for check in field.validators if not _is_limit(field, check))


def _is_limit(field: Any, check: Any) -> bool:
    # A text or a list that may be empty is so, or has a length: no limit of a schema says that.
    is_either = field.blank and type(check) is MinLengthValidator
    return type(check) in (*_LIMITS, DecimalValidator) and not is_either


def _has_default(field: Any) -> bool:
    # A default of `None` is none, where a row may not have it.
    has_one = field.has_default() and field.default is not None
    return has_one or field.db_default is not models.NOT_PROVIDED


def _limits(kind: Any, field: Any) -> dict[str, Any]:
    limits = dict(kind.limits(field)) if kind.limits else {}
    checks: list[Any] = field.validators
    for check in checks:
        if _is_limit(field, check) and (name := _LIMITS.get(type(check))) is not None:
            tighter = max if name in ("min_length", "ge") else min
            limit = check.limit_value() if callable(check.limit_value) else check.limit_value
            known = limits.get(name)
            limits[name] = limit if known is None else tighter(known, limit)
    return {name: limit for name, limit in limits.items() if limit is not None}


def _json_schema(kind: Any, field: Any) -> dict[str, Any] | None:
    if kind.json_schema is None:
        return None
    shortest = [
        check.limit_value
        for check in field.validators
        if type(check) is MinLengthValidator and field.blank and not callable(check.limit_value)
    ]
    said: dict[str, Any] = {**kind.json_schema(field)}
    return {**said, "minLength": max(shortest)} if shortest and isinstance(field, _TEXTS) else said


def _validators_of(limits: Mapping[str, Any]) -> list[Check]:
    """Return Django's validators for limits that a schema cannot say itself."""
    found: list[Check] = [
        validator(limits[name]) for validator, name in _LIMITS.items() if name in limits
    ]
    if "max_digits" in limits:
        digits = DecimalValidator(limits["max_digits"], limits.get("decimal_places"))
        # Of another type, what has been written is spelled with these digits.
        found.append(lambda value: digits(Decimal(str(value))))
    if limits.get("allow_inf_nan") is False:
        found.append(_finite)
    return found


def _finite(value: Any) -> None:
    if not isfinite(value):
        raise ValueError("Input should be a finite number")
