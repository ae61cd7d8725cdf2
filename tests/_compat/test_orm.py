"""Does Django say of querysets and statements what it is asked?"""

from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import DatabaseError, connection

from django_mullet._compat import orm
from tests.catalogue.models import Person


def test_django_tells_whether_a_queryset_is_evaluated() -> None:
    queryset = Person.objects.none()

    before = orm.is_evaluated(queryset)
    list(queryset)

    assert (before, orm.is_evaluated(queryset)) == (False, True)


@pytest.mark.parametrize(
    ("queryset", "as_built", "joins"),
    [
        (Person.objects.filter(name="x").order_by("name")[:3], True, True),
        (Person.objects.only("name"), True, False),
        (Person.objects.defer("name"), True, False),
        (Person.objects.select_related("mentor"), True, False),
        (Person.objects.prefetch_related("pupils"), False, True),
        (Person.objects.distinct(), False, True),
        (Person.objects.extra(select={"x": "1"}), False, True),
        (Person.objects.select_for_update(), False, False),
        (Person.objects.union(Person.objects.all()), False, False),
        (Person.objects.values("name"), False, False),
        (Person.objects.values_list("name"), False, False),
    ],
)
def test_django_tells_what_was_asked_of_a_queryset(
    queryset: Any, as_built: bool, joins: bool
) -> None:
    assert orm.is_as_built(queryset) is as_built
    assert orm.takes_joins(queryset) is joins


def person_updated_by(update: Any) -> Any:
    Person.objects.create(name="Ann")
    options = {"proxy": True, "app_label": "catalogue", "apps": Apps()}
    members = {"Meta": type("Meta", (), options), "_updates_by": staticmethod(update)}
    bases = (orm.UpdatesBy, Person)
    model: Any = type("Updated", bases, {"__module__": __name__, **members})
    return model.objects.get()


def person_inserted_by(insert: Any) -> Any:
    options = {"proxy": True, "app_label": "catalogue", "apps": Apps()}
    members = {"Meta": type("Meta", (), options), "_inserts_by": staticmethod(insert)}
    bases = (orm.InsertsBy, Person)
    model: Any = type("Inserted", bases, {"__module__": __name__, **members})
    return model(name="Ann")


@pytest.mark.django_db
def test_django_tells_the_statement_of_an_insert() -> None:
    fields = [Person._meta.get_field(name) for name in ("name", "mentor")]
    returning = [Person._meta.get_field("id")]
    person = Person(name="Ann")
    compiler = orm.insert_compiler(person, Person, "default", fields, returning)
    [(sql, params)] = compiler.as_sql()

    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        [row] = cursor.fetchall()

    assert Person.objects.values_list("pk", "name", "mentor").get() == (*row, "Ann", None)


@pytest.mark.django_db
def test_django_tells_the_statement_of_an_update() -> None:
    person = Person.objects.create(name="Ann")
    name = Person._meta.get_field("name")
    query = orm.update_query(Person.objects.filter(pk=person.pk), [(name, None, "Bo")])
    sql, params = query.get_compiler(using="default").as_sql()

    with connection.cursor() as cursor:
        cursor.execute(sql, params)

    person.refresh_from_db()
    assert person.name == "Bo"


@pytest.mark.django_db
def test_django_has_save_update_a_row_by_another_function() -> None:
    calls: list[Any] = []

    def update(rows: Any, pk: Any, values: Any) -> int:
        calls.append((rows.model, rows.db, pk, [(field.name, *rest) for field, *rest in values]))
        return rows.filter(pk=pk).update(name="Cleo")

    person = person_updated_by(update)
    person.save(update_fields=["name"], force_update=True)

    assert calls == [(Person, "default", person.pk, [("name", None, "Ann")])]
    assert Person.objects.get().name == "Cleo"


@pytest.mark.django_db
def test_django_notices_when_that_finds_no_row() -> None:
    person = person_updated_by(lambda rows, pk, values: 0)

    with pytest.raises(DatabaseError, match=r"Forced update did not affect any rows\."):
        person.save(force_update=True)


@pytest.mark.django_db
def test_django_updates_a_row_where_the_other_function_will_not() -> None:
    person = person_updated_by(lambda rows, pk, values: None)
    person.name = "Bo"

    person.save()

    assert Person.objects.get().name == "Bo"


@pytest.mark.django_db
def test_django_has_save_insert_a_row_by_another_function() -> None:
    calls: list[Any] = []

    def insert(instance: Any, manager: Any, using: str, fields: Any, returning: Any) -> Any:
        names = [[field.name for field in each] for each in (fields, returning)]
        calls.append((instance, manager, using, *names))
        return [(70,)]

    person = person_inserted_by(insert)
    person.save()

    assert calls == [
        (person, Person._base_manager, "default", ["name", "mentor"], ["id"]),
    ]
    assert (person.pk, person._state.adding) == (70, False)
    assert not Person.objects.exists()


@pytest.mark.django_db
def test_django_inserts_a_row_where_the_other_function_will_not() -> None:
    person = person_inserted_by(lambda *args: None)

    person.save()

    assert Person.objects.get().pk == person.pk
