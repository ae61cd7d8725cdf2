"""Models of which a test does not create objects without a thought."""

import uuid

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
