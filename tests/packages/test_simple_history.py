"""django-simple-history: does the history know who has written through an API route?"""

from http import HTTPStatus

import pytest
from django.contrib.auth.models import User
from simple_history.models import HistoricalRecords

from django_mullet import APIClient
from shop.models import Book

pytestmark = pytest.mark.django_db

PATHS = ["/api/historical/books/", "/api/historical/books/async/"]
DATA = {"title": "V.", "pages": 492}


@pytest.mark.parametrize("path", PATHS)
def test_the_history_knows_who_has_written(logged_in: APIClient, user: User, path: str) -> None:
    response = logged_in.post(path, json=DATA)

    assert response.status_code == HTTPStatus.CREATED
    record = Book.history.get()
    assert (record.title, record.history_type, record.history_user) == ("V.", "+", user)


@pytest.mark.parametrize("path", PATHS)
def test_the_next_request_writes_as_nobody(logged_in: APIClient, user: User, path: str) -> None:
    logged_in.post(path, json=DATA)

    logged_in.cookies.delete("sessionid")
    logged_in.post(path, json=DATA)

    assert Book.history.count() == 2
    assert Book.history.latest("pk").history_user is None
    assert not hasattr(HistoricalRecords.context, "request")


def test_the_admin_shows_what_the_api_has_written(logged_in: APIClient, user: User) -> None:
    user.is_superuser = True
    user.save()
    book = logged_in.post("/api/historical/books/", json=DATA).json()

    page = logged_in.get(f"/admin/shop/book/{book['id']}/history/")

    assert page.status_code == HTTPStatus.OK
    assert "V." in page.text
    assert "goat" in page.text
