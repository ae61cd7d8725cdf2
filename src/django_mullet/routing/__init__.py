"""FastAPI routes and WebSockets that run as Django requests."""
