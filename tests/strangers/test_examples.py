"""Is what the OpenAPI document gives as an example of a body taken, for each model?

Keys lead to rows that are made before. What no document can know is written below, and nothing
that it can.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.contenttypes.fields import GenericForeignKey
from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from django_mullet import APIClient, Create
from django_mullet.fields.info import find_field
from django_mullet.fields.registry import reader_of
from project.api import path_of
from project.registry import Model, models_of_packages, schema_of
from recipes import required_values, saved, target_of
from test_round_trip import UNSAVED, remove

pytestmark = pytest.mark.django_db

MODELS = [model for model in models_of_packages() if model._meta.label not in UNSAVED]

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)

KEY = "676f6174"
URIS = ["https://example.org/"]

UNKNOWN: dict[str, dict[str, Any]] = {
    # Validators of the packages, of fields without a default.
    "djstripe.APIKey": {"secret": "sk_test_goatgoatgoatgoatgoatgoat"},
    "helpdesk.ChecklistTemplate": {"task_list": ["Feed the goat"]},
    "otp_hotp.HOTPDevice": {"key": KEY},
    "otp_totp.TOTPDevice": {"key": KEY},
    # What a `save()` or a `clean()` insists on.
    "django_celery_beat.PeriodicTask": {
        "clocked_id": None,
        "crontab_id": None,
        "expire_seconds": None,
        "solar_id": None,
    },
    "oauth2_provider.AccessToken": {"resource": URIS},
    "oauth2_provider.Grant": {"resource": URIS},
    "oauth2_provider.RefreshToken": {"resource": URIS},
    "wagtailcore.ModelLogEntry": {"action": "wagtail.edit"},
    "wagtailcore.PageLogEntry": {"action": "wagtail.edit"},
}
"""What nobody but their packages knows of some models' values, and one that they take."""

Document = Mapping[str, Any]


def example_of(schema: Document, components: Document) -> Any:
    """Return what a page of documentation shows of `schema`."""
    if "$ref" in schema:
        return example_of(components[schema["$ref"].rpartition("/")[2]], components)
    for key in ("examples", "enum"):
        if key in schema:
            return schema[key][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], components)
    if "properties" in schema:
        return {name: example_of(each, components) for name, each in schema["properties"].items()}
    if "items" in schema:
        return [example_of(schema["items"], components)]
    kind = schema.get("type", "object")
    return {"boolean": True, "integer": 0, "number": 0, "string": "string"}.get(kind, {})


def example_of_body(model: Model) -> dict[str, Any]:
    """Return the example of the body that creates one."""
    document = TypeAdapter(Create[schema_of(model)]).json_schema()
    example: dict[str, Any] = example_of(document, document.get("$defs", {}))
    return example


def key_of(field: Any, row: Any) -> Any:
    """Return the key of a row as a request has it."""
    stored = field.related_model._base_manager.get(pk=row.pk)
    key, read = getattr(stored, field.target_field.attname), reader_of(field)
    return key if read is None else read(key)


def with_keys_of_rows(model: Model, body: dict[str, Any]) -> dict[str, Any]:
    """Return `body` with keys of rows that there are, as those of an example may not be."""
    known, found = required_values(model), dict(body)
    for field in model._meta.private_fields:
        if isinstance(field, GenericForeignKey):
            key = model._meta.get_field(field.fk_field)
            found[key.name] = key.to_python(known[key.name])
    for name, value in body.items():
        field = find_field(model, name)
        if value and field.many_to_many:
            limit = field.get_limit_choices_to()
            found[name] = [saved(field.related_model, optional=False, **limit).pk]
        elif value and field.is_relation:
            found[name] = key_of(field, known.get(field.name) or target_of(field))
    return to_jsonable_python(found)


@each_model
def test_the_example_of_the_document_is_taken(
    model: Model, client: APIClient, server: dict[str, Any]
) -> None:
    instance = saved(model)
    instance = model._base_manager.get(pk=instance.pk)
    body = with_keys_of_rows(model, example_of_body(model))
    columns = {field.attname for field in model._meta.concrete_fields if not field.primary_key}
    server.update({name: getattr(instance, name) for name in columns - body.keys()})
    remove(instance)
    url, unknown = f"/api{path_of(model)}/", UNKNOWN.get(model._meta.label)

    if unknown:
        assert client.post(url, json=body).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    response = client.post(url, json=body | (unknown or {}))

    assert response.status_code == HTTPStatus.CREATED, (response.text, body)


def test_what_is_unknown_is_of_models_that_there_are() -> None:
    assert UNKNOWN.keys() <= {model._meta.label for model in MODELS}
