"""A project with the packages that people combine with Django."""
