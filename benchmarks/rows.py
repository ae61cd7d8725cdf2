"""What is in the database? The same rows for everybody.

`python -m benchmarks.rows` makes the tables with Django, in the database that libpq's variables
name, and fills them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

__all__ = [
    "API_KEY",
    "DATABASE",
    "SIMULATIONS",
    "TAGS",
    "TAKEN_SLUG",
    "USER",
    "fill",
    "simulation_id",
]

DATABASE = "mullet_benchmarks"
USERS = 100
SIMULATIONS = 100
AUTHORS = 10
TAGS = 40
ARTICLES = 1000
WIDE = 1000
COLUMNS = 27

USER = 42
API_KEY = f"key-of-user-{USER}"
TAKEN_SLUG = "tag-1"


def simulation_id(user: int, number: int) -> str:
    return f"s{user:05d}x{number:013d}"


def fill(libpq: dict[str, str]) -> None:
    """Make tables and rows in the database that the variables `libpq` name."""
    shared = Path(__file__).parent / "peers" / "shared"
    environment = {
        **os.environ,
        **libpq,
        "DJANGO_SETTINGS_MODULE": "base_settings",
        "PYTHONPATH": os.pathsep.join([str(shared), str(shared.parents[2])]),
    }
    subprocess.run([sys.executable, "-m", "benchmarks.rows"], env=environment, check=True)


def create() -> None:
    import django
    from django.apps import apps
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    call_command("migrate", "auth", verbosity=0)  # first: users have groups
    call_command("migrate", run_syncdb=True, verbosity=0)
    model = apps.get_app_config("shop").get_model
    bulk_create(model("User"), users())
    bulk_create(model("Simulation"), simulations())
    bulk_create(model("Author"), ({"id": i, "name": f"Author {i}"} for i in numbers(AUTHORS)))
    bulk_create(model("Tag"), tags())
    bulk_create(model("Article"), articles())
    bulk_create(model("Article_tags"), articles_with_tags())
    bulk_create(model("Wide"), wide())
    with connection.cursor() as cursor:
        for table in ("user", "author", "tag", "article", "article_tags", "wide"):
            name = f"shop_{table}"
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"
            )
        cursor.execute("VACUUM ANALYZE")


def bulk_create(model: Any, values: Iterator[dict[str, Any]]) -> None:
    model.objects.bulk_create(model(**each) for each in values)


def numbers(last: int) -> range:
    return range(1, last + 1)


def users() -> Iterator[dict[str, Any]]:
    for i in numbers(USERS):
        yield {"id": i, "username": f"user-{i}", "api_key": f"key-of-user-{i}"}


def simulations() -> Iterator[dict[str, Any]]:
    for user in numbers(USERS):
        for number in range(SIMULATIONS):
            start = date(2026, 1, 1) + timedelta(days=number)
            yield {
                "id": simulation_id(user, number),
                "user_id": user,
                "name": f"Simulation {number} of user {user}",
                "start_date": start,
                "end_date": start + timedelta(days=30),
            }


def tags() -> Iterator[dict[str, Any]]:
    for i in numbers(TAGS):
        yield {"id": i, "name": f"Tag {i}", "slug": f"tag-{i}"}


def articles() -> Iterator[dict[str, Any]]:
    for i in numbers(ARTICLES):
        yield {
            "id": i,
            "author_id": i % AUTHORS + 1,
            "title": f"Article {i}: mullets and goats",
            "slug": f"article-{i}",
            "body": f"The text of article {i}. " * 40,
            "published": i // AUTHORS % 5 != 0,
            "published_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=i),
        }


def articles_with_tags() -> Iterator[dict[str, Any]]:
    for i in numbers(ARTICLES):
        for step in range(3):
            yield {"article_id": i, "tag_id": (i + 7 * step) % TAGS + 1}


def wide() -> Iterator[dict[str, Any]]:
    columns = [f"column_{number}" for number in range(COLUMNS)]
    for i in numbers(WIDE):
        yield {
            **{name: f"{name} of row {i}" for name in columns},
            "id": i,
            "name": f"Row {i}",
            "amount": i,
        }


if __name__ == "__main__":
    create()
