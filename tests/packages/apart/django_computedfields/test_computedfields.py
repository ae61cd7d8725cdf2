from typing import Any

import pytest

from apart.django_computedfields.models import Item, Shop
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


def add() -> Shop:
    shop = Shop.objects.create(name="S")
    Item.objects.create(shop=shop, price=2, pieces=3)
    return shop


def of(shop: Shop) -> dict[str, Any]:
    """What Django's instances say."""
    names = ("price", "pieces", "total", "label")
    items = [{name: getattr(item, name) for name in names} for item in shop.items.order_by("pk")]
    return {"id": shop.pk, "name": shop.name, "worth": shop.worth, "items": items}


def test_computed_columns_are_shown_and_asked_for(client: APIClient) -> None:
    shop = add()

    for _ in range(2):
        [shown] = client.get("/api/shops/?worth=6").json()
        assert shown == of(Shop.objects.get(pk=shop.pk))
        assert shown["worth"] == 6
        assert client.get("/api/shops/?worth=7").json() == []
    assert_constant_queries(lambda: client.get("/api/shops/?worth=6"), add)


def test_a_body_with_all_within_it_has_them_computed(client: APIClient) -> None:
    items = [{"price": 2, "pieces": 3, "total": 99}, {"price": 5}]

    created = client.post("/api/shops/", json={"name": "S", "worth": 99, "items": items})

    assert created.status_code == 201, created.text
    assert created.json() == of(Shop.objects.get())
    assert created.json()["worth"] == 11
    path = f"/api/shops/{created.json()['id']}/"
    changed = client.patch(path, json={"name": "T"})
    assert changed.json() == of(Shop.objects.get())
    assert [item["label"] for item in changed.json()["items"]] == ["T: 6", "T: 5"]
    assert client.patch(path, json={"items": items[:1]}).json()["worth"] == 6
    assert client.patch(path, json={"items": []}).json()["worth"] == 0


def test_what_is_saved_computes_what_depends_on_it(client: APIClient) -> None:
    shop = Shop.objects.create(name="S")

    for worth in (6, 12):
        created = client.post("/api/items/", json={"shop_id": shop.pk, "price": 2, "pieces": 3})
        assert created.json()["total"] == 6
        assert created.json()["label"] == "S: 6"
        assert Shop.objects.get().worth == worth
    path = f"/api/items/{created.json()['id']}/async/"
    assert client.patch(path, json={"price": 3}).json()["label"] == "S: 9"
    assert Shop.objects.get().worth == 15
