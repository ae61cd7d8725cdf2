"""Does a row of each model come through the API as it is, out and back in?"""

import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db import models
from filer.models import File
from machina.models.fields import MarkupText

from django_mullet import APIClient
from project.api import path_of
from project.registry import Model, models_of_packages, schema_of
from recipes import saved

pytestmark = pytest.mark.django_db

ANEW = {"wishlists.WishList": {"key"}}
"""What a model's `save()` makes anew for each new object."""

MOMENTS = {f"waffle.{name}": {"modified"} for name in ("Flag", "Sample", "Switch")}
"""What a model's `save()` makes anew whenever it is called."""

UNSAVED = {"djstripe.UpcomingInvoice"}
"""Models whose `save()` does nothing, as their objects come from elsewhere."""

each_model = pytest.mark.parametrize(
    "model",
    [model for model in models_of_packages() if model._meta.label not in UNSAVED],
    ids=lambda model: model._meta.label,
)


def row_of(instance: Any, *, without: set[str] = frozenset()) -> dict[str, Any]:
    """Return what the database has of an instance, by Django's own means."""
    model = type(instance)
    found = model._base_manager.get(pk=instance.pk)
    row = {field.attname: field.value_from_object(found) for field in model._meta.concrete_fields}
    texts = {name: value.raw for name, value in row.items() if isinstance(value, MarkupText)}
    row |= texts  # these know of no equality
    for field in model._meta.many_to_many:
        row[field.name] = sorted(each.pk for each in getattr(found, field.name).all())
    return {name: value for name, value in row.items() if name not in without}


def times_of(model: Model) -> set[str]:
    """Return the columns that are set whenever a row is saved."""
    fields: Any = model._meta.concrete_fields
    return MOMENTS.get(model._meta.label, set()) | {
        field.attname
        for field in fields
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    }


def keys_of(model: Model) -> set[str]:
    """Return the primary keys of the model and of its bases, which link to each other."""
    metas = [base._meta for base in model.__mro__ if hasattr(base, "_meta")]
    return {meta.pk.attname for meta in metas if not meta.abstract}


def sent(schema: Any, shown: Any) -> dict[str, Any]:
    """Return what a client may send back of what it was shown."""
    shown = json.loads(shown.model_dump_json())
    return {name: value for name, value in shown.items() if not schema.is_read_only(name)}


def remove(instance: Any) -> None:
    """Delete a row, and not the file that another one is to have."""
    if isinstance(instance, File):
        models.Model.delete(instance)
    else:
        instance.delete()


def url_of(instance: Any) -> str:
    return f"/api{path_of(type(instance))}/{quote(str(instance.pk), safe='')}/"


@each_model
def test_a_row_is_shown_as_it_is(model: Model, client: APIClient) -> None:
    instance = saved(model)
    schema = schema_of(model)

    shown = schema.from_model(model._base_manager.get(pk=instance.pk))

    text = shown.model_dump_json()
    assert schema.model_validate_json(text) == shown
    assert schema.from_qs(model._base_manager.filter(pk=instance.pk)) == [shown]
    response = client.get(url_of(instance))
    assert (response.status_code, response.json()) == (HTTPStatus.OK, json.loads(text))


@each_model
def test_a_row_that_is_sent_back_stays_the_same(model: Model, client: APIClient) -> None:
    instance, schema, times = saved(model), schema_of(model), times_of(model)
    before = row_of(instance, without=times)
    body = sent(schema, schema.from_model(model._base_manager.get(pk=instance.pk)))

    response = client.patch(url_of(instance), json=body)

    assert response.status_code == HTTPStatus.OK, response.text
    assert row_of(instance, without=times) == before


@each_model
def test_a_row_is_made_anew_of_what_is_sent(
    model: Model, client: APIClient, server: dict[str, Any]
) -> None:
    instance, schema = saved(model), schema_of(model)
    instance = model._base_manager.get(pk=instance.pk)
    body = sent(schema, schema.from_model(instance))
    columns = {field.attname for field in model._meta.concrete_fields if not field.primary_key}
    server.update({name: getattr(instance, name) for name in columns - body.keys()})
    relations = {field.name for field in model._meta.many_to_many}
    differ = (keys_of(model) | relations) - body.keys()
    differ |= times_of(model) | ANEW.get(model._meta.label, set())
    before = row_of(instance, without=differ)
    remove(instance)
    known = set(model._base_manager.values_list("pk", flat=True))

    response = client.post(f"/api{path_of(model)}/", json=body)

    assert response.status_code == HTTPStatus.CREATED, response.text
    made = model._base_manager.exclude(pk__in=known).get()
    assert row_of(made, without=differ) == before


def test_what_is_made_anew_is_of_models_that_there_are() -> None:
    for label, names in {**ANEW, **MOMENTS}.items():
        assert names <= {field.name for field in apps.get_model(label)._meta.concrete_fields}
