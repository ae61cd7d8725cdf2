"""How does a test end a connection as the database would?"""

from django.db import connections

__all__ = ["terminate"]


def terminate(pid: int) -> None:
    """End the backend `pid` of PostgreSQL by a connection of its own, and wait until it is gone."""
    killer = connections.create_connection("default")
    with killer.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    killer.close()
