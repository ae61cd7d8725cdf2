import reversion
from django.db import models

from django_mullet import PreparedWrites


@reversion.register(follow=["chapters"])
class Book(PreparedWrites, models.Model):
    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=1)

    def __str__(self) -> str:
        return self.title


@reversion.register
class Chapter(PreparedWrites, models.Model):
    book = models.ForeignKey(Book, models.CASCADE, related_name="chapters")
    title = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.title
