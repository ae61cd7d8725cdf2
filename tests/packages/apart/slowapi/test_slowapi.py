import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from apart.slowapi.api import limiter
from apart.slowapi.models import Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_has_asked() -> None:
    limiter.reset()


@pytest.mark.parametrize("path", ["/api/books/", "/api/books/async/"])
def test_a_route_is_answered_so_often(
    client: APIClient, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    book = Book.objects.create(title="Iliad")

    for _ in range(2):
        with django_assert_num_queries(1):
            assert client.get(path).json() == [{"id": book.pk, "title": "Iliad"}]
    with django_assert_num_queries(0):
        assert client.get(path).status_code == 429
