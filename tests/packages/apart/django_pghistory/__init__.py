"""django-pghistory: triggers note each change, and its middleware whose it was."""

NEEDS = ("postgres",)
