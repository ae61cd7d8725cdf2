from django.db import models
from polymorphic.models import PolymorphicModel

from django_mullet import PreparedWrites


class Medium(PolymorphicModel):
    title = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.title

    @property
    def kind(self) -> str:
        return "medium"


class Film(PreparedWrites, Medium):
    minutes = models.PositiveIntegerField()

    @property
    def kind(self) -> str:
        return f"film of {self.minutes} minutes"


class Album(Medium):
    tracks = models.PositiveIntegerField()

    @property
    def kind(self) -> str:
        return f"album of {self.tracks} tracks"


class Loan(models.Model):
    who = models.CharField(max_length=50)
    medium = models.ForeignKey(Medium, models.CASCADE, related_name="loans")

    def __str__(self) -> str:
        return self.who


class Shelf(models.Model):
    label = models.CharField(max_length=50)
    media = models.ManyToManyField(Medium, related_name="shelves")

    def __str__(self) -> str:
        return self.label
