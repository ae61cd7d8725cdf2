"""`manage.py queryplan shop.schemas.BookSchema`: what showing a schema loads."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from django_mullet.schemas.model_schema import ModelSchema
from django_mullet.schemas.query_plan import QueryPlan, plan_of


class Command(BaseCommand):
    """Print the queries of a schema's plan, and why it needs instances of its model, if it does."""

    help = "Show what is queried where a schema shows the objects of a queryset."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("schema", help="its dotted path, for example shop.schemas.BookSchema")

    def handle(self, *args: Any, schema: str, **options: Any) -> None:
        try:
            found = import_string(schema)
        except ImportError as error:
            raise CommandError(f"'{schema}' cannot be imported: {error}") from None
        if not (isinstance(found, type) and issubclass(found, ModelSchema)):
            raise CommandError(f"'{schema}' is no 'ModelSchema'.")
        self.stdout.write("\n".join(_lines(plan_of(found))))


def _lines(plan: QueryPlan) -> list[str]:
    queries = list(plan.described())
    number_of = "1 query" if len(queries) == 1 else f"{len(queries)} queries"
    lines = [f"{plan.schema.__name__} of {plan.model._meta.label}, {number_of}:"]
    lines += [f"  {number}. {query}" for number, query in enumerate(queries, 1)]
    if plan.fits_in_rows():
        return [*lines, "As rows: no instance is made."]
    return [*lines, f"As instances, because of {', '.join(_needs(plan))}."]


def _needs(plan: QueryPlan) -> list[str]:
    apart = [relation.accessor for relation in plan.to_one if not relation.is_joined]
    own = [f"'{plan.schema.__name__}.{name}'" for name in (*plan.needs, *apart)]
    return own + [need for nested in plan.nested() for need in _needs(nested)]
