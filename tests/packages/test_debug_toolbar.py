"""django-debug-toolbar: do the API and the admin work with it?"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import override_settings
from httpx2 import Client

from django_mullet import APIClient
from serving import serving
from shop.models import Book

pytestmark = pytest.mark.django_db

UVICORN = ["uvicorn", "project.asgi:app", "--port", "0", "--no-access-log"]


@pytest.fixture(autouse=True)
def debug() -> Iterator[None]:
    with override_settings(DEBUG=True):
        yield


def test_a_page_has_the_toolbar_with_its_queries(
    logged_in: APIClient, user: User, book: Book
) -> None:
    user.is_superuser = True
    user.save()

    page = logged_in.get("/admin/shop/book/")

    assert "Gravity&#x27;s Rainbow" in page.text
    assert 'id="djDebug"' in page.text
    request_id = page.headers["djdt-request-id"]
    panel = logged_in.get(
        "/__debug__/render_panel/", params={"request_id": request_id, "panel_id": "SQLPanel"}
    )
    assert "shop_book" in panel.json()["content"]


@pytest.mark.parametrize("path", ["/api/books/", "/api/filtered/books/", "/api/ninja/books/"])
def test_the_api_answers_what_it_does_without(logged_in: APIClient, book: Book, path: str) -> None:
    logged_in.get("/admin/")

    response = logged_in.get(path)

    assert response.json() == [{"id": book.pk, "title": "Gravity's Rainbow", "pages": 760}]


@pytest.mark.parametrize("path", ["", "async/"])
def test_an_api_route_behind_it_answers_the_same(client: APIClient, book: Book, path: str) -> None:
    response = client.get(f"/api/behind-middleware/books/{path}")

    assert response.headers["djdt-request-id"]
    assert response.headers["content-type"] == "application/json"
    assert response.content == client.get("/api/books/").content


# On a server


def test_pages_and_api_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    with (
        serving(tmp_path, UVICORN, DEBUG="true") as url,
        Client(base_url=url, timeout=60) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        pages = threads.map(client.get, ["/accounts/login/"] * 20)
        lists = threads.map(client.get, ["/api/books/"] * 100)

        assert all('id="djDebug"' in page.text for page in pages)
        assert {(found.status_code, found.text) for found in lists} == {(200, "[]")}
