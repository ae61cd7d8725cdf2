"""django-lifecycle: methods that run when an instance is saved, and what of it has changed."""
