"""A field of django-money, and what it is in a schema and in JSON."""

from decimal import Decimal

from djmoney.models.fields import MoneyField
from djmoney.money import Money
from moneyed import CurrencyDoesNotExist
from pydantic import BaseModel

from django_mullet import register_field_type


class PriceField(MoneyField):
    pass


class Price(BaseModel):
    amount: Decimal
    currency: str


def read_price(field: MoneyField, value: Money | None) -> Price | None:
    if value is None:  # an amount of 0 is false, too
        return None
    return Price(amount=value.amount, currency=value.currency.code)


def write_price(field: MoneyField, price: Price | None) -> Money | None:
    try:
        return price and Money(price.amount, price.currency)
    except CurrencyDoesNotExist as error:
        raise ValueError(str(error)) from error


register_field_type(
    PriceField,
    annotation=Price,
    limits=lambda field: {},
    read=read_price,
    write=write_price,
)
