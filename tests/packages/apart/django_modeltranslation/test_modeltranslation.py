import pytest
from django.utils.translation import override

from apart.django_modeltranslation.models import Board, Cheese, Kind
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db

LANGUAGES = ["en", "de", "en", "de"]  # what is compiled for one must not be the other's


@pytest.fixture
def cheese() -> Cheese:
    kind = Kind.objects.create(name_en="Hard", name_de="Hart")
    return Cheese.objects.create(name_en="Mountain", name_de="Berg", kind=kind, age=3)


def get(client: APIClient, path: str, language: str) -> object:
    response = client.get(path, headers={"Accept-Language": language})
    assert response.status_code == 200, response.text
    return response.json()


def shown(cheese: Cheese, language: str) -> dict[str, object]:
    """What Django's instances say, read anew."""
    with override(language):
        cheese = Cheese.objects.get(pk=cheese.pk)
        return {"id": cheese.pk, "name": cheese.name, "kind": {"name": cheese.kind.name}}


def test_names_are_those_of_the_requests_language(client: APIClient, cheese: Cheese) -> None:
    for language in LANGUAGES:
        assert get(client, "/api/cheeses/", language) == [shown(cheese, language)]


def test_a_name_that_is_not_translated_falls_back(client: APIClient, cheese: Cheese) -> None:
    Cheese.objects.create(name_en="Blue", kind=cheese.kind)

    for language in LANGUAGES:
        rows = get(client, "/api/cheeses/", language)
        assert [row["name"] for row in rows] == [  # type: ignore[attr-defined]
            shown(cheese, language)["name"],
            "Blue",
        ]


def test_async_code_filters_by_the_name_of_the_language(client: APIClient, cheese: Cheese) -> None:
    for language, name in [("en", "Mountain"), ("de", "Berg")] * 2:
        path = f"/api/cheeses/async/?name={name}"
        assert get(client, path, language) == [shown(cheese, language)]
    assert get(client, "/api/cheeses/async/?name=Berg", "en") == []


def test_names_below_a_model_that_is_not_registered(client: APIClient, cheese: Cheese) -> None:
    def add() -> None:
        board = Board.objects.create(label="Large", best=cheese)
        kind = Kind.objects.create(name_en="Soft", name_de="Weich")
        other = Cheese.objects.create(name_en="White", name_de="Weiß", kind=kind)
        board.cheeses.add(cheese, other)

    add()
    for language in LANGUAGES:
        [row] = get(client, "/api/boards/", language)  # type: ignore[misc]
        assert row == {
            "label": "Large",
            "best": shown(cheese, language),
            "cheeses": [
                shown(each, language) for each in Board.objects.get().cheeses.order_by("pk")
            ],
        }
    assert_constant_queries(lambda: get(client, "/api/boards/", "de"), add)


def test_bodies_write_the_columns_that_they_name(client: APIClient, cheese: Cheese) -> None:
    body = {"name_en": "Blue", "name_de": "Blau", "kind_id": cheese.kind_id}

    for language in LANGUAGES:
        headers = {"Accept-Language": language}
        assert client.post("/api/cheeses/", json=body, headers=headers).json() == body


def test_bodies_write_the_column_of_the_language(client: APIClient, cheese: Cheese) -> None:
    for language, other in [("en", "de"), ("de", "en")]:
        answer = client.post(
            "/api/cheeses/mine/",
            json={"name": "Blue", "kind_id": cheese.kind_id},
            headers={"Accept-Language": language},
        ).json()
        with override(language):
            expected = Cheese.objects.create(name="Blue", kind=cheese.kind)
        assert answer["name_en"] == expected.name_en
        assert answer["name_de"] == expected.name_de
        assert answer[f"name_{language}"] == "Blue"
        assert answer[f"name_{other}"] is None


def test_a_patch_writes_the_column_of_the_language(client: APIClient, cheese: Cheese) -> None:
    path = f"/api/cheeses/{cheese.pk}/"
    client.patch(path, json={"name": "Alpe"}, headers={"Accept-Language": "de"})
    client.patch(path, json={"name": "Alp"}, headers={"Accept-Language": "en"})

    cheese = Cheese.objects.get()
    assert (cheese.name_de, cheese.name_en) == ("Alpe", "Alp")


def test_a_prepared_query_shows_the_name_of_the_language(client: APIClient, cheese: Cheese) -> None:
    for language in LANGUAGES:
        assert get(client, "/api/cheeses/old/?age=2", language) == [shown(cheese, language)]
        names = get(client, "/api/cheeses/old/names/?age=2", language)
        assert names == [shown(cheese, language)["name"]]


def test_a_prepared_query_is_filtered_by_the_name_of_the_language(
    client: APIClient, cheese: Cheese
) -> None:
    for language in LANGUAGES:
        counts = [
            get(client, f"/api/cheeses/old/count/?age=2&name={name}", language)
            for name in ("Mountain", "Berg")
        ]
        assert counts == ([1, 0] if language == "en" else [0, 1])


def test_a_prepared_query_by_a_column(client: APIClient, cheese: Cheese) -> None:
    for language in LANGUAGES:
        path = "/api/cheeses/called-in-english/?name="
        assert get(client, f"{path}Mountain", language) == [shown(cheese, language)]
        assert get(client, f"{path}Berg", language) == []


def test_a_prepared_query_by_the_name_of_the_language(client: APIClient, cheese: Cheese) -> None:
    for language, name, other in [("en", "Mountain", "Berg"), ("de", "Berg", "Mountain")] * 2:
        path = "/api/cheeses/called/?name="
        assert get(client, f"{path}{name}", language) == [shown(cheese, language)]
        assert get(client, f"{path}{other}", language) == []
