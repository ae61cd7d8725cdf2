from typing import Any
from zoneinfo import ZoneInfo

import pytest

from apart.django_timezone_field.models import City, Street
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def add() -> City:
    city = City.objects.create(name="Bonn", zone="Europe/Berlin")
    Street.objects.create(name="Main", city=city)
    return city


def of(city: City) -> dict[str, Any]:
    """What Django's instance says."""
    summer = city.summer_zone and city.summer_zone.key
    return {"id": city.pk, "name": city.name, "zone": city.zone.key, "summer_zone": summer}


def test_time_zones_are_their_names_at_any_depth(client: APIClient) -> None:
    add()

    for _ in range(2):
        [shown] = client.get("/api/cities/?zone=Europe/Berlin").json()
        assert shown == of(City.objects.get())
        assert client.get("/api/cities/?zone=Europe/Paris").json() == []
    assert [row["city"] for row in client.get("/api/streets/").json()] == [shown]
    for path in ("/api/cities/?zone=Europe/Berlin", "/api/streets/"):
        assert_constant_queries(lambda: client.get(path), add)  # noqa: B023


def test_bodies_have_names_of_time_zones(client: APIClient) -> None:
    body = {"name": "Bonn", "zone": "Europe/Berlin", "summer_zone": None}

    created = client.post("/api/cities/", json=body)

    assert created.status_code == 201, created.text
    city = City.objects.get()
    assert created.json() == {"id": city.pk, **body} == of(city)
    assert city.zone == ZoneInfo("Europe/Berlin")
    changed = client.patch(f"/api/cities/{city.pk}/", json={"summer_zone": "Asia/Tokyo"})
    assert changed.json() == {**created.json(), "summer_zone": "Asia/Tokyo"}
    assert of(City.objects.get()) == changed.json()


@pytest.mark.parametrize("zone", ["Atlantis", "", None, 1])
def test_what_is_no_time_zone_is_refused(client: APIClient, zone: Any) -> None:
    answer = client.post("/api/cities/", json={"name": "Bonn", "zone": zone})

    assert answer.status_code == 422, answer.text
    assert not City.objects.exists()


def test_the_document_says_that_a_time_zone_is_text(client: APIClient) -> None:
    city = client.get("/openapi.json").json()["components"]["schemas"]["CityCreate"]

    assert city["properties"]["zone"]["type"] == "string"
    assert set(city["required"]) == {"name", "zone"}
