from django.db import models
from mptt.models import MPTTModel, TreeForeignKey

from django_mullet import PreparedWrites


class Node(MPTTModel):
    name = models.CharField(max_length=50)
    parent = TreeForeignKey("self", models.CASCADE, null=True, blank=True, related_name="children")

    class Meta:
        abstract = True

    class MPTTMeta:
        order_insertion_by = ["name"]

    def __str__(self) -> str:
        return self.name


class Place(PreparedWrites, Node):
    pass


class PlainPlace(Node):
    """As Django saves it."""
