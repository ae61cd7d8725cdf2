"""django-timezone-field: a field of values that no field of Django has."""
