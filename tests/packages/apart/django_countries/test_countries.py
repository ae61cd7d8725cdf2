from typing import Any

import pytest

from apart.django_countries.models import Person, Pet
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db
NONE: dict[str, Any] = {"born_in": None, "passports": "", "visas": []}


def add() -> Person:
    person = Person.objects.create(name="Ann", country="DE", passports=["FR", "DE"], visas=["US"])
    Pet.objects.create(name="Rex", owner=person)
    return person


def of(person: Person) -> dict[str, Any]:
    """What Django's instance says."""
    return {
        "id": person.pk,
        "name": person.name,
        "country": person.country.code,
        "born_in": person.born_in and person.born_in.code,
        "passports": ",".join(country.code for country in person.passports),
        "visas": [country.code for country in person.visas],
    }


def test_countries_are_their_codes_at_any_depth(client: APIClient) -> None:
    add()

    for _ in range(2):
        [shown] = client.get("/api/people/?country=DE").json()
        assert shown == of(Person.objects.get())
        assert shown["passports"] == "DE,FR"
        assert client.get("/api/people/?country=FR").json() == []
    assert [row["owner"] for row in client.get("/api/pets/").json()] == [shown]
    for path in ("/api/people/?country=DE", "/api/pets/"):
        assert_constant_queries(lambda: client.get(path), add)  # noqa: B023


def test_bodies_have_codes(client: APIClient) -> None:
    body = {"name": "Ann", "country": "DE", "born_in": "NZ", "passports": "DE,FR", "visas": ["NZ"]}

    created = client.post("/api/people/", json=body)

    assert created.status_code == 201, created.text
    person = Person.objects.get()
    assert created.json() == {"id": person.pk, **body} == of(person)
    assert person.country.name == "Germany"
    changed = client.patch(f"/api/people/{person.pk}/", json=NONE)
    assert changed.json() == {**created.json(), **NONE}
    assert of(Person.objects.get()) == changed.json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"country": "??"},
        {"country": ""},
        {"born_in": "Atlantis"},
        {"passports": "DE,??"},
        {"visas": ["DE", "??"]},
        {"visas": "DE"},
    ],
)
def test_what_is_no_country_is_refused(client: APIClient, wrong: dict[str, Any]) -> None:
    answer = client.post("/api/people/", json={"name": "Ann", "country": "DE", **wrong})

    assert answer.status_code == 422, answer.text
    assert next(iter(wrong)) in answer.text
    assert not Person.objects.exists()
