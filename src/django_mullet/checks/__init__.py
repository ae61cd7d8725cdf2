"""The system checks: what `manage.py check` says of a project and its schemas."""
