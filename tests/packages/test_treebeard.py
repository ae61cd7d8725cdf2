"""django-treebeard: does a tree grow through an API route?"""

from http import HTTPStatus

import pytest

from django_mullet import APIClient
from shop.models import Category

pytestmark = pytest.mark.django_db


def test_a_tree_grows_and_is_read_in_its_order(client: APIClient) -> None:
    root = Category.objects.add_root({"name": "Books"})

    def add(parent_id: int, name: str) -> int:
        response = client.post(f"/api/categories/{parent_id}/", json={"name": name})
        assert response.status_code == HTTPStatus.CREATED
        category_id: int = response.json()["id"]
        return category_id

    novels = add(root.pk, "Novels")
    add(root.pk, "Plays")
    add(novels, "Long novels")

    tree = client.get(f"/api/categories/{root.pk}/").json()
    assert [(node["name"], node["depth"]) for node in tree] == [
        ("Books", 1),
        ("Novels", 2),
        ("Long novels", 3),
        ("Plays", 2),
    ]
    assert Category.objects.find_problems() == ([], [], [], [], [])
