from django.db import models

from django_mullet import PreparedWrites


class Kind(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Cheese(PreparedWrites, models.Model):
    name = models.CharField(max_length=50)
    kind = models.ForeignKey(Kind, models.CASCADE, related_name="cheeses")
    age = models.PositiveIntegerField(default=1)

    def __str__(self) -> str:
        return self.name


class Board(models.Model):
    """Has no translated field itself, and leads to some."""

    label = models.CharField(max_length=50)
    cheeses = models.ManyToManyField(Cheese, related_name="boards")
    best = models.ForeignKey(Cheese, models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return self.label
