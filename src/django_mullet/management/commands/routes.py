"""`manage.py routes`: the routes of the API, and who may call them."""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from django_mullet.applications import get_application
from django_mullet.routing.inspection import RouteFacts, route_facts

__all__ = ["Command"]

HEADINGS = ("METHODS", "PATH", "NAME", "ENDPOINT", "CALLERS", "NOTES")
ANYONE = "anyone"


class Command(BaseCommand):
    """Print the routes of the application that `ASGI_APPLICATION` names."""

    help = "Lists the routes of the FastAPI application, in the order in which they are tried."
    # What is wrong with a route may be what it is called for.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "text", nargs="?", default="", help="only what has it in path, name or endpoint"
        )
        parser.add_argument("--path", default="", help="only paths that begin so: /api/books")
        parser.add_argument("--method", help="only routes with this method: POST, WEBSOCKET")
        parser.add_argument("--json", action="store_true", help="print all that is known")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            app = get_application()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        every = list(route_facts(app))
        found = [facts for facts in every if _is_asked_for(facts, **options)]
        if options["json"]:
            self.stdout.write(json.dumps(list(map(asdict, found)), indent=2))
        elif found:
            self.stdout.write("\n".join(_table(found)))
        else:
            raise CommandError(f"None of the {len(every)} routes matches: 'manage.py routes'.")


def _is_asked_for(
    facts: RouteFacts, *, text: str, path: str, method: str | None, **options: Any
) -> bool:
    return (
        facts.path.startswith(path)
        and any(text in told for told in (facts.path, facts.name, facts.endpoint))
        and (method is None or method.upper() in facts.methods)
    )


def _table(found: Iterable[RouteFacts]) -> Iterator[str]:
    rows = [HEADINGS, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _row(facts: RouteFacts) -> tuple[str, ...]:
    return (
        ",".join(facts.methods) or "*",
        facts.path,
        facts.name,
        f"{'async def' if facts.is_async else 'def'} {facts.endpoint}",
        _callers(facts),
        ", ".join(_notes(facts)),
    )


def _callers(facts: RouteFacts) -> str:
    dependencies = ", ".join(path.rpartition(".")[2] for path in facts.dependencies)
    if not facts.security:
        return dependencies or ANYONE
    schemes = ", ".join(facts.security)
    return f"{schemes} ({dependencies})" if dependencies else schemes


def _notes(facts: RouteFacts) -> Iterator[str]:
    if facts.atomic == ["default"]:
        yield "atomic"
    elif facts.atomic:
        yield f"atomic on {' and '.join(facts.atomic)}"
    if facts.connection == "call":
        yield "a connection for each call"
    if facts.max_queries is not None:
        yield f"at most {facts.max_queries} queries"
    if facts.django_middleware:
        yield "Django's middleware"
    if not facts.is_django_request:
        yield "not a Django request"
