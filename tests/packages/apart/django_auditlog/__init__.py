"""django-auditlog: signals note each change, and its middleware whose it was."""
