"""The command `python -m django_mullet startproject NAME [DIRECTORY]`, which makes a project."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.startproject import Command as StartprojectCommand

__all__ = ["Command", "main"]

TEMPLATE = Path(__file__).parent / "codegen" / "project_template"
RENDERED = ["py", "md", "toml", "yaml"]
RENDERED_TOO = ["Dockerfile-tpl"]

USAGE = "usage: python -m django_mullet startproject NAME [DIRECTORY]"

NEXT_STEPS = """\
Created the project '{name}' in '{directory}'. There:

  make run     serves it on http://127.0.0.1:8000
  make test    tests it

README.md says the rest.
"""


class Command(StartprojectCommand):
    """Django's `startproject`, with the template that comes with this package."""

    help = "Creates a project: FastAPI in the front, Django in the back."
    rewrite_template_suffixes = (("-tpl", ""),)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the project's name, a Python identifier")
        parser.add_argument(
            "directory", nargs="?", help="where to, if not into a new directory of that name"
        )

    def handle(self, **options: Any) -> None:  # type: ignore[override]  # as Django's own
        name, directory = options["name"], options["directory"]
        if (TEMPLATE / name).exists():
            raise CommandError(f"'{name}' is a directory of every project: choose another name.")
        super().handle(
            **options,
            template=str(TEMPLATE),
            extensions=RENDERED,
            files=RENDERED_TOO,
            exclude=["__pycache__"],  # without it, Django leaves .github out
        )
        self.stdout.write(NEXT_STEPS.format(name=name, directory=directory or name), ending="")


def main(arguments: Sequence[str]) -> None:
    """Run the command that `arguments` name, or exit with what to type."""
    if not arguments or arguments[0] != "startproject":
        sys.exit(f"{USAGE}\nDjango's other commands: django-admin help, python manage.py help")
    Command().run_from_argv(["django_mullet", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
