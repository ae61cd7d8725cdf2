"""The tenants of django-tenants, which shall be in an application of their own."""
