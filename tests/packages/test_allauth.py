"""django-allauth: does a login on its page count in an API route?"""

from http import HTTPStatus

import pytest
from django.contrib.auth.models import User
from httpx2 import Response

from django_mullet import APIClient

pytestmark = pytest.mark.django_db


def log_in(client: APIClient, **credentials: str) -> Response:
    page = client.get("/accounts/login/")
    assert page.status_code == HTTPStatus.OK
    data = {"csrfmiddlewaretoken": client.cookies["csrftoken"], **credentials}
    return client.post("/accounts/login/", data=data, follow_redirects=False)


@pytest.mark.parametrize("path", ["/api/me/", "/api/me/async/"])
def test_who_has_logged_in_on_its_page_is_known_to_the_api(
    client: APIClient, user: User, path: str
) -> None:
    response = log_in(client, login="goat", password="correct horse")

    assert response.headers["location"] == "/admin/"
    assert client.get(path).json() == "goat"


@pytest.mark.parametrize("path", ["/api/me/", "/api/me/async/"])
def test_a_wrong_password_leaves_nobody(client: APIClient, user: User, path: str) -> None:
    response = log_in(client, login="goat", password="battery staple")

    assert response.status_code == HTTPStatus.OK
    assert client.get(path).status_code == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("path", ["/api/me/", "/api/me/async/"])
def test_a_route_that_writes_needs_the_token_as_its_pages_do(
    client: APIClient, user: User, path: str
) -> None:
    log_in(client, login="goat", password="correct horse")

    refused = client.put(path, params={"name": "Billy"})
    user.refresh_from_db()
    assert (refused.status_code, user.first_name) == (HTTPStatus.FORBIDDEN, "")

    token = {"X-CSRFToken": client.cookies["csrftoken"]}
    assert client.put(path, params={"name": "Billy"}, headers=token).json() == "Billy"
    user.refresh_from_db()
    assert user.first_name == "Billy"


def test_who_has_signed_up_is_known_to_the_api(client: APIClient) -> None:
    client.get("/accounts/signup/")
    data = {
        "csrfmiddlewaretoken": client.cookies["csrftoken"],
        "username": "sheep",
        "password1": "battery staple 1",
        "password2": "battery staple 1",
    }
    client.post("/accounts/signup/", data=data, follow_redirects=False)

    assert client.get("/api/me/").json() == "sheep"


def test_who_has_logged_out_is_not(client: APIClient, user: User) -> None:
    log_in(client, login="goat", password="correct horse")
    data = {"csrfmiddlewaretoken": client.cookies["csrftoken"]}

    client.post("/accounts/logout/", data=data, follow_redirects=False)

    assert client.get("/api/me/").status_code == HTTPStatus.UNAUTHORIZED


def test_a_new_password_ends_the_sessions_before_it(logged_in: APIClient, user: User) -> None:
    user.set_password("battery staple")
    user.save()

    assert logged_in.get("/api/me/").status_code == HTTPStatus.UNAUTHORIZED
