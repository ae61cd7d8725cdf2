"""The backend."""

from django.db.backends.sqlite3 import base

from tests.foreign.tenants import TenantMixin

__all__ = ["DatabaseWrapper"]


class DatabaseWrapper(TenantMixin, base.DatabaseWrapper):
    """SQLite's, with a tenant."""
