"""django-csp: does what is answered carry the policy?"""

import pytest

from django_mullet import APIClient

pytestmark = pytest.mark.django_db

POLICY = "default-src 'self'"


@pytest.mark.parametrize("path", ["/admin/login/", "/accounts/login/", "/api/drf/books/", "/nope/"])
def test_what_django_answers_carries_the_policy(client: APIClient, path: str) -> None:
    assert client.get(path).headers["content-security-policy"] == POLICY


@pytest.mark.parametrize("path", ["", "async/"])
def test_so_does_an_api_route_behind_it(client: APIClient, path: str) -> None:
    response = client.get(f"/api/behind-middleware/books/{path}")

    assert response.json() == []
    assert response.headers["content-security-policy"] == POLICY


def test_an_api_route_that_is_not_behind_it_has_none(client: APIClient) -> None:
    assert "content-security-policy" not in client.get("/api/books/").headers
