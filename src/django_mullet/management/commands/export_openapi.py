"""`manage.py export_openapi`: the OpenAPI document as a file, to make clients from."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from django_mullet.applications import get_application
from django_mullet.openapi.diff import changes
from django_mullet.openapi.lint import document_of, gaps

__all__ = ["Command"]

INDENT = 2
MOST = 20  # changes that are told


class Command(BaseCommand):
    """Write the OpenAPI document, or compare it with what was written before."""

    help = "Writes the OpenAPI document of the FastAPI application, and tells what it lacks."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--output", type=Path, metavar="FILE", help="write to FILE")
        where.add_argument(
            "--check", type=Path, metavar="FILE", help="write nothing; fail if FILE says otherwise"
        )
        parser.add_argument(
            "--indent", type=int, default=INDENT, help=f"spaces of a level; without it, {INDENT}"
        )
        parser.add_argument(
            "--fail-on-warnings",
            action="store_true",
            help="fail if the document leaves something for clients to guess",
        )

    def handle(
        self,
        *args: Any,
        output: Path | None,
        check: Path | None,
        indent: int,
        fail_on_warnings: bool,
        **options: Any,
    ) -> None:
        try:
            app = get_application()
            document = document_of(app)
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        warnings = list(gaps(app, document))
        for warning in warnings:
            self.stderr.write(self.style.WARNING(f"WARNING: {warning}"))
        text = json.dumps(document, indent=indent, ensure_ascii=False) + "\n"
        if check is not None:
            _compare(check, json.loads(text), indent)
        elif output is None:
            self.stdout.write(text, ending="")
        else:
            _write(output, text)
        if warnings and fail_on_warnings:
            number = "1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings"
            raise CommandError(f"The document leaves something to guess: {number}, see above.")


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"'{file}' cannot be written: {error.strerror}.") from None


def _compare(file: Path, document: Any, indent: int) -> None:
    options = "" if indent == INDENT else f" --indent {indent}"
    renew = f"manage.py export_openapi --output {file}{options}"
    try:
        committed = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror
        raise CommandError(f"'{file}' cannot be read: {reason}. Write it: {renew}") from None
    except ValueError as error:
        raise CommandError(f"'{file}' is not JSON: {error}. Regenerate it: {renew}") from None
    found = list(changes(committed, document))
    if found:
        told = [f"  {change}" for change in found[:MOST]]
        if len(found) > MOST:
            told.append(f"  and {len(found) - MOST} more")
        lines = [f"'{file}' is out of date:", *told, f"Renew it: {renew}"]
        raise CommandError("\n".join(lines))
