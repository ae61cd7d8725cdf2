"""Which fields do packages have whose values are of a class of their own?

These do what those of django-money, django-countries, django-timezone-field, django-measurement and
of Saleor do, as small as can be.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import models

from django_mullet import register_field_type


@dataclass(frozen=True)
class Weight:
    kilos: Decimal


class WeightField(models.DecimalField):  # type: ignore[type-arg]
    """Instances have a weight, which is what validators are given."""

    def contribute_to_class(  # type: ignore[override]
        self, cls: Any, name: str, **kwargs: Any
    ) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, name, _Weighed(name))

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.kilos if isinstance(value, Weight) else value)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        return super().get_db_prep_save(self.to_python(value), connection)

    def clean(self, value: Any, model_instance: Any) -> Any:
        self.validate(value, model_instance)
        for check in self._validators:  # type: ignore[attr-defined]
            check(value)
        return self.to_python(value)


class _Weighed:
    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        kilos = instance.__dict__[self.name]
        return None if kilos is None else Weight(kilos)

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.name] = value.kilos if isinstance(value, Weight) else value


def refuse_heavy(weight: Weight) -> None:
    if weight.kilos > 100:
        raise ValidationError("Nobody can lift this.")


class Codes:
    """Some codes, of which the text is for people."""

    def __init__(self, codes: list[str]) -> None:
        self.codes = codes

    def __str__(self) -> str:
        return " and ".join(code.upper() for code in self.codes)


class CodesField(models.CharField):  # type: ignore[type-arg]
    """Holds several of its choices."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Codes | None:
        return None if value is None else Codes(value.split(",") if value else [])

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Codes):
            return value.codes
        return value.split(",") if isinstance(value, str) and value else value or []

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else ",".join(self.to_python(value))

    def value_to_string(self, obj: Any) -> str:
        text: str = self.get_prep_value(self.value_from_object(obj))
        return text

    def validate(self, value: Any, model_instance: Any) -> None:
        known = [choice for choice, _ in self.flatchoices]
        for code in value:
            if code not in known:
                raise ValidationError(f"{code} is not known.")


class WordsField(models.CharField):  # type: ignore[type-arg]
    """Its values are lists, and no method writes them for others."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else value.split()

    def get_prep_value(self, value: Any) -> Any:
        return " ".join(value) if isinstance(value, list) else value


class OwnerField(models.CharField):  # type: ignore[type-arg]
    def to_python(self, value: Any) -> Any:
        return value and value.strip().title()


def refuse_small_letters(name: str) -> None:
    if not name[:1].isupper():
        raise ValidationError("Begin with a capital letter.")


class GradeField(models.IntegerField):  # type: ignore[type-arg]
    """A number that schemas have as a letter."""


class NotesField(models.JSONField):
    def to_python(self, value: Any) -> Any:
        return value or {}


@dataclass(frozen=True)
class Length:
    metres: float


class LengthField(models.FloatField):  # type: ignore[type-arg]
    def from_db_value(self, value: float | None, expression: Any, connection: Any) -> Any:
        return None if value is None else Length(value)

    def to_python(self, value: Any) -> Any:
        return value if value is None or isinstance(value, Length) else Length(float(value))

    def get_prep_value(self, value: Any) -> Any:
        return value.metres if isinstance(value, Length) else value


class ShoutedField(models.CharField):  # type: ignore[type-arg]
    """Makes values of its own that are texts all the same."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else value.upper()


class SealedField(models.CharField):  # type: ignore[type-arg]
    """Reads only what it has written itself."""

    def from_db_value(self, value: str, expression: Any, connection: Any) -> str:
        return value[value.index("*") + 1 :]

    def get_prep_value(self, value: Any) -> Any:
        return f"*{value}"


class ZoneField(models.Field):  # type: ignore[type-arg]
    """Of a class that has no base of Django's but the one of all fields."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["choices"] = [(ZoneInfo(name), name) for name in ("UTC", "Europe/Berlin")]
        super().__init__(**kwargs)

    def db_type(self, connection: Any) -> str:
        return "varchar(40)"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return self.to_python(value)

    def to_python(self, value: Any) -> Any:
        try:
            return ZoneInfo(value) if isinstance(value, str) else value
        except (ValueError, ZoneInfoNotFoundError):
            raise ValidationError("There is no such zone.") from None

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else str(value)


class TailField(models.Field):  # type: ignore[type-arg]
    """Is as it was stored, but read by who knows what."""

    def db_type(self, connection: Any) -> str:
        return "varchar(40)"

    def contribute_to_class(  # type: ignore[override]
        self, cls: Any, name: str, **kwargs: Any
    ) -> None:
        super().contribute_to_class(cls, name, **kwargs)
        setattr(cls, name, _Weighed(name))

    def get_prep_value(self, value: Any) -> Any:
        return value.kilos if isinstance(value, Weight) else value


class ToldZoneField(ZoneField):
    """Of which schemas know what to make."""


class InitialsField(models.Field):  # type: ignore[type-arg]
    """Is no field that is known, and has values that are texts."""

    def db_type(self, connection: Any) -> str:
        return "varchar(40)"

    def to_python(self, value: Any) -> Any:
        return None if value is None else str(value)


register_field_type(
    GradeField,
    annotation=str,
    limits=lambda field: {},
    read=lambda field, number: "ABC"[number],
    write=lambda field, letter: "ABC".find(letter),
)
register_field_type(
    ToldZoneField,
    annotation=str,
    read=lambda field, zone: zone.key,
    write=lambda field, name: field.to_python(name),
)
