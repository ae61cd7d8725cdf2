from django.db import models
from django_tenants.models import DomainMixin, TenantMixin

from django_mullet import PreparedWrites


class Tenant(TenantMixin):
    auto_create_schema = False  # that runs migrations, of which there are none

    def __str__(self) -> str:
        return self.schema_name


class Domain(DomainMixin):
    pass


class Author(PreparedWrites, models.Model):
    """In the schema of each tenant."""

    name = models.CharField(max_length=50)

    def __str__(self) -> str:
        return self.name


class Book(PreparedWrites, models.Model):
    """In the schema of each tenant."""

    title = models.CharField(max_length=50)
    author = models.ForeignKey(Author, models.CASCADE, related_name="books")

    def __str__(self) -> str:
        return self.title
