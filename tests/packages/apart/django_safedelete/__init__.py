"""django-safedelete: what is deleted is hidden by a subclass of Django's Query."""
