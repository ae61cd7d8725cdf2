from collections.abc import Iterator

import pytest

from apart.svcs.models import Book
from django_mullet import APIClient

pytestmark = pytest.mark.django_db

PATHS = ["/api/books/", "/api/books/async/"]


@pytest.fixture(autouse=True)
def started(client: APIClient) -> Iterator[None]:
    with client:
        yield


@pytest.mark.parametrize("path", PATHS)
def test_a_service_writes(client: APIClient, path: str) -> None:
    for title in ("Iliad", "Odyssey"):
        answer = client.post(path, json={"title": title})
        assert answer.status_code == 201, answer.text
        assert answer.json() == {"id": Book.objects.get(title=title).pk, "title": title}


@pytest.mark.parametrize("path", PATHS)
def test_what_a_service_writes_is_in_the_transaction(client: APIClient, path: str) -> None:
    assert client.post(path, json={"title": ""}).status_code == 409
    assert not Book.objects.exists()
