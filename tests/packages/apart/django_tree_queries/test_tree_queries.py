import pytest

from apart.django_tree_queries.models import Category, Product
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def leaf() -> Category:
    return add()


def add() -> Category:
    root = Category.objects.create(name="Food")
    branch = Category.objects.create(name="Cheese", parent=root)
    leaf = Category.objects.create(name="Hard", parent=branch)
    Product.objects.create(name="Mountain", category=leaf)
    Category.objects.create(name="Drink")
    return leaf


def shown(categories: object) -> list[dict[str, object]]:
    return [
        {
            "id": category.pk,
            "name": category.name,
            "tree_depth": category.tree_depth,
            "tree_path": category.tree_path,
        }
        for category in categories  # type: ignore[attr-defined]
    ]


def test_the_tree_has_the_order_and_depths_that_django_gives(client: APIClient) -> None:
    assert client.get("/api/categories/").json() == shown(Category.objects.all())
    assert [row["tree_depth"] for row in client.get("/api/categories/").json()] == [0, 1, 2, 0]


def test_a_part_of_the_tree(client: APIClient, leaf: Category) -> None:
    root = leaf.parent.parent

    assert client.get(f"/api/categories/{root.pk}/descendants/").json() == shown(
        Category.objects.descendants(root, include_self=True)
    )
    assert client.get(f"/api/categories/{leaf.pk}/ancestors/").json() == [
        {"name": "Food"},
        {"name": "Cheese"},
    ]


def test_relations_to_and_within_a_tree(client: APIClient) -> None:
    assert client.get("/api/categories/children/").json() == [
        {"name": each.name, "children": [{"name": child.name} for child in each.children.all()]}
        for each in Category.objects.all()
    ]
    assert client.get("/api/products/").json() == [
        {"name": "Mountain", "category": {"name": "Hard"}}
    ]
    for path in ("/api/categories/children/", "/api/products/"):
        assert_constant_queries(lambda: client.get(path), add)  # noqa: B023


def test_a_prepared_part_of_the_tree(client: APIClient) -> None:
    for _ in range(2):
        assert client.get("/api/categories/called/?name=Hard").json() == shown(
            Category.objects.filter(name="Hard")
        )
        looks = "/api/categories/called/looks/?name="
        assert client.get(f"{looks}Hard").json() == [1, True, ["Hard"], 2]
        assert client.get(f"{looks}Soft").json() == [0, False, [], None]


def test_bodies_move_a_branch_and_never_below_itself(client: APIClient, leaf: Category) -> None:
    new = client.post("/api/categories/", json={"name": "Goat", "parent_id": leaf.pk}).json()
    assert Category.objects.get(pk=new["id"]).tree_depth == 3

    path = f"/api/categories/{new['id']}/"
    assert client.patch(path, json={"parent_id": None}).json()["parent_id"] is None
    assert Category.objects.get(pk=new["id"]).tree_depth == 0

    root = leaf.parent.parent
    answer = client.patch(f"/api/categories/{root.pk}/", json={"parent_id": leaf.pk})
    assert answer.status_code == 422, answer.text
    assert Category.objects.get(pk=root.pk).parent_id is None
