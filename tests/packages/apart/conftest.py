"""What the tests of every package may use: its application, and a client of that."""

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.utils.module_loading import import_string
from fastapi import FastAPI

from django_mullet.testing import APIClient


@pytest.fixture(scope="session")
def app() -> FastAPI:
    """The application, `app` in the package's `api.py`, which django-mullet's checks accept."""
    app = import_string(settings.ASGI_APPLICATION)
    assert [str(found) for found in run_checks() if str(found.id).startswith("mullet.")] == []
    return app


@pytest.fixture
def client(app: FastAPI) -> APIClient:
    return APIClient(app)
