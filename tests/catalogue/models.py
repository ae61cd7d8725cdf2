"""What do the tests of query plans load? Models with every way from one to another."""

from functools import cached_property
from typing import Any

from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.signals import post_init

from django_mullet import reads


class Person(models.Model):
    name = models.CharField(max_length=20)
    mentor = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="pupils")
    friends = models.ManyToManyField("self")

    class Meta:
        # PostgreSQL gives rows in no order of their own: lists are compared byte by byte.
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class Publisher(models.Model):
    code = models.CharField(max_length=5, unique=True)
    city = models.CharField(max_length=20, blank=True)

    def __str__(self) -> str:
        return self.code


class Agent(models.Model):
    name = models.CharField(max_length=20)
    house = models.CharField(max_length=5)
    publisher = models.ForeignObject(
        Publisher,
        on_delete=models.CASCADE,
        from_fields=["house"],
        to_fields=["code"],
        related_name="agents",
    )

    def __str__(self) -> str:
        return self.name


class Keyword(models.Model):
    word = models.SlugField(primary_key=True)

    class Meta:
        ordering = ["-word"]

    def __str__(self) -> str:
        return self.word


class Note(models.Model):
    text = models.CharField(max_length=20)
    # Without a constraint, as this app has no migrations, and its tables come first.
    content_type = models.ForeignKey(
        ContentType, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    object_id = models.PositiveIntegerField()
    about = GenericForeignKey()

    def __str__(self) -> str:
        return self.text


class Work(models.Model):
    title = models.CharField(max_length=20)
    pages = models.IntegerField(default=0)
    rating = models.DecimalField(max_digits=4, decimal_places=2, null=True)
    publisher = models.ForeignKey(
        Publisher, on_delete=models.CASCADE, to_field="code", null=True, related_name="works"
    )
    author = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="works")
    editors = models.ManyToManyField(Person, related_name="edited")
    keywords = models.ManyToManyField(Keyword, related_name="+")
    notes = GenericRelation(Note)

    class Meta:
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title

    @property
    @reads("title", "author__name")
    def label(self) -> str:
        return f"{self.title} by {self.author.name}"

    @cached_property
    def city(self) -> str:
        return self.publisher.city if self.publisher else ""


class Illustrated(Work):
    pictures = models.IntegerField(default=0)


class Jacket(models.Model):
    work = models.OneToOneField(Work, on_delete=models.CASCADE, primary_key=True)
    colour = models.CharField(max_length=10)

    def __str__(self) -> str:
        return self.colour


class Spot(models.Model):
    """Where a work stands; has a key of two columns."""

    pk = models.CompositePrimaryKey("shelf", "place")
    shelf = models.CharField(max_length=5)
    place = models.IntegerField()
    work = models.OneToOneField(Work, on_delete=models.CASCADE, related_name="spot")

    def __str__(self) -> str:
        return f"{self.shelf} {self.place}"


class Chapter(models.Model):
    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="chapters")
    number = models.IntegerField()
    heading = models.CharField(max_length=20)

    class Meta:
        ordering = ["number", "pk"]

    def __str__(self) -> str:
        return self.heading


class Published(models.Manager["Edition"]):
    def get_queryset(self) -> Any:
        return super().get_queryset().filter(published=True)


class Edition(models.Model):
    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="editions")
    year = models.IntegerField()
    published = models.BooleanField(default=True)

    objects = Published()

    class Meta:
        ordering = ["-year"]

    def __str__(self) -> str:
        return str(self.year)


class OwnForeignKey(models.ForeignKey[Any, Any]):
    """What comes by it, nobody knows but who has made it."""


class Sealed(models.Model):
    """Is changed by code whenever an instance is made."""

    work = OwnForeignKey(Work, on_delete=models.CASCADE, related_name="seals")
    mark = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.mark


def seal(sender: type[Sealed], instance: Sealed, **kwargs: Any) -> None:
    instance.mark = f"*{instance.mark}"


post_init.connect(seal, sender=Sealed)
