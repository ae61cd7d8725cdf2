"""`manage.py schema`: the `ModelSchema` that a person would write for a model, for pasting."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from django_mullet.codegen.schema_for import source_for
from django_mullet.management.commands._model import model_of

__all__ = ["Command"]


class Command(BaseCommand):
    """`manage.py schema shop.Book`."""

    help = "Prints a ModelSchema of a model, with its imports, for pasting into your code."
    # A schema that contradicts its model, which is an error, is what it may be called for.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="the model: shop.Book")
        parser.add_argument("--fields", nargs="+", help="these fields only")
        parser.add_argument("--exclude", nargs="+", default=[], help="all but these fields")
        parser.add_argument("--name", help="the name of the class; without it, BookSchema")

    def handle(self, *args: Any, **options: Any) -> None:
        model = model_of(options["model"])
        try:
            source = source_for(
                model, fields=options["fields"], exclude=options["exclude"], name=options["name"]
            )
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.stdout.write(source, ending="")
