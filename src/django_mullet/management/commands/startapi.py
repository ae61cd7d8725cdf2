"""`manage.py startapi`: the schema, the routes and their tests for a model, as files."""

import json
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from django_mullet.applications import get_application_path
from django_mullet.codegen.scaffold import Scaffold
from django_mullet.management.commands._model import model_of

__all__ = ["Command"]

REPORT = """\
Wrote {files}.

Anybody may call these routes, and change what is stored: dependencies of the router in
'{routes}' may say who. In '{asgi}' write:

from {routes} import router as {name}_router

{app}.include_router({name}_router, prefix="/api")
"""


class Command(BaseCommand):
    """`manage.py startapi shop.Book`."""

    help = "Writes the schema, the routes and their tests for a model of an app."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="the model: shop.Book")
        parser.add_argument(
            "--example",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help="what the tests send, where the model takes few values: shop.Book.isbn=0306406152",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        model = model_of(options["model"])
        try:
            given = dict(map(_example, options["example"]))
            scaffold = Scaffold(model, get_application_path(), given)
            files = scaffold.files()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        if existing := [file for file in files if file.exists()]:
            raise CommandError(f"'{_shown(existing[0])}' exists: move it away, or keep it.")
        for file, source in files.items():
            file.write_text(source, encoding="utf-8")
        format_files(files)
        self.stdout.write(_report(scaffold, files), ending="")


def format_files(files: Iterable[Path]) -> None:
    """Format the files as the project wants it, if it has ruff; as Django does with black."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    if ruff := shutil.which("ruff", path=os.pathsep.join(folders)):
        subprocess.run([ruff, "format", "--quiet", *files], check=False)  # noqa: S603


def _example(argument: str) -> tuple[str, Any]:
    label, equals, value = argument.partition("=")
    if not equals:
        raise ImproperlyConfigured(f"'{argument}' must be written as '--example {label}=VALUE'.")
    try:
        return label, json.loads(value)
    except ValueError:
        return label, value


def _report(scaffold: Scaffold, files: Iterable[Path]) -> str:
    asgi, _, app = scaffold.application.rpartition(".")
    *first, last = map(_shown, files)
    return REPORT.format(
        files=f"{', '.join(first)} and {last}",
        routes=scaffold.routes,
        asgi=asgi,
        app=app,
        name=scaffold.name,
    )


def _shown(file: Path) -> str:
    return os.path.relpath(file)
