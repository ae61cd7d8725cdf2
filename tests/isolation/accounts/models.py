"""Who are the tenants of django-tenants? `tests.isolation.data` makes the tables."""

from django_tenants.models import DomainMixin, TenantMixin


class Tenant(TenantMixin):
    """A tenant with a schema of its own."""

    auto_create_schema = False


class Domain(DomainMixin):
    """The host name by which the package's middleware finds a tenant."""
