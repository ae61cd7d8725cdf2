"""The Python type of each class of model field, and how its values are read and written.

One row for each class of field; a subclass has the row of the nearest base that has one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, partial
from inspect import isfunction
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.backends.base.operations import BaseDatabaseOperations
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from django_mullet.fields import cleaning
from django_mullet.fields.custom_values import differ_from
from django_mullet.fields.foreign_code import is_djangos
from django_mullet.fields.nullability import may_show_none
from django_mullet.fields.type_source import spell

__all__ = [
    "FieldType",
    "UnknownValues",
    "annotation_of",
    "key_reader_of",
    "reader_of",
    "register_field_type",
    "type_of",
    "value_field",
    "writer_of",
]

Reader = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class FieldType:
    """What is known of all fields of one class."""

    annotation: Any = None
    """The type of its values in a schema, or a function that returns it for a field."""
    limits: Callable[[Any], Mapping[str, Any]] | None = None
    """Returns for a field what its values keep to: `max_length`, `ge` and so on; `None` is none."""
    json_schema: Callable[[Any], Mapping[str, Any]] | None = None
    """Returns for a field what OpenAPI says of its values beyond their type: `format` and so on."""
    clean: Callable[[Any, Any], Any] | None = None
    """Returns for a field and a value of a request what the field shall have in its place.

    Raises `ValueError`, or Django's `ValidationError`, for what cannot be stored.
    """
    read: Callable[[Any, Any], Any] | None = None
    """Returns for a field and a value of an instance what the schema has in its place.

    Of a column that may be null it is not called with `None`, which stays so; nor is `write`.
    """
    write: Callable[[Any, Any], Any] | None = None
    """Returns for a field and a value of a schema what the instance has in its place."""
    read_only: bool | None = None
    """No request sets it."""


_rows: dict[type, FieldType] = {}


def register_field_type(
    field_class: type,
    *,
    annotation: Any = None,
    limits: Callable[[Any], Mapping[str, Any]] | None = None,
    json_schema: Callable[[Any], Mapping[str, Any]] | None = None,
    clean: Callable[[Any, Any], Any] | None = None,
    read: Callable[[Any, Any], Any] | None = None,
    write: Callable[[Any, Any], Any] | None = None,
    read_only: bool | None = None,
) -> None:
    """Say what schemas make of the fields of `field_class`, a class of Django field.

    What is left out is that of the nearest base of `field_class` that is known. The arguments are
    the attributes of `FieldType`. Call it where the class is defined, or in `AppConfig.ready()`.
    """
    _rows[field_class] = FieldType(annotation, limits, json_schema, clean, read, write, read_only)
    type_of_class.cache_clear()


def type_of(field: Any) -> FieldType:
    """Return what is known of `field`, or of the field that its values come from."""
    kind: Any = type(value_field(field))
    return type_of_class(kind)


def reader_of(field: Any) -> Reader | None:
    """Return what turns a value of an instance into the schema's; `None` if they are the same."""
    kind, source = type_of(field), value_field(field)
    read = kind.read
    if read is None and kind.write is _text and not is_djangos(type(source)):
        read = _own_text  # a country, a telephone number and so on
    return _without_none(read, field)


def writer_of(field: Any) -> Reader | None:
    """Return what turns a value of the schema into an instance's; `None` if they are the same."""
    return _without_none(type_of(field).write, field)


def _without_none(convert: Callable[[Any, Any], Any] | None, field: Any) -> Reader | None:
    """Return `convert` of `field`, not called with the `None` of a column that may be null.

    Of the functions of this library each knows what it makes of `None`.
    """
    if convert is None:
        return None
    bound = partial(convert, value_field(field))
    module = str(getattr(convert, "__module__", ""))
    if module.startswith("django_mullet.") or not may_show_none(field):
        return bound
    return lambda value: None if value is None else bound(value)


def key_reader_of(relation: Any) -> Reader | None:
    """Return `reader_of` the key of the objects that `relation` leads to."""
    return reader_of(relation.related_model._meta.pk)


def value_field(field: Any) -> Any:
    """Return the field that says what the values of `field` are: a foreign key's is its target."""
    if isinstance(field, models.ForeignKey):
        return value_field(field.target_field)
    if isinstance(field, models.GeneratedField):
        return value_field(field.output_field)
    return field


@cache
def type_of_class(field_class: type) -> FieldType:
    """Return what is known of the fields of `field_class`; an empty row if nothing is."""
    found = FieldType()
    for base in reversed(field_class.__mro__):
        if base in _rows:
            given = {column.name: getattr(_rows[base], column.name) for column in fields(FieldType)}
            found = replace(
                found, **{name: value for name, value in given.items() if value is not None}
            )
    return found


def annotation_of(field: Any) -> Any:
    """Return the type of `field`'s values in a schema, with `None` if they may be null.

    Of a relation, that of the keys. Raises `UnknownValues` if nobody has said.
    """
    if field.many_to_many:  # tags of django-taggit too, whose field is no `ManyToManyField`
        return list[annotation_of(field.related_model._meta.pk)]  # type: ignore[misc]
    inner = _annotation(value_field(field))
    return inner | None if may_show_none(field) and inner is not JsonValue else inner


def _annotation(field: Any) -> Any:
    found = type_of(field).annotation
    if found is None:
        raise UnknownValues(field, "of which no annotation is known")
    found = found(field) if isfunction(found) else found
    if not _is_registered(type(field)) and differ_from(found, field, reader_of(field)):
        raise UnknownValues(field, f"of which the values are no '{spell(found)}'")
    return found


def _is_registered(kind: Any) -> bool:
    """Return whether the values are known, of Django's own or of another class."""
    return is_djangos(kind) or any(base in _rows for base in kind.__mro__ if not is_djangos(base))


class UnknownValues(ImproperlyConfigured):
    """Of a field it is not known what its values are; `reason` says why, `cure` what to write."""

    def __init__(self, field: Any, what: str) -> None:
        kind = type(field).__name__
        more = "" if type_of(field).annotation is None else ", read=..., write=..."
        self.name = field.name
        self.reason = f"'{field}' is a '{kind}', {what}"
        self.cure = f"'register_field_type({kind}, annotation=...{more})', of 'django_mullet'"
        super().__init__(f"{self.reason}: leave it out of the schema, or write {self.cure}.")


# What the rows of Django's own fields say


def _text_limits(field: Any) -> dict[str, Any]:
    return {"max_length": field.max_length, "min_length": None if field.blank else 1}


def _length(field: Any) -> dict[str, Any]:
    return {"max_length": field.max_length}


def _integer_limits(field: Any) -> dict[str, Any]:
    # The narrowest of all databases, so that a row can move from one to another.
    ranges = BaseDatabaseOperations.integer_field_ranges
    low, high = ranges.get(field.get_internal_type(), (None, None))
    return {"ge": low, "le": high}


def _decimal_limits(field: Any) -> dict[str, Any]:
    # PostgreSQL's `numeric` has at most 1000 digits where a model says how many.
    return {"max_digits": field.max_digits or 1000, "decimal_places": field.decimal_places}


def _duration_limits(field: Any) -> dict[str, Any]:
    # 64 bits of microseconds, as which SQLite and MySQL store it.
    limit = timedelta(microseconds=2**63 - 1)
    return {"ge": -limit, "le": limit}


def _key_annotation(field: Any) -> Any:
    return tuple[tuple(annotation_of(part) for part in field.fields)]  # type: ignore[misc]


def _no_nul(field: Any) -> dict[str, Any]:
    return {"pattern": r"^[^\x00]*$"}


def _slug_pattern(field: Any) -> dict[str, Any]:
    return _no_nul(field) if field.allow_unicode else {"pattern": r"^[-a-zA-Z0-9_]+$"}


def _decimal_pattern(field: Any) -> dict[str, Any]:
    places = field.decimal_places
    if places is None or field.max_digits is None:
        return {"pattern": cleaning.DECIMAL_PATTERN}
    whole = rf"\d{{1,{max(field.max_digits - places, 1)}}}"
    if places == 0:
        return {"pattern": rf"^-?{whole}$"}
    return {"pattern": rf"^-?({whole}(\.\d{{0,{places}}})?|\.\d{{1,{places}}})$"}


def _address_format(field: Any) -> dict[str, Any]:
    # Pydantic calls one of either kind so.
    formats = {"ipv4": "ipv4", "ipv6": "ipv6"}
    return {"format": formats.get(field.protocol.lower(), "ipvanyaddress")}


def _not_null(field: Any) -> dict[str, Any]:
    return {} if field.null else {"not": {"type": "null"}}


def _url(field: Any, value: Any) -> str | None:
    if value:
        url: str = value.url
        return url
    return None if may_show_none(field) else ""  # of a required one that is not there after all


def _text(field: Any, value: Any) -> Any:
    value = cleaning.plain(field, value)
    return value if value is None or isinstance(value, str) else str(value)


def _own_text(field: Any, value: Any) -> Any:
    """Return the text of a value of somebody's own class, as Django's serializers write it."""
    value = cleaning.plain(field, value)
    if value is None or isinstance(value, str):
        return value
    if not is_djangos(type(field).value_to_string):
        return field.value_to_string(SimpleNamespace(**{field.attname: value}))
    if isinstance(value, dict | list | set | tuple):
        raise UnknownValues(field, f"of which a value is a '{type(value).__name__}'")
    return str(value)


def _bytes(field: Any, value: Any) -> Any:
    return None if value is None else bytes(value)


def _json(field: Any, value: Any) -> Any:
    return to_jsonable_python(value)


register_field_type(models.Field, write=cleaning.plain)
register_field_type(
    models.BinaryField,
    annotation=bytes,
    limits=_length,
    json_schema=lambda field: {"format": "base64", "contentEncoding": "base64"},
    read=_bytes,
)
register_field_type(models.BooleanField, annotation=bool)
for kind in (models.CharField, models.TextField):
    register_field_type(
        kind,
        annotation=str,
        limits=_text_limits,
        json_schema=_no_nul,
        clean=cleaning.text,
        write=_text,
    )
register_field_type(models.CompositePrimaryKey, annotation=_key_annotation, read_only=True)
register_field_type(models.DateField, annotation=date)
register_field_type(models.DateTimeField, annotation=datetime, clean=cleaning.moment)
register_field_type(
    models.DecimalField,
    annotation=Decimal,
    limits=_decimal_limits,
    json_schema=_decimal_pattern,
    clean=cleaning.decimal,
)
register_field_type(models.DurationField, annotation=timedelta, limits=_duration_limits)
register_field_type(models.EmailField, json_schema=lambda field: {"format": "email"})
register_field_type(models.FileField, annotation=str, read=_url, read_only=True)
register_field_type(
    models.FilePathField,
    annotation=str,
    limits=_text_limits,
    json_schema=lambda field: {"format": "file-path"},
    clean=cleaning.path,
    write=_text,
)
register_field_type(
    models.FloatField, annotation=float, limits=lambda field: {"allow_inf_nan": False}
)
register_field_type(
    models.GenericIPAddressField,
    annotation=str,
    json_schema=_address_format,
    clean=cleaning.address,
    write=_text,
)
register_field_type(models.IntegerField, annotation=int, limits=_integer_limits)
register_field_type(
    models.JSONField,
    annotation=JsonValue,
    json_schema=_not_null,
    clean=cleaning.json,
    write=_json,
)
register_field_type(models.SlugField, json_schema=_slug_pattern)
register_field_type(
    models.TimeField,
    annotation=time,
    # RFC 3339 has a time zone in its "time"; this is of OpenAPI's registry of formats.
    json_schema=lambda field: {"format": "time-local"},
    clean=cleaning.time_of_day,
)
register_field_type(models.URLField, json_schema=lambda field: {"format": "uri"})
register_field_type(models.UUIDField, annotation=UUID)
