"""What every test may use: the application, clients of it, and somebody who calls."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import override_settings
from fastapi import FastAPI

from django_mullet import APIClient
from shop.models import Book


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """The application, made when there are static files, as on a server."""
    with override_settings(STATIC_ROOT=tmp_path_factory.mktemp("static")):
        call_command("collectstatic", interactive=False, verbosity=0)
        from project.asgi import app

        yield app


@pytest.fixture
def client(app: FastAPI) -> APIClient:
    """A client on this machine, who has not logged in."""
    return APIClient(app, client=("127.0.0.1", 50000))


@pytest.fixture
def user() -> User:
    return User.objects.create_user("goat", "goat@example.org", "correct horse", is_staff=True)


@pytest.fixture
def logged_in(client: APIClient, user: User) -> APIClient:
    """The client, as `user`, with the CSRF token that a page has given it."""
    client.get("/accounts/login/")
    client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
    client.force_login(user)
    return client


@pytest.fixture
def book() -> Book:
    return Book.objects.create(title="Gravity's Rainbow", pages=760)
