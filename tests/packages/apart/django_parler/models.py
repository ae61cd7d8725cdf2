from django.db import models
from parler.models import TranslatableModel, TranslatedFields

from django_mullet import PreparedWrites


class Shelf(models.Model):
    label = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.label


class Cheese(PreparedWrites, TranslatableModel):
    age = models.PositiveIntegerField()
    shelf = models.ForeignKey(Shelf, models.CASCADE, null=True, related_name="cheeses")
    translations = TranslatedFields(name=models.CharField(max_length=50))

    def __str__(self) -> str:
        return self.name
