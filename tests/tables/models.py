"""Which tables are not laid out, or named, as their models are?"""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint


class Mixed(models.Model):
    """In a table with a quoted name."""

    Name = models.CharField(max_length=20, unique=True, db_column="Na me")

    class Meta:
        db_table = '"MixedCase"'

    def __str__(self) -> str:
        return self.Name


class Archived(models.Model):
    """In a schema of PostgreSQL's, which the tests make."""

    code = models.CharField(max_length=20, unique=True)

    class Meta:
        db_table = 'archive"."shelf'
        managed = False

    def __str__(self) -> str:
        return self.code


class Place(models.Model):
    """A parent, whose constraints hold for its children too."""

    name = models.CharField(max_length=20, unique=True)
    street = models.CharField(max_length=20)
    number = models.IntegerField(default=1)

    class Meta:
        unique_together = [("street", "number")]

    def __str__(self) -> str:
        return self.name


class Shop(Place):
    """A child, with a table of its own."""

    opened = models.DateField()
    code = models.CharField(max_length=20)
    closed = models.BooleanField(default=False)
    motto = models.CharField(max_length=20, unique_for_date="opened", blank=True)
    number_of_rooms = models.IntegerField(null=True, unique=True, editable=False)

    class Meta:
        constraints = [
            CheckConstraint(condition=~Q(code="bad"), name="shop_code_is_good"),
            UniqueConstraint(
                fields=["code"],
                condition=Q(closed=False),
                name="shop_code_while_open",
                violation_error_message="An open shop has this code.",
            ),
        ]


class Visit(models.Model):
    """What no client writes itself."""

    name = models.CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.name


class Label(models.Model):
    """Known by a text."""

    text = models.CharField(max_length=20, primary_key=True)

    def __str__(self) -> str:
        return self.text


class Note(models.Model):
    """A text without a limit, and one that leads to another object."""

    text = models.TextField()
    label = models.ForeignKey(Label, on_delete=models.CASCADE)

    def __str__(self) -> str:
        return self.text
