import pghistory
from django.db import models

from django_mullet import PreparedWrites


@pghistory.track()
class Book(PreparedWrites, models.Model):
    title = models.CharField(max_length=50)
    pages = models.IntegerField(default=1)

    def __str__(self) -> str:
        return self.title
