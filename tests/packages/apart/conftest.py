"""What the tests of every package may use: its application, and a client of that."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.utils.module_loading import import_string
from fastapi import FastAPI
from pytest_django import DjangoDbBlocker

from django_mullet import APIClient


@pytest.fixture(scope="session")
def app(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> FastAPI:
    """The application, `app` in the package's `api.py`, which django-mullet's checks accept."""
    app = import_string(settings.ASGI_APPLICATION)
    with django_db_blocker.unblock():  # checks of Django's own ask what the database can do
        found = run_checks()
    assert [str(message) for message in found if str(message.id).startswith("mullet.")] == []
    return app


@pytest.fixture
def client(app: FastAPI) -> APIClient:
    # From an address, as Django's test client: packages store it in columns of addresses.
    return APIClient(app, client=("127.0.0.1", 50000))


@pytest.fixture
def logged_in(client: APIClient, db: None) -> APIClient:
    """The client, as a user called "ann", with the CSRF token that a page has given it."""
    client.headers["X-CSRFToken"] = client.cookies["csrftoken"] = "a" * 32
    client.force_login(User.objects.create_user("ann"))
    return client
