"""django-tenants: each tenant has a schema of its own, which the connection is told."""

NEEDS = ("postgres",)
