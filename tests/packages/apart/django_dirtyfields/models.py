from dirtyfields import DirtyFieldsMixin
from django.db import models

from django_mullet import PreparedWrites


class Author(DirtyFieldsMixin, models.Model):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Book(PreparedWrites, DirtyFieldsMixin, models.Model):
    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=1)
    price = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")

    def __str__(self) -> str:
        return self.title
