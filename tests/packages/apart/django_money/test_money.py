from decimal import Decimal
from typing import Any

import pytest
from django.db.models import QuerySet
from djmoney.money import Money

from apart.django_money.models import Fee, Product, Shop
from django_mullet import APIClient, NotPreparable, assert_constant_queries, prepared

pytestmark = pytest.mark.django_db


def add() -> Product:
    shop = Shop.objects.create(name="Corner")
    Fee.objects.create(name="Bag", amount=Money("0.20", "EUR"), shop=shop)
    Product.objects.create(name="Tea", price=Money("3.50", "USD"), shop=shop)
    Product.objects.create(name="Water", price=Money("0.00", "EUR"), shop=shop)
    prices = {"price": Money("2.50", "EUR"), "old_price": Money("3.00", "GBP")}
    return Product.objects.create(name="Tea", shop=shop, **prices)


def of_money(money: Money | None) -> dict[str, str] | None:
    if money is None:
        return None
    return {"amount": str(money.amount), "currency": money.currency.code}


def of_product(product: Product) -> dict[str, Any]:
    """What Django's instance says."""
    return {
        "id": product.pk,
        "name": product.name,
        "price": of_money(product.price),
        "old_price": of_money(product.old_price),
    }


def of_fee(fee: Fee) -> dict[str, Any]:
    return {
        "id": fee.pk,
        "name": fee.name,
        "amount": str(fee.amount.amount),
        "amount_currency": fee.amount.currency.code,
    }


def of_products() -> list[dict[str, Any]]:
    return [of_product(product) for product in Product.objects.order_by("pk")]


@pytest.mark.parametrize("path", ["/api/products/", "/api/products/async/"])
def test_amounts_have_their_currencies(client: APIClient, path: str) -> None:
    add()

    assert client.get(path).json() == of_products()
    assert [row["price"] for row in client.get(path).json()] == [
        {"amount": "3.50", "currency": "USD"},
        {"amount": "0.00", "currency": "EUR"},
        {"amount": "2.50", "currency": "EUR"},
    ]
    assert_constant_queries(lambda: client.get(path), add)


def test_amounts_below_other_models(client: APIClient) -> None:
    add()

    [shop] = client.get("/api/shops/").json()
    assert shop["products"] == of_products()
    assert shop["fees"] == [of_fee(Fee.objects.get())]
    assert [row["shop"] for row in client.get("/api/products/shops/").json()] == [shop] * 3
    for path in ("/api/shops/", "/api/products/shops/"):
        assert_constant_queries(lambda: client.get(path), add)  # noqa: B023


def test_amounts_of_prepared_queries(client: APIClient) -> None:
    product = add()

    for _ in range(2):
        assert client.get("/api/products/called/?name=Tea").json() == [
            of_product(tea) for tea in Product.objects.filter(name="Tea").order_by("pk")
        ]
        assert of_product(product) in client.get("/api/products/at/?amount=2.5").json()
        assert len(client.get("/api/products/at/?amount=2").json()) == 1


def test_a_prepared_query_that_compares_an_amount_is_refused() -> None:
    @prepared
    def products_at(amount: Decimal) -> QuerySet[Product]:
        return Product.objects.filter(price__lte=amount)

    with pytest.raises(NotPreparable, match="'amount' has no 'rhs' yet"):
        products_at(Decimal(1))


def test_a_body_has_an_amount_and_its_currency(client: APIClient) -> None:
    body = {"name": "Tea", "price": {"amount": "2.50", "currency": "USD"}, "old_price": None}

    created = client.post("/api/products/", json=body)

    assert created.status_code == 201, created.text
    product = Product.objects.get()
    assert product.price == Money("2.50", "USD")
    assert product.old_price is None
    assert created.json() == {"id": product.pk, **body} == of_product(product)

    new = {"amount": "3.00", "currency": "CHF"}
    path = f"/api/products/{product.pk}/"
    assert client.patch(path, json={"price": new}).json()["price"] == new
    assert Product.objects.get().price == Money(3, "CHF")
    assert client.patch(path, json={"name": "Black tea"}).json()["price"] == new


@pytest.mark.parametrize(
    "price",
    [{"amount": "2.505", "currency": "USD"}, {"amount": "2.50", "currency": "???"}, {"amount": 1}],
)
def test_a_wrong_amount_or_currency_is_refused(client: APIClient, price: Any) -> None:
    answer = client.post("/api/products/", json={"name": "Tea", "price": price})

    assert answer.status_code == 422, answer.text
    assert not Product.objects.exists()


def test_a_field_that_is_not_registered_is_two_columns(client: APIClient) -> None:
    add()

    assert client.get("/api/fees/").json() == [of_fee(fee) for fee in Fee.objects.order_by("pk")]


def test_an_amount_without_a_currency_has_the_default_one(client: APIClient) -> None:
    created = client.post("/api/fees/", json={"name": "Bag", "amount": "0.20"})

    assert created.status_code == 201, created.text
    fee = Fee.objects.get()
    assert fee.amount == Money("0.20", "EUR")
    assert created.json() == of_fee(fee)
