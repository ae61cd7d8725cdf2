from typing import Any

import pytest

from apart.fastapi_pagination.models import Author, Book
from django_mullet import APIClient, LazyLoad, assert_constant_queries

pytestmark = pytest.mark.django_db


def add() -> None:
    for name in ("Homer", "Sappho", "Homer"):
        author = Author.objects.create(name=name)
        Book.objects.bulk_create([Book(title=title, author=author) for title in ("I", "II")])


def of_authors(**conditions: Any) -> list[dict[str, Any]]:
    """What Django says of them."""
    return [
        {
            "id": author.pk,
            "name": author.name,
            "books": [{"title": book.title} for book in author.books.order_by("pk")],
        }
        for author in Author.objects.filter(**conditions).order_by("pk")
    ]


@pytest.mark.parametrize("path", ["/api/authors/", "/api/authors/async/"])
def test_a_page_has_its_rows_and_the_total(client: APIClient, path: str) -> None:
    add()
    facts = {"total": 3, "size": 2, "pages": 2}

    for page, rows in ((1, of_authors()[:2]), (2, of_authors()[2:]), (3, [])):
        answer = client.get(f"{path}?page={page}&size=2")
        assert answer.json() == {"items": rows, "page": page, **facts}


def test_an_offset_into_a_filtered_list(client: APIClient) -> None:
    add()

    answer = client.get("/api/authors/from/?name=Homer&offset=1&limit=5").json()

    assert answer["items"] == of_authors(name="Homer")[1:]
    assert answer["total"] == 2


@pytest.mark.parametrize(
    "path", ["/api/authors/", "/api/authors/async/", "/api/authors/from/?name=Homer"]
)
def test_a_page_asks_no_more_for_more_rows(client: APIClient, path: str) -> None:
    assert_constant_queries(lambda: client.get(path), add)


def test_a_page_that_cannot_be_is_refused(client: APIClient) -> None:
    assert client.get("/api/authors/?page=0").status_code == 422


def test_the_page_is_in_the_document(client: APIClient) -> None:
    document = client.get("/openapi.json").json()

    parameters = document["paths"]["/api/authors/"]["get"]["parameters"]
    assert {parameter["name"] for parameter in parameters} == {"page", "size"}
    assert "Page_AuthorSchema_" in document["components"]["schemas"]


def test_a_page_that_reads_each_instance_by_itself_is_refused(client: APIClient) -> None:
    add()

    with pytest.raises(LazyLoad, match=r"objects\.prefetch_related\(\"books\"\)'\.$"):
        client.get("/api/authors/each/")
