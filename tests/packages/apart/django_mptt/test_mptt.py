from typing import Any

import pytest

from apart.django_mptt.models import Place, PlainPlace
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def tree(model: Any) -> list[tuple[object, ...]]:
    rows = model.objects.order_by("tree_id", "lft")
    return list(rows.values_list("name", "level", "lft", "rght", "tree_id", "parent__name"))


def test_bodies_grow_and_move_the_tree_as_django_does(client: APIClient) -> None:
    def key(name: str) -> int:
        return Place.objects.get(name=name).pk

    def add(name: str, parent: str | None = None) -> None:
        PlainPlace.objects.create(name=name, parent=PlainPlace.objects.filter(name=parent).first())
        body = {"name": name, "parent_id": parent and key(parent), "level": 9}
        created = client.post("/api/places/", json=body)
        assert created.status_code == 201, created.text
        assert created.json()["level"] == Place.objects.get(name=name).level

    def change(place: str, **changes: Any) -> Any:
        return client.patch(f"/api/places/{key(place)}/", json=changes)

    for name, parent in [("Europe", None), ("Asia", None), ("France", "Europe")]:
        add(name, parent)
    add("Austria", "Europe")
    add("Paris", "France")
    assert tree(Place) == tree(PlainPlace)

    assert change("France", parent_id=key("Asia")).json()["level"] == 1
    assert change("France", name="Franconia").status_code == 200
    plain = PlainPlace.objects.get(name="France")
    plain.parent = PlainPlace.objects.get(name="Asia")
    plain.save()
    plain.name = "Franconia"
    plain.save()
    assert tree(Place) == tree(PlainPlace)

    assert change("Asia", parent_id=key("Franconia")).status_code == 422
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
