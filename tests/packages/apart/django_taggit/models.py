from django.db import models
from taggit.managers import TaggableManager

from django_mullet import PreparedWrites


class Shelf(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Book(PreparedWrites, models.Model):
    title = models.CharField(max_length=50)
    shelf = models.ForeignKey(Shelf, models.CASCADE, null=True, related_name="books")
    tags = TaggableManager(blank=True)

    def __str__(self) -> str:
        return self.title
