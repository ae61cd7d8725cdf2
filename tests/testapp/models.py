"""What do the tests store?

One of everything: a unique name, a counter, a relation, a deferred constraint.
"""

from django.db import models
from django.db.models import Deferrable, UniqueConstraint


class Author(models.Model):
    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class Item(models.Model):
    name = models.CharField(max_length=100)
    n = models.IntegerField(default=0)
    author = models.ForeignKey(
        Author, on_delete=models.CASCADE, null=True, blank=True, related_name="items"
    )
    code = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 - many items without a code

    class Meta:
        constraints = [
            # Checked at COMMIT, so that a violation shows after the endpoint has returned.
            UniqueConstraint(fields=["code"], name="unique_code", deferrable=Deferrable.DEFERRED),
        ]

    def __str__(self) -> str:
        return self.name
