"""Does a list of each model take as many queries for many rows as for one?"""

import json
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from django_mullet import APIClient
from project.api import path_of
from project.registry import Model, models_of_packages, schema_of
from recipes import saved

pytestmark = pytest.mark.django_db

SINGLE = [
    # Their `save()` sees to it that there is one row.
    "cms.UrlconfRevision",
    "django_celery_beat.PeriodicTasks",
    # Its `save()` does nothing, as its objects come from elsewhere.
    "djstripe.UpcomingInvoice",
]
"""Models of which there are not several rows."""

each_model = pytest.mark.parametrize(
    "model",
    [model for model in models_of_packages() if model._meta.label not in SINGLE],
    ids=lambda model: model._meta.label,
)


def listed(client: APIClient, model: Model) -> tuple[list[Any], list[str]]:
    """Return what a list of the model shows, and the queries that it takes."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(f"/api{path_of(model)}/")
    assert response.status_code == HTTPStatus.OK, response.text
    return response.json(), [query["sql"] for query in captured.captured_queries]


@each_model
def test_a_list_takes_as_many_queries_for_three_rows_as_for_one(
    model: Model, client: APIClient
) -> None:
    schema, instances = schema_of(model), [saved(model)]
    before, few = listed(client, model)
    instances += [saved(model), saved(model)]

    after, many = listed(client, model)

    assert len(after) >= len(before) + 2
    assert len(many) == len(few), many
    for instance in instances:
        shown = schema.from_model(model._base_manager.get(pk=instance.pk))
        assert json.loads(shown.model_dump_json()) in after


@pytest.mark.parametrize("label", SINGLE)
def test_of_those_that_are_left_out_there_is_no_second_row(label: str) -> None:
    model: Any = apps.get_model(label)
    for _ in range(2):
        with suppress(IntegrityError), transaction.atomic():
            saved(model)

    assert model._base_manager.count() <= 1
