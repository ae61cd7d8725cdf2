"""Requests in Django's lifecycle: workers, connections, the hand-off between threads."""
