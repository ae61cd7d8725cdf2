"""The backend."""

from django.db.backends.postgresql import base

from tests.foreign.tenants import TenantMixin

__all__ = ["DatabaseWrapper"]


class DatabaseWrapper(TenantMixin, base.DatabaseWrapper):
    """PostgreSQL's, with a tenant."""
