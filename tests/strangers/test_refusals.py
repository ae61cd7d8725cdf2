"""Does each refusal say what to write, so that this works?

Each is met with the models of the packages, and what it says to write is written, by the letter.
What is met here, and says something else, fails.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Value
from filer.fields.multistorage_file import MultiStorageFileField
from post_office.fields import CommaSeparatedEmailField
from pydantic import JsonValue, TypeAdapter, create_model
from timezone_field import TimeZoneField
from wagtail.fields import StreamField

from django_mullet import Create, ModelSchema, ReadOnly, annotation_of, schema_for
from django_mullet.checks.schemas import messages_of
from django_mullet.codegen.scaffold import Scaffold
from django_mullet.fields import registry
from django_mullet.fields.info import accessor_of, is_generic
from project.registry import Model, is_left_out, models_of_packages

MODELS = models_of_packages()
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)

KINDS = (bool, bytes, date, datetime, Decimal, float, int, list, str, time, timedelta, UUID)
NAMES: dict[str, Any] = {
    **{kind.__name__: kind for kind in (*KINDS, ZoneInfo)},
    "JsonValue": JsonValue,
    "ReadOnly": ReadOnly,
}
"""What advice names."""


def by_hand(model: Model, annotations: dict[str, Any]) -> Any:
    fields: Any = {name: (annotation, ...) for name, annotation in annotations.items()}
    base: Any = ModelSchema[model]  # type: ignore[valid-type]
    return create_model(f"{model.__name__}ByHand", __base__=base, __module__=__name__, **fields)


def columns_and_relations(model: Model) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields] + [
        field.name for field in model._meta.many_to_many
    ]


# Fields of which no draft is made


@each_model
def test_what_no_draft_may_have_can_be_left_out(model: Model) -> None:
    names = columns_and_relations(model)
    for name in names:
        try:
            schema_for(model, fields=[name])
        except ImproperlyConfigured as error:
            assert is_left_out(model, name)
            [advised] = re.findall(r'leave it out, by exclude=\["(\w+)"\]', str(error))
            others = [each for each in names if not is_left_out(model, each)]
            schema = schema_for(model, fields=[*others, name], exclude=[advised])
            assert name not in schema.model_fields
        else:
            assert not is_left_out(model, name)


def holders(kind: type) -> Iterator[tuple[Model, list[str]]]:
    """Yield the models that have fields of a kind, and their names."""
    for model in MODELS:
        found = [field.name for field in model._meta.concrete_fields if type(field) is kind]
        if found:
            yield model, found


@pytest.mark.parametrize(
    "kind",
    [CommaSeparatedEmailField, MultiStorageFileField, StreamField, TimeZoneField],
    ids=lambda kind: kind.__name__,
)
def test_a_field_that_nobody_has_registered_is_left_out_or_registered(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = registry._rows[kind]
    monkeypatch.delitem(registry._rows, kind)
    registry.type_of_class.cache_clear()
    found = list(holders(kind))
    assert found
    for model, names in found:
        for name in names:
            with pytest.raises(ImproperlyConfigured) as caught:
                schema_for(model, fields=[name])
            advice = (
                f"leave it out of the schema, or write "
                f"'register_field_type({kind.__name__}, annotation="
            )
            assert advice in str(caught.value)
        left = schema_for(model, exclude=names)
        assert left.model_fields.keys().isdisjoint(names)
    registry.register_field_type(
        kind, annotation=known.annotation, read=known.read, write=known.write
    )
    for model, names in found:
        assert schema_for(model, fields=names).model_fields.keys() == {*names}
    monkeypatch.undo()
    registry.type_of_class.cache_clear()


def test_routes_of_a_package_are_written_by_hand() -> None:
    for model in MODELS:
        with pytest.raises(ImproperlyConfigured) as caught:
            Scaffold(model, "project.asgi.app", {}).files()
        advice = "comes with a package: write its routes by hand, in an app of your own."
        assert advice in str(caught.value)


# Annotations that are not what the model has


TAKE_ALL = (JsonValue, JsonValue | None, ZoneInfo, ZoneInfo | None)
"""What may take whatever an annotation says, as far as the check knows."""


def not_of(field: Any) -> Any:
    """Return an annotation that no value of `field` has."""
    if field.many_to_many or field.one_to_many:
        return bytes
    if field.is_relation:
        return list[bytes]
    return list[bytes] if annotation_of(field) in (bytes, bytes | None) else bytes


def fields_of(model: Model) -> dict[str, Any]:
    """Return the fields and the relations in both directions, by what instances call them."""
    named = {accessor_of(field): field for field in model._meta.get_fields()}
    return {
        name: field
        for name, field in named.items()
        if not is_generic(field) and not name.endswith("+") and not name.startswith("_")
    }


@each_model
def test_a_wrong_annotation_becomes_the_one_that_the_check_says(model: Model) -> None:
    wrong = {
        name: not_of(field)
        for name, field in fields_of(model).items()
        if field.is_relation or annotation_of(field) not in TAKE_ALL
    }

    hints = [str(message.hint) for message in messages_of(by_hand(model, wrong))]

    advised = [re.match(r"Write '(\w+): ([^']+)'", hint) for hint in hints]
    assert all(advised), hints
    right = {each[1]: eval(each[2], NAMES) for each in advised if each}
    assert right.keys() == wrong.keys()
    assert [message.hint for message in messages_of(by_hand(model, right))] == []


@pytest.mark.django_db
@each_model
def test_a_name_that_the_model_lacks_is_annotated(model: Model) -> None:
    schema = by_hand(model, {"goats_of": int})
    [message] = messages_of(schema)
    found = re.search(r"'(goats_of): (ReadOnly\[\w+\])'", str(message.hint))
    assert found is not None, message.hint
    schema = by_hand(model, {found[1]: eval(found[2], NAMES)})

    assert list(messages_of(schema)) == []
    shown = schema.from_qs(model._base_manager.annotate(goats_of=Value(3)))
    assert {each.goats_of for each in shown} <= {3}


# Relations that no list of keys sets


SHOWN_ONLY = {
    "order.Line": {"paymentevent_set", "shipping_events"},
    "order.PaymentEvent": {"lines"},
    "order.ShippingEvent": {"lines"},
}


def refusal_of(schema: Any) -> str:
    """Return why there is no body for `schema`, or an empty text."""
    try:
        TypeAdapter(Create[schema])
    except ImproperlyConfigured as error:
        return str(error)
    return ""


@each_model
def test_a_relation_that_no_list_of_keys_sets_is_shown_only(model: Model) -> None:
    refused = set()
    for name, field in fields_of(model).items():
        if not field.many_to_many and not field.one_to_many:
            continue
        keys: Any = list[annotation_of(field.related_model._meta.pk)]  # type: ignore[misc]
        if message := refusal_of(by_hand(model, {name: keys})):
            refused.add(name)
            assert "Write 'ReadOnly[...]' here" in message
            schema = by_hand(model, {name: ReadOnly[keys]})
            assert refusal_of(schema) == ""
            assert list(messages_of(schema)) == []

    assert refused == SHOWN_ONLY.get(model._meta.label, set())
