"""What the shop sells, in the ways in which the packages store it."""

from django.db import models
from polymorphic.models import PolymorphicModel
from simple_history.models import HistoricalRecords
from treebeard.mp_tree import MP_Node


class Book(models.Model):
    title = models.CharField(max_length=200)
    pages = models.PositiveIntegerField(default=0)
    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.title


class Medium(PolymorphicModel):
    title = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.title


class Film(Medium):
    minutes = models.PositiveIntegerField()


class Album(Medium):
    tracks = models.PositiveIntegerField()


class Category(MP_Node):
    name = models.CharField(max_length=200)

    def __str__(self) -> str:
        return self.name
