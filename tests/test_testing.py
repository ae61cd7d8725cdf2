from importlib import import_module

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from fastapi import FastAPI, Request, Response

from django_mullet import APIClient

pytestmark = pytest.mark.django_db

app = FastAPI()


@app.get("/session")
async def session_key(request: Request) -> str | None:
    return request.cookies.get(settings.SESSION_COOKIE_NAME)


@app.get("/rotate")
async def rotate(response: Response) -> None:
    response.set_cookie(settings.SESSION_COOKIE_NAME, "rotated")


@pytest.fixture
def user() -> User:
    return User.objects.create_user("goat")


def stored_session(client: APIClient) -> dict[str, str]:
    engine = import_module(settings.SESSION_ENGINE)
    stored: dict[str, str] = engine.SessionStore(client.get("/session").json()).load()
    return stored


def test_nobody_is_logged_in_at_first() -> None:
    assert APIClient(app).get("/session").json() is None


def test_force_login_sends_a_session_of_the_user(user: User) -> None:
    client = APIClient(app)

    client.force_login(user)

    assert stored_session(client)["_auth_user_id"] == str(user.pk)


def test_force_login_takes_the_backend(user: User) -> None:
    client = APIClient(app)

    client.force_login(user, "django.contrib.auth.backends.AllowAllUsersModelBackend")

    assert stored_session(client)["_auth_user_backend"].endswith("AllowAllUsersModelBackend")


def test_force_login_replaces_another_login(user: User) -> None:
    client = APIClient(app)
    client.force_login(User.objects.create_user("sheep"))
    client.get("/rotate")

    client.force_login(user)

    assert stored_session(client)["_auth_user_id"] == str(user.pk)


def test_a_response_can_replace_the_session(user: User) -> None:
    client = APIClient(app)
    client.force_login(user)

    client.get("/rotate")

    assert client.get("/session").json() == "rotated"


def test_force_login_works_at_a_domain_name(user: User) -> None:
    client = APIClient(app, base_url="https://api.example.org:8443")

    client.force_login(user)

    assert stored_session(client)["_auth_user_id"] == str(user.pk)


def test_logout_deletes_the_session_and_all_cookies(user: User) -> None:
    client = APIClient(app)
    client.force_login(user)
    client.cookies.set("other", "1")
    key = client.get("/session").json()

    client.logout()

    engine = import_module(settings.SESSION_ENGINE)
    assert not engine.SessionStore().exists(key)
    assert not client.cookies


def test_logout_of_nobody_does_nothing() -> None:
    APIClient(app).logout()
