from django.db import models
from treebeard.mp_tree import MP_Node

from django_mullet import PreparedWrites


class Place(PreparedWrites, MP_Node):
    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name
