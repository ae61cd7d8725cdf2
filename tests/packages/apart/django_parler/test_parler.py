from typing import Any

import pytest
from django.utils.translation import override

from apart.django_parler.api import CheeseSchema
from apart.django_parler.models import Cheese, Shelf
from django_mullet import APIClient, LazyLoad, assert_constant_queries

pytestmark = pytest.mark.django_db

LANGUAGES = ["en", "de", "en", "de"]


def add(english: str = "Mountain", german: str | None = "Berg") -> Cheese:
    shelf = Shelf.objects.create(label="Cellar")
    cheese = Cheese.objects.language("en").create(age=3, name=english, shelf=shelf)
    if german is not None:
        cheese.create_translation("de", name=german)
    return cheese


def get(client: APIClient, path: str, language: str) -> Any:
    response = client.get(path, headers={"Accept-Language": language})
    assert response.status_code == 200, response.text
    return response.json()


def shown(language: str) -> list[dict[str, object]]:
    """What Django's instances say, read anew."""
    with override(language):
        return [
            {"id": cheese.pk, "age": cheese.age, "name": cheese.name}
            for cheese in Cheese.objects.order_by("pk")
        ]


@pytest.mark.parametrize("path", ["/api/cheeses/", "/api/cheeses/async/"])
def test_names_are_those_of_the_requests_language(client: APIClient, path: str) -> None:
    add()
    add("Blue", None)

    for language in LANGUAGES:
        assert get(client, path, language) == shown(language)
    assert [row["name"] for row in get(client, path, "de")] == ["Berg", "Blue"]
    assert_constant_queries(lambda: get(client, path, "de"), add)


def test_a_list_without_a_prefetch_says_what_to_write() -> None:
    add()

    with pytest.raises(LazyLoad, match=r'Cheese\.objects\.prefetch_related\("translations"\)'):
        CheeseSchema.from_qs(Cheese.objects.all())


def test_one_cheese_is_shown_without_a_prefetch(client: APIClient) -> None:
    path = f"/api/cheeses/{add().pk}/"

    assert [get(client, path, language)["name"] for language in LANGUAGES] == [
        "Mountain",
        "Berg",
    ] * 2


def test_all_translations_are_nested(client: APIClient) -> None:
    add()

    assert get(client, "/api/shelves/", "de") == [
        {
            "label": "Cellar",
            "cheeses": [
                {
                    "age": 3,
                    "translations": [
                        {"language_code": "en", "name": "Mountain"},
                        {"language_code": "de", "name": "Berg"},
                    ],
                }
            ],
        }
    ]
    assert_constant_queries(lambda: get(client, "/api/shelves/", "de"), add)


@pytest.mark.parametrize("path", ["/api/cheeses/called/", "/api/cheeses/prepared/"])
def test_rows_are_found_by_the_name_of_the_language(client: APIClient, path: str) -> None:
    add()

    for language, name in [("en", "Mountain"), ("de", "Berg")] * 2:
        assert get(client, f"{path}?name={name}", language) == shown(language)
    assert get(client, f"{path}?name=Berg", "en") == []


def test_a_name_is_stored_in_the_language_of_the_request(client: APIClient) -> None:
    answer = client.post(
        "/api/cheeses/", json={"age": 1, "name": "Weiß"}, headers={"Accept-Language": "de"}
    )

    assert answer.status_code == 201
    assert answer.json() == {"id": Cheese.objects.get().pk, "age": 1, "name": "Weiß"}
    assert Cheese.objects.get().get_available_languages().get() == "de"


def test_a_body_and_a_name_are_stored_together(client: APIClient) -> None:
    assert client.post("/api/cheeses/de/?name=Alt", json={"age": 9}).json() == {
        "age": 9,
        "translations": [{"language_code": "de", "name": "Alt"}],
    }
