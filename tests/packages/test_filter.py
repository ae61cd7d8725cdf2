"""django-filter: does a FilterSet read the query string of an API route?"""

from http import HTTPStatus

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from django_mullet import APIClient
from shop.models import Book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def books() -> None:
    for title, pages in {"V.": 492, "Vineland": 385, "Mason & Dixon": 773}.items():
        Book.objects.create(title=title, pages=pages)


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", ["V.", "Vineland", "Mason & Dixon"]),
        ("title=v", ["V.", "Vineland"]),
        ("title=mason+%26", ["Mason & Dixon"]),
        ("pages_min=400&order=-pages", ["Mason & Dixon", "V."]),
        ("order=title", ["Mason & Dixon", "V.", "Vineland"]),
    ],
)
def test_the_query_string_says_which_books(
    client: APIClient,
    query: str,
    titles: list[str],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(1):
        response = client.get(f"/api/filtered/books/?{query}")

    assert [book["title"] for book in response.json()] == titles


def test_what_is_no_filter_is_a_422_that_names_the_parameter(client: APIClient) -> None:
    response = client.get("/api/filtered/books/?order=colour")

    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    [error] = response.json()["detail"]
    assert error["loc"] == ["query", "order"]
    assert "colour" in error["msg"]
