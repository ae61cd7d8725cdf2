"""Backends that keep state on their wrapper, as that of `django-tenants` does."""
