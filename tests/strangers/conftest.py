"""What every test may use: the application, and what a database of these packages begins with."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import override_settings
from fastapi import FastAPI
from model_bakery import baker
from oscar.core.loading import get_model
from pytest_django.plugin import DjangoDbBlocker
from wagtail.models import Collection, Locale, Page

from django_mullet import APIClient
from project.api import application, values_of_the_server
from project.registry import models_of_packages


@pytest.fixture(scope="session", autouse=True)
def media(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the files of the tests out of the way."""
    with override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media")):
        yield


@pytest.fixture(autouse=True)
def seed() -> None:
    """Have each test make up the same values."""
    baker.seed(1)


@pytest.fixture(scope="session")
def app() -> FastAPI:
    return application(models_of_packages())


@pytest.fixture
def client(app: FastAPI) -> APIClient:
    return APIClient(app)


@pytest.fixture
def server(app: FastAPI) -> Iterator[dict[str, Any]]:
    """Return what the server adds to what a client sends."""
    values: dict[str, Any] = {}
    app.dependency_overrides[values_of_the_server] = lambda: values
    yield values
    app.dependency_overrides.clear()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        Locale.objects.create(language_code="en")
        Collection.add_root(name="Root")
        content_type = ContentType.objects.get_for_model(Page)
        Page.add_root(title="Root", slug="root", content_type=content_type)
        with connection.schema_editor() as editor:
            # In a shop it is a view of the database, which a migration makes.
            editor.create_model(get_model("catalogue", "ProductCategoryHierarchy"))
