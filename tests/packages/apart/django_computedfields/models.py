from computedfields.models import ComputedFieldsModel, computed
from django.db import models

from django_mullet import PreparedWrites


class Shop(PreparedWrites, ComputedFieldsModel):
    name = models.CharField(max_length=50)

    @computed(models.IntegerField(default=0), depends=[("items", ["total"])])
    def worth(self) -> int:
        return sum(item.total for item in self.items.all()) if self.pk else 0

    def __str__(self) -> str:
        return self.name


class Item(PreparedWrites, ComputedFieldsModel):
    shop = models.ForeignKey(Shop, models.CASCADE, related_name="items")
    price = models.IntegerField()
    pieces = models.IntegerField(default=1)

    @computed(models.IntegerField(), depends=[("self", ["price", "pieces"])])
    def total(self) -> int:
        return self.price * self.pieces

    @computed(models.CharField(max_length=99), depends=[("shop", ["name"]), ("self", ["total"])])
    def label(self) -> str:
        return f"{self.shop.name}: {self.total}"

    def __str__(self) -> str:
        return self.label
