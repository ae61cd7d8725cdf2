"""Which tables are there? The same for every peer; those without Django write them again."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models

__all__ = ["COLUMNS", "Article", "Author", "Simulation", "Tag", "User", "Wide"]

COLUMNS = 27
"""How many columns a row of `Wide` has that nobody asks for."""


def generate_id() -> str:
    """Return what the article has `shortuuid` for."""
    return uuid.uuid4().hex[:20]


class User(AbstractUser):
    """Who asks, found by the API key."""

    api_key = models.CharField(max_length=100, default=generate_id, db_index=True)


class Simulation(models.Model):
    """What the article's API is about."""

    id = models.CharField(max_length=30, primary_key=True, default=generate_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=300)
    start_date = models.DateField()
    end_date = models.DateField()

    def __str__(self) -> str:
        return self.name


class Author(models.Model):
    """Nested in an article, as one object."""

    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    """Nested in an article, as a list; created with a slug that nobody else has."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=100, unique=True)

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.name


class Article(models.Model):
    """What is listed with its relations, and what is filtered."""

    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    tags = models.ManyToManyField(Tag)
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=200)
    body = models.TextField()
    published = models.BooleanField()
    published_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.title


class Wide(models.Model):
    """Thirty columns, of which three are shown."""

    name = models.CharField(max_length=100)
    amount = models.IntegerField()
    for number in range(COLUMNS):
        locals()[f"column_{number}"] = models.CharField(max_length=100)
    del number

    def __str__(self) -> str:
        return self.name
