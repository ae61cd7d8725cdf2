"""What does django-mullet cost, or save, next to plain FastAPI? `python -m benchmarks.routes`."""
