"""A backend for postgresql that keeps a tenant on its wrapper."""
