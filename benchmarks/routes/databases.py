"""Where do the rows come from? From a new database of each kind, dropped in the end."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from tests import postgres

__all__ = ["DATABASES", "fill"]

NAME = "mullet_benchmarks"
ROWS = 100


@contextmanager
def sqlite() -> Iterator[str]:
    """Yield the URL of a file."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as directory:
        yield f"sqlite:///{directory}/db.sqlite3"


@contextmanager
def postgresql() -> Iterator[str]:
    """Yield the conninfo of a new database on the server that the tests would use."""
    with postgres.server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {NAME}")
            connection.execute(f"CREATE DATABASE {NAME}")
        try:
            yield make_conninfo(url, dbname=NAME)
        finally:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


DATABASES: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "SQLite": sqlite,
    "PostgreSQL": postgresql,
}


def fill() -> None:
    """Create the table and its rows, from a process in which Django is not set up."""
    subprocess.run([sys.executable, "-m", "benchmarks.routes.databases"], check=True)


def create_rows() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.routes.settings"
    import django

    django.setup()
    from datetime import UTC, datetime, timedelta

    from django.db import connection

    from benchmarks.routes.models import Item

    start = datetime(2026, 1, 1, tzinfo=UTC)
    with connection.schema_editor() as editor:
        editor.create_model(Item)
    Item.objects.bulk_create(
        Item(id=i, name=f"Item {i}", amount=i, created_at=start + timedelta(hours=i))
        for i in range(1, ROWS + 1)
    )


if __name__ == "__main__":
    create_rows()
