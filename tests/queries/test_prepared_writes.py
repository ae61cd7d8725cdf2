"""How does a model get the mixin, and how does a worker save it?"""

from collections.abc import Callable
from typing import Any, cast

import pytest
from django.apps.registry import Apps
from django.db import IntegrityError, connection, connections, models, transaction
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.state import ModelState, ProjectState
from django.db.transaction import TransactionManagementError

from django_mullet import PreparedWrites
from django_mullet.execution.worker_connection import WorkerConnection
from tests.saving import mixed, unverified
from tests.testapp.models import Author, Item
from tests.worker_threads import Thread


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


def inserted(name: str) -> Any:
    """Return the key of a new author, or the class of what the database driver raises."""
    author = mixed(Author)(name=name)
    try:
        unverified(author)
    except IntegrityError as error:
        assert (author.pk, author._state.adding) == (None, True)
        return type(error.__cause__)
    return author.pk


@pytest.mark.django_db(transaction=True)
def test_a_worker_inserts_by_its_lasting_cursor(thread: Callable[[], Thread]) -> None:
    def insert_some() -> list[Any]:
        outside = [inserted(name) for name in ("Ann", "Bo", "Ann", "Cleo")]
        assert cast("WorkerConnection", connections["default"]).lasting_cursor is not None
        with transaction.atomic():
            within = [inserted(name) for name in ("Di", "Eve")]
        return outside + within

    ann, bo, error, *others = thread().run(insert_some)

    names = [Author.objects.get(pk=pk).name for pk in (ann, bo, *others)]
    assert names == ["Ann", "Bo", "Cleo", "Di", "Eve"]
    assert error.__name__ == (
        "UniqueViolation" if connection.vendor == "postgresql" else "IntegrityError"
    )


@pytest.mark.django_db(transaction=True)
def test_a_worker_notices_that_a_transaction_is_broken(thread: Callable[[], Thread]) -> None:
    def insert_some() -> None:
        with transaction.atomic():
            for name in ("Ann", "Bo", "Ann"):
                inserted(name)
            assert connection.needs_rollback
            inserted("Cleo")

    with pytest.raises(TransactionManagementError):
        thread().run(insert_some)

    assert not Author.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_s_wrappers_see_each_statement(thread: Callable[[], Thread]) -> None:
    statements: list[str] = []

    def see(execute: Any, sql: str, *args: Any) -> Any:
        statements.append(sql.split()[0])
        return execute(sql, *args)

    def insert_some() -> None:
        inserted("Ann")
        with connection.execute_wrapper(see):
            inserted("Bo")

    thread().run(insert_some)

    assert statements == ["INSERT"]
