"""A backend for sqlite that keeps a tenant on its wrapper."""
