"""How does a model get the mixin?"""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import IntegrityError, connection, connections, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ModelState, ProjectState

from django_mullet.prepared_writes import PreparedWrites
from tests.limited_threads import Thread
from tests.saving import mixed, unverified
from tests.testapp.models import Author, Item


def test_it_is_named_before_the_other_bases() -> None:
    for base in (models.Model, Item):
        with pytest.raises(TypeError) as caught:
            type("Late", (base, PreparedWrites), {"__module__": __name__})

        assert str(caught.value) == (
            "'Late' must name 'PreparedWrites' before its other bases, or 'save()' does not see it."
        )


def test_it_asks_for_no_migration() -> None:
    def state_of(*bases: Any) -> ProjectState:
        options = {"app_label": "testapp", "apps": Apps()}
        namespace = {"__module__": __name__, "Meta": type("Meta", (), options)}
        state = ProjectState()
        state.add_model(ModelState.from_model(type("Plain", (*bases, models.Model), namespace)))
        return state

    changes = MigrationAutodetector(state_of(), state_of(PreparedWrites)).changes(MigrationGraph())

    assert changes == {}


def seeing(statements: list[str]) -> Any:
    def see(execute: Any, sql: str, *args: Any) -> Any:
        statements.append(sql.split()[0])
        return execute(sql, *args)

    return see


@pytest.mark.django_db(transaction=True)
def test_a_worker_inserts_by_its_lasting_cursor(thread: Callable[[], Thread]) -> None:
    def insert_some() -> list[Any]:
        found = []
        for name in ("Ann", "Bo", "Ann", "Cleo"):
            author = mixed(Author)(name=name)
            try:
                with transaction.atomic():
                    unverified(author)
            except IntegrityError as error:
                found.append(type(error.__cause__).__name__)
            else:
                found.append(author.pk)
        lasting: Any = connections["default"]
        assert lasting.lasting_cursor is not None
        statements: list[str] = []
        with connection.execute_wrapper(seeing(statements)):
            unverified(mixed(Author)(name="Di"))
        return [*found, statements]

    ann, bo, error, cleo, statements = thread().run(insert_some)

    names = dict(Author.objects.values_list("pk", "name"))
    assert (names[ann], names[bo], names[cleo]) == ("Ann", "Bo", "Cleo")
    assert error == ("UniqueViolation" if connection.vendor == "postgresql" else "IntegrityError")
    assert statements == ["INSERT"]
