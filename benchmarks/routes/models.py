"""Which rows are read?"""

from django.db import models


class Item(models.Model):
    """One row of the table that every query is made on."""

    name = models.CharField(max_length=100)
    amount = models.IntegerField()
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
