import pytest

from apart.django_cte.api import all_regions, orders_with_totals
from apart.django_cte.models import Order, Region
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def add() -> None:
    earth = Region.objects.create(name="Earth")
    europe = Region.objects.create(name="Europe", parent=earth)
    for number, region in enumerate([earth, europe, europe]):
        Order.objects.create(region=region, amount=10 + number)


def test_a_recursive_expression(client: APIClient) -> None:
    assert client.get("/api/regions/").json() == [
        {"name": region.name, "depth": region.depth} for region in all_regions()
    ]
    assert client.get("/api/regions/").json() == [
        {"name": "Earth", "depth": 0},
        {"name": "Europe", "depth": 1},
    ]


def test_totals_of_an_expression(client: APIClient) -> None:
    assert client.get("/api/orders/").json() == [
        {"amount": order.amount, "total": order.total, "region_id": order.region_id}
        for order in orders_with_totals()
    ]
    assert [row["total"] for row in client.get("/api/orders/").json()] == [10, 23, 23]


def test_a_relation_beside_an_expression(client: APIClient) -> None:
    assert client.get("/api/orders/in-regions/").json() == [
        {"amount": order.amount, "total": order.total, "region": {"name": order.region.name}}
        for order in orders_with_totals()
    ]
    assert_constant_queries(
        lambda: client.get("/api/orders/in-regions/"),
        lambda: Order.objects.create(region=Region.objects.create(name="Mars"), amount=1),
    )


def test_prepared_expressions(client: APIClient) -> None:
    europe = Region.objects.get(name="Europe")

    for _ in range(2):
        assert client.get("/api/regions/called/?name=Europe").json() == [
            {"name": "Europe", "depth": 1}
        ]
        assert client.get("/api/orders/of/?amount=11").json() == [
            {"amount": 11, "total": 23, "region_id": europe.pk}
        ]
        assert client.get("/api/orders/of/?amount=1").json() == []


def test_other_questions_to_a_prepared_expression(client: APIClient) -> None:
    for _ in range(2):
        assert client.get("/api/looks/?amount=11&name=Europe").json() == [
            *(1, True, [23], 23),
            *(1, True, [["Europe", 1]], 1),
        ]
        assert client.get("/api/looks/?amount=1&name=Mars").json() == [
            *(0, False, [], None),
            *(0, False, [], 0),
        ]


def test_a_prepared_expression_that_takes_the_parameter(client: APIClient) -> None:
    for _ in range(2):
        for amount, expected in [(10, 1), (11, 2), (1, 0)]:
            answer = client.get(f"/api/orders/beside/count/?amount={amount}")
            assert answer.json() == [expected, expected]
