"""Does what inserts by a statement compiled before leave the row that `save()` leaves?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import django
import pytest
from django.apps.registry import Apps
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.core.management.color import no_style
from django.db import IntegrityError, connection, connections, models, transaction
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import F, Value
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Upper
from django.db.models.signals import post_save, pre_save
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext, override_settings
from hypothesis import given
from hypothesis import strategies as st

from django_mullet import ModelSchema, PreparedMismatch, PreparedWrites
from django_mullet.queries import inserts
from tests.catalogue.models import Keyword
from tests.fieldtypes.models import Composite, Files, Moments, Titled
from tests.relations.models import Box
from tests.saving import (
    MODELS,
    few_examples,
    made,
    mixed,
    model_of,
    new_values,
    noting,
    outcome,
    proxy_of,
    save,
    unverified,
    ways,
)
from tests.testapp.models import Author, Item

pytestmark = pytest.mark.django_db(databases=["default", "other"])

IS_NEWER = django.VERSION >= (6,)
IS_POSTGRES = connection.vendor == "postgresql"

FAR = 1_000_000
"""A key that no sequence comes to: those of PostgreSQL go on from test to test."""


class Inserting:
    """Notes in the block what is inserted by what was compiled, and what is compiled."""

    def __enter__(self) -> "Inserting":
        self._patch = pytest.MonkeyPatch()
        self.inserted: list[Any] = []
        self.compiled: list[Any] = []
        self._patch.setattr(PreparedWrites, "_inserts_by", noting(self.inserted, inserts.insert))
        self._patch.setattr(inserts, "_built", noting(self.compiled, inserts._built))
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._patch.undo()


def is_compiled(make: Callable[[], Any], *, using: str = "default") -> bool:
    """Insert what `make` gives twice; return whether the second time nothing was compiled."""
    unverified(make(), using=using)
    with Inserting() as noted, CaptureQueriesContext(connections[using]) as queries:
        unverified(make(), using=using)
    statements = [each["sql"] for each in queries if each["sql"].startswith("INSERT ")]
    assert len(noted.inserted) == len(statements) > 0
    return None not in noted.inserted and not noted.compiled


def new_item(**values: Any) -> Any:
    return mixed(Item)(**{"name": "Lamp", "n": 1, **values})


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled yet."""
    monkeypatch.setattr(inserts, "_statements", cache(lambda model: {}))


def anew(by: Callable[..., None], model: Any) -> Callable[..., None]:
    """Return what saves as `by` does, where the next keys are those after the last rows."""
    tables = [*model._meta.all_parents, model]

    def save_anew(instance: Any) -> None:
        with connection.cursor() as cursor:
            for sql in connection.ops.sequence_reset_sql(no_style(), tables):
                cursor.execute(sql)
        by(instance)

    return save_anew


def is_as_by_django(model: Any, values: dict[str, Any], **options: Any) -> bool:
    """Return whether an object with `values` becomes the same with the mixin."""
    outcomes = [
        outcome(anew(partial(by, **options), model), kind(**values)) for kind, by in ways(model)
    ]
    return outcomes[1:] == [outcomes[0]] * 3


def sets_itself(field: Any) -> bool:
    return bool(getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False))


@pytest.mark.parametrize(
    "model",
    [model for model in MODELS if not any(map(sets_itself, model._meta.fields))],
    ids=lambda model: model._meta.label,
)
@few_examples
@given(data=st.data())
def test_every_field_is_inserted_as_by_django(model: Any, data: st.DataObject) -> None:
    with transaction.atomic():
        made(data.draw, model)
        values = new_values(data.draw, model)
        by_database = [field.name for field in model._meta.fields if field.has_db_default()]
        for name in by_database:
            if data.draw(st.booleans()):
                del values[name]
        if model._meta.auto_field is not None and data.draw(st.booleans()):
            values[model._meta.auto_field.attname] = 30_000

        is_same = is_as_by_django(model, values, force_insert=data.draw(st.booleans()))
        transaction.set_rollback(True)

    assert is_same


def test_a_statement_is_built_once() -> None:
    shelf = iter(range(9))

    assert is_compiled(new_item)
    assert is_compiled(lambda: new_item(code=None, author=None))
    assert is_compiled(lambda: mixed(Composite)(shelf="a", place=next(shelf), title="A"))
    assert is_compiled(lambda: mixed(Keyword)(word=f"word {next(shelf)}"))
    assert is_compiled(lambda: mixed(Titled)(name=f"n{next(shelf)}", title="A", pages=1))


def test_a_statement_for_a_key_is_another() -> None:
    keys = iter([FAR, FAR + 1, FAR + 2])
    unverified(new_item())

    assert is_compiled(lambda: new_item(pk=next(keys)))
    unverified(mixed(Item)(pk=next(keys), name="Torch"))

    assert Item.objects.get(pk=FAR + 2).name == "Torch"


def test_nothing_but_a_key_is_inserted() -> None:
    bare = model_of("relations_visitor", name=models.CharField(db_default="Ann"))
    other = model_of("testapp_author")

    assert is_compiled(lambda: bare(name="Bo"))
    with transaction.atomic(), pytest.raises(IntegrityError):  # as the name is missing
        unverified(other())


def test_without_the_mixin_it_is_django_that_inserts() -> None:
    with Inserting() as noted:
        unverified(Item(name="Lamp"))

    assert noted.inserted == []


@pytest.mark.usefixtures("fresh")
def test_a_schema_and_managers_insert_by_it() -> None:
    class ItemSchema(ModelSchema[mixed(Item)]):  # type: ignore[misc]
        name: str

    with Inserting() as noted:
        schemas = ItemSchema(name="Lamp").create()
        manager_s = mixed(Item).objects.create(name="Lantern")
        found, is_new = mixed(Item).objects.get_or_create(name="Torch")
        author_s = mixed(Item).objects.update_or_create(name="Torch", defaults={"n": 2})
        mixed(Item).objects.bulk_create([new_item(name="a"), new_item(name="b")])

    assert noted.inserted == [[(schemas.pk,)], [(manager_s.pk,)], [(found.pk,)]]
    assert is_new
    assert author_s == (found, False)
    assert list(Item.objects.order_by("pk").values_list("name", "n")) == [
        ("Lamp", 0),
        ("Lantern", 0),
        ("Torch", 2),
        ("a", 1),
        ("b", 1),
    ]


@pytest.mark.usefixtures("fresh")
def test_a_model_has_so_many_statements_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inserts, "MOST", 1)
    keys = iter([FAR, FAR + 1])

    assert is_compiled(new_item)
    assert not is_compiled(lambda: new_item(pk=next(keys)))
    assert Item.objects.count() == 4


@pytest.mark.usefixtures("fresh")
def test_each_database_has_its_own() -> None:
    assert is_compiled(new_item)
    assert is_compiled(new_item, using="other")

    assert Item.objects.count() == Item.objects.using("other").count() == 2
    assert len(inserts._statements(Item)) == 2


def test_a_table_of_another_name_is_another_table(monkeypatch: pytest.MonkeyPatch) -> None:
    unverified(new_item())
    monkeypatch.setattr(Item._meta, "db_table", "testapp_nowhere")

    with transaction.atomic(), pytest.raises(Exception, match="testapp_nowhere"):
        unverified(new_item())


def test_an_order_is_found_as_ever() -> None:
    with connection.cursor() as cursor:
        cursor.execute('ALTER TABLE testapp_item ADD COLUMN "_order" integer')
    options = {"order_with_respect_to": "author", "apps": Apps()}
    author = models.ForeignKey(Author, models.CASCADE)
    fields = {"author": author, "n": models.IntegerField(), "name": models.CharField()}
    ordered = model_of("testapp_item", options, **fields)
    ann = Author.objects.create(name="Ann")

    assert is_compiled(lambda: ordered(n=1, name="a", author=ann))
    assert [each._order for each in ordered.objects.order_by("pk")] == [0, 1]


# What the database or Django adds


def test_fields_set_themselves_as_ever() -> None:
    values = {
        "date": date(2020, 1, 1),
        "time": time(),
        "datetime": datetime(2020, 1, 1, tzinfo=UTC),
        "duration": timedelta(),
    }
    seen = datetime(2021, 1, 1, tzinfo=UTC)

    assert is_compiled(lambda: mixed(Moments)(**values, seen=seen)) == (
        IS_POSTGRES  # of SQLite's text, a converter makes the value that is returned
    )
    stamped = mixed(Moments)(**values, seen=seen)
    save(stamped)

    assert stamped.created > seen
    assert Moments.objects.values("created", "seen").get(pk=stamped.pk) == {
        "created": stamped.created,
        "seen": seen,
    }


def test_what_the_database_computes_is_returned() -> None:
    # Before Django 6.0, the default is a parameter on SQLite.
    assert is_compiled(lambda: mixed(Box)(width=4)) == (IS_POSTGRES or IS_NEWER)
    assert is_compiled(lambda: mixed(Box)(width=4, depth=5))

    box = mixed(Box)(width=4)
    unverified(box)
    assert (box.depth, box.area) == (3, 8)


def test_a_default_of_somebody_else_is_inserted_by_django() -> None:
    unverified(new_item())

    def with_default() -> Any:
        return new_item(code=DatabaseDefault(Value(None)))

    assert not is_compiled(with_default)


class Doubled(models.IntegerField):
    """Gives twice what the database returns."""

    def from_db_value(self, value: int, *args: Any) -> int:
        return value * 2


def test_what_is_returned_may_be_converted() -> None:
    doubled = model_of(
        "relations_box",
        width=models.IntegerField(),
        height=models.IntegerField(),
        depth=Doubled(db_default=3),
        area=models.GeneratedField(
            expression=F("width") * F("height"), output_field=models.IntegerField(), db_persist=True
        ),
    )

    assert not is_compiled(lambda: doubled(width=1, height=1))
    made = doubled(width=1, height=1)
    unverified(made)
    assert (made.depth, Box.objects.get(pk=made.pk).depth) == (6, 3)


@pytest.mark.skipif(IS_POSTGRES, reason="PostgreSQL returns columns since ever")
@pytest.mark.usefixtures("fresh")
def test_a_database_that_returns_nothing_is_asked_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", False)

    assert not is_compiled(new_item)

    item = new_item()
    unverified(item)
    assert item == Item.objects.latest("pk")


def test_an_expression_is_inserted_by_django() -> None:
    assert is_compiled(new_item)
    assert not is_compiled(lambda: new_item(name=Upper(Value("lamp"))))

    assert Item.objects.filter(name="LAMP").count() == 2


def test_what_cannot_be_inserted_is_refused_as_by_django() -> None:
    ann = Author.objects.create(name="Ann")
    unverified(new_item())

    for name, value in [
        ("n", F("n")),
        ("n", "x"),
        ("n", object()),
        ("n", None),
        ("n", 2**70),
        ("name", ann),
        ("author_id", 70),
        ("pk", "x"),
    ]:
        assert is_as_by_django(Item, {"name": "Lamp", name: value})


# Whose code runs


class Stamped(models.IntegerField):
    """Counts how often it is asked for a value."""

    asked = 0

    def pre_save(self, instance: Any, add: bool) -> Any:
        self.asked += 1
        return self.asked


def test_a_field_of_somebody_else_is_asked_as_often_as_by_django() -> None:
    field = Stamped()
    other = model_of("testapp_item", name=models.CharField(), n=field)

    assert not is_compiled(lambda: other(name="Lamp"))

    assert field.asked == (4 if IS_NEWER else 2)  # `save()` itself asks since Django 6.0
    assert Item.objects.latest("pk").n == field.asked


def test_a_file_is_stored_once(tmp_path: Path) -> None:
    file = models.FileField(storage=FileSystemStorage(tmp_path))
    other = model_of("testapp_item", name=models.CharField(), code=file, n=models.IntegerField())
    made = other(name="Lamp", n=1, code=ContentFile("light", name="lamp.txt"))

    names = iter(["a.txt", "b.txt"])

    assert not is_compiled(lambda: other(name="Lamp", n=1, code=next(names)))
    unverified(made)

    assert [path.name for path in tmp_path.iterdir()] == ["lamp.txt"]
    assert Item.objects.get(pk=made.pk).code == "lamp.txt"


class Whole(models.IntegerField):
    def get_prep_value(self, value: Any) -> Any:
        return round(value)


def test_a_field_of_somebody_else_may_do_anything() -> None:
    other = model_of("testapp_item", name=models.CharField(), n=Whole())

    assert not is_compiled(lambda: other(name="Lamp", n=2.7))
    assert set(Item.objects.values_list("n", flat=True)) == {3}


def test_placeholders_of_fields_may_depend_on_values() -> None:
    assert not is_compiled(lambda: mixed(Files)(binary=b"a", path=""))


def test_a_manager_of_the_base_may_do_anything() -> None:
    class Own(models.Manager["Item"]):
        """Has nothing, so far."""

    other = model_of(
        "testapp_item", name=models.CharField(), n=models.IntegerField(), objects=Own()
    )
    other._meta.base_manager_name = "objects"

    assert not is_compiled(lambda: other(name="Lamp", n=1))


class Listed(PreparedWrites, models.Model):
    name = models.CharField()
    n = models.IntegerField()

    class Meta:
        app_label = "testapp"
        apps = Apps()
        db_table = "testapp_item"

    def __str__(self) -> str:
        return self.name


def test_models_of_migrations_are_inserted_by_django() -> None:
    state = ProjectState()
    state.add_model(ModelState.from_model(Listed))
    then: Any = state.apps.get_model("testapp", "Listed")

    assert issubclass(then, PreparedWrites)
    assert not is_compiled(lambda: then(name="Lamp", n=1))


def test_what_a_fixture_has_is_inserted_by_django() -> None:
    with Inserting() as noted:
        new_item(pk=FAR).save_base(raw=True)

    assert noted.inserted == []
    assert Item.objects.get().pk == FAR


@pytest.mark.usefixtures("fresh")
def test_another_backend_compiles_as_it_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.ops, "compiler_module", "tests.compilers")
    monkeypatch.setattr(connection.ops, "_cache", None)

    assert not is_compiled(new_item)


class Prefixed:
    """Names what is inserted, as packages do."""

    def _do_insert(self, *args: Any) -> Any:
        self.name = f"a {self.name}"
        return super()._do_insert(*args)  # type: ignore[misc]


@pytest.mark.parametrize("bases", [(PreparedWrites, Prefixed), (Prefixed, PreparedWrites)])
def test_a_mixin_of_somebody_else_is_called(bases: Any) -> None:
    unverified(proxy_of(*bases, Item)(name="Lamp"))

    assert Item.objects.get().name == "a Lamp"


# What others see


@pytest.mark.parametrize("signal", [pre_save, post_save])
def test_what_receivers_are_given_is_the_same(signal: Any) -> None:
    given: list[Any] = []

    def note(instance: Any, **arguments: Any) -> None:
        del arguments["signal"], arguments["sender"]
        given.append((arguments, instance._state.adding, instance.pk is None, set(vars(instance))))

    for model, by in [(proxy_of(Item), save), (mixed(Item), save), (mixed(Item), unverified)]:
        signal.connect(note, sender=model)
        by(model(name="Lamp"))

    assert given[1:] == [given[0]] * 2


@contextmanager
def seeing(statements: list[str]) -> Iterator[None]:
    def see(execute: Any, sql: str, *args: Any) -> Any:
        statements.append(sql.split()[0])
        return execute(sql, *args)

    with connection.execute_wrapper(see):
        yield


def test_each_statement_is_seen(django_assert_num_queries: Any) -> None:
    statements: list[str] = []
    word = mixed(Keyword)(word="epic")

    with seeing(statements), django_assert_num_queries(2):
        unverified(new_item())
        word.save(force_insert=True)

    assert statements == ["INSERT", "INSERT"]


def test_an_error_leaves_no_half_state() -> None:
    Author.objects.create(name="Ann")
    unverified(mixed(Author)(name="Bo"))
    ann = mixed(Author)(name="Ann")

    with transaction.atomic():
        with pytest.raises(IntegrityError) as caught:
            unverified(ann)
        assert connection.needs_rollback
        with pytest.raises(TransactionManagementError):
            unverified(mixed(Author)(name="Cleo"))
        transaction.set_rollback(True)

    assert caught.value.__cause__ is not None
    assert (ann.pk, ann._state.adding, ann._state.db) == (None, True, None)
    ann.name = "Cleo"
    unverified(ann)
    assert ann._state.adding is False
    assert Author.objects.get(pk=ann.pk).name == "Cleo"


def test_what_is_compiled_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    save(new_item())
    known = inserts._statements(Item)
    for key, sql in known.items():
        monkeypatch.setitem(known, key, f"{sql} ")

    with transaction.atomic(), pytest.raises(PreparedMismatch) as caught:
        save(new_item())
    with transaction.atomic(), override_settings(DEBUG=True), pytest.raises(PreparedMismatch):
        unverified(new_item())

    message = str(caught.value)
    assert message.startswith("'Item.save()' was prepared as\n  INSERT ")
    assert message.endswith(
        "\nReport it, please; until it is fixed, remove 'PreparedWrites' from the model."
    )
