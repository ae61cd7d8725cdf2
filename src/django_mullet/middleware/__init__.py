"""Django's middleware around FastAPI routes, and requests and responses converted for it."""
