from django.db import models
from tree_queries.models import OrderableTreeNode
from tree_queries.query import TreeQuerySet

from django_mullet import PreparedWrites


class Category(PreparedWrites, OrderableTreeNode):
    name = models.CharField(max_length=50)

    objects = TreeQuerySet.as_manager(with_tree_fields=True)

    class Meta(OrderableTreeNode.Meta):
        pass

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    name = models.CharField(max_length=50)
    category = models.ForeignKey(Category, models.CASCADE, related_name="products")

    def __str__(self) -> str:
        return self.name
