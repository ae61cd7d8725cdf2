from typing import Any

import pytest

from apart.django_phonenumber_field.models import Person, Pet
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db
NUMBER = "+41446681800"


def add() -> Person:
    person = Person.objects.create(name="Ann", number=NUMBER)
    Pet.objects.create(name="Rex", owner=person)
    return person


def of(person: Person) -> dict[str, Any]:
    """What Django's instance says."""
    fax = person.fax and person.fax.as_e164
    return {"id": person.pk, "name": person.name, "number": person.number.as_e164, "fax": fax}


def test_numbers_are_texts_at_any_depth(client: APIClient) -> None:
    add()

    for _ in range(2):
        [shown] = client.get("/api/people/", params={"number": NUMBER}).json()
        assert shown == of(Person.objects.get())
        assert client.get("/api/people/?number=0446681800").json() == [shown]
        assert client.get("/api/people/?number=0446681801").json() == []
    assert [row["owner"] for row in client.get("/api/pets/").json()] == [shown]
    for path in ("/api/people/?number=0446681800", "/api/pets/"):
        assert_constant_queries(lambda: client.get(path), add)  # noqa: B023


def test_bodies_have_numbers_as_people_write_them(client: APIClient) -> None:
    created = client.post("/api/people/", json={"name": "Ann", "number": "044 668 18 00"})

    assert created.status_code == 201, created.text
    person = Person.objects.get()
    assert created.json() == {"id": person.pk, "name": "Ann", "number": NUMBER, "fax": ""}
    assert of(person) == created.json()
    changed = client.patch(f"/api/people/{person.pk}/", json={"fax": "+41 44 668 18 01"})
    assert changed.json() == {**created.json(), "fax": "+41446681801"} == of(Person.objects.get())


@pytest.mark.parametrize("number", ["12", "", "number", None])
def test_what_is_no_number_is_refused(client: APIClient, number: str | None) -> None:
    answer = client.post("/api/people/", json={"name": "Ann", "number": number})

    assert answer.status_code == 422, answer.text
    assert not Person.objects.exists()
