"""django-reversion: its middleware makes a revision of all that a request saves."""
