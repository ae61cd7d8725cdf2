"""DRF and django-ninja: do their views answer below the same `/api/` as FastAPI's routes?"""

from http import HTTPStatus

import pytest
from django.urls import reverse

from django_mullet import APIClient
from shop.models import Book

pytestmark = pytest.mark.django_db

PATHS = ["/api/books/", "/api/drf/books/", "/api/ninja/books/"]


@pytest.mark.parametrize("path", PATHS)
def test_each_lists_the_books(client: APIClient, book: Book, path: str) -> None:
    response = client.get(path)

    assert response.json() == [{"id": book.pk, "title": "Gravity's Rainbow", "pages": 760}]


@pytest.mark.parametrize("path", PATHS)
def test_each_sees_what_the_other_has_written(client: APIClient, path: str) -> None:
    response = client.post("/api/drf/books/", json={"title": "V.", "pages": 492})

    assert response.status_code == HTTPStatus.CREATED
    assert [book["title"] for book in client.get(path).json()] == ["V."]


def test_each_is_found_by_its_name(app: object) -> None:
    assert reverse("list_books") == "/api/books/"
    assert reverse("drf-book-list") == "/api/drf/books/"
    assert reverse("api-1.0.0:list_books") == "/api/ninja/books/"


def test_each_has_its_own_description(client: APIClient) -> None:
    assert "/api/books/" in client.get("/api/openapi.json").json()["paths"]
    assert list(client.get("/api/ninja/openapi.json").json()["paths"]) == ["/api/ninja/books/"]
    browsable = client.get("/api/drf/", headers={"Accept": "text/html"})
    assert "Django REST framework" in browsable.text


def test_what_none_of_them_has_is_the_404_of_fastapi(client: APIClient) -> None:
    response = client.get("/api/nope/")

    assert (response.status_code, response.json()) == (404, {"detail": "Not Found"})
