"""What `manage.py` runs, and the reloader of its `runserver`."""
