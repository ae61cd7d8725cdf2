from typing import Any

import pytest

from apart.django_mptt.models import Place, PlainPlace
from django_mullet.testing import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def tree(model: Any) -> list[tuple[object, ...]]:
    rows = model.objects.order_by("tree_id", "lft")
    return list(rows.values_list("name", "level", "lft", "rght", "tree_id", "parent__name"))


def test_bodies_grow_and_move_the_tree_as_django_does(client: APIClient) -> None:
    def add(name: str, parent: int | None = None) -> int:
        PlainPlace.objects.create(name=name, parent_id=parent)
        created = client.post("/api/places/", json={"name": name, "parent_id": parent, "level": 9})
        assert created.status_code == 201, created.text
        assert created.json()["level"] == Place.objects.get(pk=created.json()["id"]).level
        key: int = created.json()["id"]
        return key

    europe, asia = add("Europe"), add("Asia")
    france = add("France", europe)
    add("Austria", europe), add("Paris", france)
    assert tree(Place) == tree(PlainPlace)

    assert client.patch(f"/api/places/{france}/", json={"parent_id": asia}).json()["level"] == 1
    assert client.patch(f"/api/places/{france}/", json={"name": "Franconia"}).status_code == 200
    plain = PlainPlace.objects.get(pk=france)
    plain.parent_id = asia
    plain.save()
    plain.name = "Franconia"
    plain.save()
    assert tree(Place) == tree(PlainPlace)

    assert client.patch(f"/api/places/{asia}/", json={"parent_id": france}).status_code == 422
    assert tree(Place) == tree(PlainPlace)


def test_the_tree_is_shown_in_its_order(client: APIClient) -> None:
    europe = Place.objects.create(name="Europe")
    france = Place.objects.create(name="France", parent=europe)
    Place.objects.create(name="Austria", parent=europe)
    Place.objects.create(name="Paris", parent=france)

    rows = client.get("/api/places/").json()
    assert [row["name"] for row in rows] == ["Europe", "Austria", "France", "Paris"]
    assert [(row["name"], row["level"], row["parent_id"]) for row in rows] == list(
        Place.objects.values_list("name", "level", "parent_id")
    )
    assert client.get(f"/api/places/{europe.pk}/below/").json() == rows[1:]
    for _ in range(2):
        assert client.get("/api/branches/?level=0").json() == [
            {"name": "Europe", "children": [{"name": "Austria"}, {"name": "France"}]}
        ]
        assert client.get("/api/branches/?level=9").json() == []


@pytest.mark.parametrize("path", ["/api/places/", "/api/branches/?level=0"])
def test_lists_make_constant_queries(client: APIClient, path: str) -> None:
    def add() -> None:
        Place.objects.create(name="France", parent=Place.objects.create(name="Europe"))

    assert_constant_queries(lambda: client.get(path), add)
