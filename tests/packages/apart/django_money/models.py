from django.db import models
from djmoney.models.fields import MoneyField

from apart.django_money.fields import PriceField


class Shop(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """Its field is registered."""

    name = models.CharField(max_length=50)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, blank=True, related_name="products")
    price = PriceField(max_digits=8, decimal_places=2, default_currency="EUR")
    old_price = PriceField(
        max_digits=8, decimal_places=2, default_currency=None, null=True, blank=True, default=None
    )

    def __str__(self) -> str:
        return self.name


class Fee(models.Model):
    """Its field is not."""

    name = models.CharField(max_length=50)
    shop = models.ForeignKey(Shop, models.CASCADE, null=True, blank=True, related_name="fees")
    amount = MoneyField(max_digits=8, decimal_places=2, default_currency="EUR")

    def __str__(self) -> str:
        return self.name
