from typing import Any

import pytest

from apart.django_treebeard.models import Place
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db
COLUMNS = ("id", "name", "path", "depth", "numchild")


def of_django(**lookups: Any) -> list[dict[str, Any]]:
    return list(Place.objects.filter(**lookups).values(*COLUMNS))


def test_bodies_grow_the_tree_and_routes_move_it(client: APIClient) -> None:
    def add(name: str, path: str = "") -> str:
        body = {"name": name, "path": "9999", "depth": 9}
        created = client.post(f"/api/places/{path}", json=body)
        assert created.status_code == 201, created.text
        assert [created.json()] == of_django(pk=created.json()["id"])
        return f"{created.json()['id']}/"

    europe, asia = add("Europe"), add("Asia")
    france = add("France", europe)
    add("Paris", france)
    add("Austria", europe)
    assert Place.objects.find_problems() == ([], [], [], [], [])

    assert client.post(f"/api/places/{france}below/{asia}").status_code == 204
    assert client.post(f"/api/places/{asia}below/{france}").status_code == 422
    assert client.patch(f"/api/places/{france}", json={"name": "F", "path": "9999"}).is_success
    rows = client.get(f"/api/places/{asia}below/").json()
    assert [(row["name"], row["depth"]) for row in rows] == [("Asia", 1), ("F", 2), ("Paris", 3)]
    assert rows == of_django(path__startswith=rows[0]["path"])
    assert Place.objects.find_problems() == ([], [], [], [], [])


def test_the_order_of_the_tree_is_that_of_prepared_queries(client: APIClient) -> None:
    roots = [Place.objects.add_root({"name": name}) for name in "BA"]
    for root in reversed(roots):
        Place.objects.add_child(Place.objects.get(pk=root.pk), {"name": f"{root.name} below"})

    for _ in range(2):
        shown = client.get("/api/places/?depth=2").json()
        assert [row["name"] for row in shown] == ["B below", "A below"]
        assert shown == of_django(depth=2)
        assert client.get("/api/places/?depth=3").json() == []
    assert_constant_queries(
        lambda: client.get("/api/places/?depth=1"), lambda: Place.objects.add_root({"name": "C"})
    )
