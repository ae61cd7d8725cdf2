import pytest
from django.core.checks import run_checks
from fastapi_cache.backends.inmemory import InMemoryBackend
from pytest_django import DjangoAssertNumQueries, Settings

from apart.fastapi_cache2.models import Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    InMemoryBackend._store.clear()


def test_an_answer_is_kept(
    client: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    book = Book.objects.create(title="Iliad")
    rows = [{"id": book.pk, "title": "Iliad"}]

    with django_assert_num_queries(1):
        assert client.get("/api/books/").json() == rows
    with django_assert_num_queries(0):
        assert client.get("/api/books/").json() == rows


def test_an_endpoint_that_is_def_is_told_of(settings: Settings) -> None:
    settings.ASGI_APPLICATION = "apart.fastapi_cache2.api.app_with_def"

    [found] = [found for found in run_checks() if str(found.id).startswith("mullet.")]

    assert found.id == "mullet.W008"
    assert "'apart.fastapi_cache2.api.books_by_def', which is 'def'" in found.msg
