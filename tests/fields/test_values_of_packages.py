"""Are values of classes of their own shown and taken, or refused with what to write?"""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from pydantic import JsonValue, TypeAdapter, ValidationError, create_model

from django_mullet import Create, ModelSchema, schema_for
from django_mullet.checks.schemas import messages_of
from django_mullet.fields.type_source import spell
from tests.packaged.models import Crate, Oddity
from tests.packaged.values import Weight

pytestmark = pytest.mark.django_db


class CrateSchema(ModelSchema[Crate]):
    weight: Decimal
    marks: str
    zone: str
    owner: str
    grade: str
    notes: JsonValue


def created(**values: Any) -> Crate:
    body = TypeAdapter(Create[CrateSchema]).validate_python({"weight": "1.50"} | values)
    crate: Crate = body.create()
    crate.refresh_from_db()
    return crate


def errors_of(**values: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        created(**values)
    return [error["msg"] for error in caught.value.errors()]


def test_what_a_schema_takes_it_shows() -> None:
    crate = created(weight="12.50", marks="up,dry", zone="Europe/Berlin")

    assert crate.weight == Weight(Decimal("12.5"))
    assert crate.marks.codes == ["up", "dry"]
    assert crate.zone == ZoneInfo("Europe/Berlin")
    [shown] = CrateSchema.from_qs(Crate.objects.all())
    assert shown.model_dump() == {
        "weight": Decimal("12.5"),
        "marks": "up,dry",
        "zone": "Europe/Berlin",
        "owner": "Ann",
        "grade": "A",
        "notes": {},
    }
    assert list(messages_of(CrateSchema)) == []


def test_a_validator_is_given_what_an_instance_has() -> None:
    assert errors_of(weight="101.00") == ["Nobody can lift this."]


def test_a_validator_is_given_what_the_field_makes_of_a_value() -> None:
    assert created(owner="bob").owner == "Bob"  # as its `get_prep_value()` has it
    assert errors_of(owner="1st") == ["Begin with a capital letter."]


def test_a_field_that_holds_several_choices_looks_at_each() -> None:
    assert created(marks="dry").marks.codes == ["dry"]
    assert created(marks="").marks.codes == []
    assert errors_of(marks="dry,wet") == ["wet is not known."]


def test_the_choices_are_those_of_the_schema() -> None:
    properties = TypeAdapter(Create[CrateSchema]).json_schema()["properties"]

    assert properties["zone"]["enum"] == ["UTC", "Europe/Berlin"]
    assert properties["grade"]["enum"] == ["A", "B"]
    assert "enum" not in properties["marks"]
    assert errors_of(zone="Europe/Paris") == ["Input should be 'UTC' or 'Europe/Berlin'"]


def test_the_choices_hold_for_other_annotations() -> None:
    class Wide(ModelSchema[Crate]):
        zone: Any
        grade: Any

    body: Any = TypeAdapter(Create[Wide])

    assert body.validate_python({"zone": "UTC", "grade": "B"}).grade == "B"
    with pytest.raises(ValidationError) as caught:
        body.validate_python({"zone": "Europe/Paris", "grade": "C"})
    [zone, grade] = caught.value.errors()
    assert "is not a valid choice" in zone["msg"]
    assert grade["msg"] == "Choose one of: A, B."


@pytest.mark.parametrize(
    ("name", "annotation"),
    [("length", float), ("words", str), ("zone", str), ("zone", str | None), ("tail", str)],
)
def test_values_of_which_nobody_has_told_are_told_by_the_check(name: str, annotation: Any) -> None:
    kind = f"{name.capitalize()}Field"
    written = spell(annotation)

    [found] = messages_of(of_oddity(**{name: annotation}))

    assert found.id == "mullet.E004"
    assert found.msg == (
        f"'S.{name}' is '{written}', but the values of 'Oddity.{name}', a {kind}, are of an "
        "unknown class."
    )
    assert found.hint == (
        f"Write 'register_field_type({kind}, annotation={written.removesuffix(' | None')}, "
        f"read=..., "
        "write=...)', of 'django_mullet'."
    )


def of_oddity(**annotations: Any) -> Any:
    fields: Any = {name: (annotation, ...) for name, annotation in annotations.items()}
    return create_model("S", __base__=ModelSchema[Oddity], **fields)


@pytest.mark.parametrize(
    ("name", "annotation"),
    [
        ("length", Any),
        ("loud", str),
        ("seal", str),
        ("zone", ZoneInfo),
        ("zone", JsonValue),
        ("initials", str),
        ("price", Decimal),
    ],
)
def test_what_may_be_right_is_let_pass(name: str, annotation: Any) -> None:
    assert list(messages_of(of_oddity(**{name: annotation}))) == []


@pytest.mark.parametrize(("name", "type_"), [("length", "float"), ("words", "str")])
def test_no_schema_is_drafted_for_values_of_which_nobody_has_told(name: str, type_: str) -> None:
    kind = f"{name.capitalize()}Field"

    with pytest.raises(ImproperlyConfigured) as caught:
        schema_for(Oddity, fields=[name])

    assert str(caught.value) == (
        f"'packaged.Oddity.{name}' is a '{kind}', of which the values are no '{type_}': leave "
        f"it out of the schema, or write 'register_field_type({kind}, annotation=..., read=..., "
        f"write=...)', "
        "of 'django_mullet'."
    )


def test_no_list_is_shown_as_the_text_that_python_has_for_it() -> None:
    Oddity.objects.create(words=["so", "what"])

    with pytest.raises(ImproperlyConfigured, match="of which a value is a 'list': leave it out"):
        of_oddity(words=str).from_qs(Oddity.objects.all())
