"""Models of which a test does not create objects without a thought."""

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.core.validators import MinLengthValidator, RegexValidator
from django.db import models


class Keeper(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.OneToOneField(User, on_delete=models.CASCADE)
    hired = models.DateField()

    def __str__(self) -> str:
        return str(self.user)


class Tag(models.Model):
    label = models.SlugField(primary_key=True)

    def __str__(self) -> str:
        return self.label


class Animal(models.Model):
    name = models.CharField(max_length=3, unique=True)
    kind = models.CharField(max_length=10, choices={"goat": "Goat", "fish": "Fish"})
    note = models.TextField(validators=[MinLengthValidator(10)])
    weight = models.DecimalField(max_digits=6, decimal_places=2)
    debt = models.IntegerField(choices=[(-5, "five"), (-1, "one")])
    arrived = models.DateTimeField()
    keeper = models.ForeignKey(Keeper, on_delete=models.PROTECT)
    second_keeper = models.ForeignKey(
        Keeper, on_delete=models.PROTECT, null=True, blank=True, related_name="others"
    )
    tags = models.ManyToManyField(Tag)
    changed = models.DateTimeField(auto_now=True)

    all = models.Manager()

    class Meta:
        verbose_name_plural = "Tiere & mehr"

    def __str__(self) -> str:
        return self.name


class Bird(Animal):
    wings = models.PositiveSmallIntegerField(default=2)


class TicketOffice(models.Model):
    """An object that needs nothing."""

    open = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "窓口"

    def __str__(self) -> str:
        return str(self.pk)


class Passport(models.Model):
    code = models.CharField(max_length=10, validators=[RegexValidator("^Z[0-9]{4}$")])
    animal = models.OneToOneField(Animal, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return self.code


class AnnouncementOfTheDirectorOfTheZoologicalGarden(models.Model):
    text_of_the_announcement = models.TextField()

    def __str__(self) -> str:
        return self.text_of_the_announcement


class TimeZoneField(models.Field):  # type: ignore[type-arg]
    """A field of which the library knows nothing."""

    def db_type(self, connection: Any) -> str:
        return "text"


class Enclosure(models.Model):
    """A row that differs from every other, with columns that no request sends."""

    code = models.CharField(max_length=3, unique=True)
    number = models.IntegerField()
    opened = models.DateField(unique=True)
    side = models.CharField(max_length=5, choices={"north": "North", "south": "South"})
    keeper = models.ForeignKey(Keeper, on_delete=models.PROTECT)
    zone = TimeZoneField(null=True, blank=True)
    area = models.IntegerField(editable=False)
    digest = models.CharField(max_length=64, editable=False)
    api_key = models.CharField(max_length=64, unique=True)
    mail = models.EmailField(unique=True)
    page = models.URLField(unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number", "side"], name="one_of_each_side"),
        ]

    def __str__(self) -> str:
        return self.code


class Gate(models.Model):
    """An object that needs two rows of a kind, and as many below each."""

    first = models.OneToOneField(Enclosure, models.CASCADE, related_name="to")
    second = models.OneToOneField(Enclosure, models.CASCADE, related_name="fro")

    def __str__(self) -> str:
        return str(self.pk)


class Census(models.Model):
    """An object that gives itself what no request sends."""

    total = models.IntegerField(editable=False)

    def __str__(self) -> str:
        return str(self.total)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.total = Animal.all.count()
        super().save(*args, **kwargs)
