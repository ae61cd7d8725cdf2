"""Does a row that is updated by what was compiled before become what `save()` makes of it?"""

from collections import deque
from copy import copy
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import django
import pytest
from django.apps.registry import Apps
from django.db import (
    DatabaseError,
    IntegrityError,
    connection,
    connections,
    models,
    transaction,
)
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import F, QuerySet, Value
from django.db.models.signals import post_save, pre_save
from django.db.models.sql import Query
from django.test.utils import CaptureQueriesContext, override_settings
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from django_mullet import ModelSchema, Patch, PreparedMismatch, PreparedWrites
from django_mullet.queries import updates
from tests.catalogue.models import Edition, Keyword, Person, Work
from tests.fieldtypes.models import Composite, Documents, Files, Moments, Titled
from tests.relations.models import Box, Place, Room
from tests.saving import (
    MODELS,
    as_in_production,
    drawn,
    few_examples,
    made,
    mixed,
    model_of,
    noting,
    outcome,
    proxy_of,
    save,
    unverified,
    ways,
    written,
)
from tests.testapp.models import Author, Item

pytestmark = pytest.mark.django_db(databases=["default", "other"])


def is_compiled(instance: Any, *, using: str = "default") -> bool:
    """Save `instance` twice; return whether the second time nothing was compiled."""
    unverified(instance, using=using)
    compiled: list[Any] = []
    updated: list[Any] = []
    with (
        pytest.MonkeyPatch.context() as patch,
        CaptureQueriesContext(connections[using]) as queries,
    ):
        patch.setattr(updates, "_compiled", noting(compiled, updates._compiled))
        patch.setattr(PreparedWrites, "_updates_by", noting(updated, updates.update))
        unverified(instance, using=using)
    statements = [each["sql"] for each in queries if each["sql"].startswith("UPDATE ")]
    return bool(updated) and updated == [1] * len(statements) and not compiled


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
@few_examples
@given(data=st.data())
def test_every_field_is_saved_as_by_django(model: Any, data: st.DataObject) -> None:
    with transaction.atomic():
        pk = made(data.draw, model).pk
        made(data.draw, model)
        fixed = model._meta.pk_fields
        changeable = [each for each in written(model) if not (each.unique or each in fixed)]
        changed = (
            data.draw(st.lists(st.sampled_from(changeable), unique=True)) if changeable else []
        )
        values = {field.name: drawn(data.draw, field) for field in changed}
        sets_now = any(getattr(field, "auto_now_add", False) for field in model._meta.fields)
        is_gone = not sets_now and data.draw(st.booleans())
        is_deferred = data.draw(st.booleans())

        outcomes = []
        for kind, each in ways(model):
            rows = kind._base_manager.all()
            instance = (rows.only("pk", *values) if is_deferred else rows).get(pk=pk)
            for name, value in values.items():
                setattr(instance, name, value)
            outcomes.append(outcome(each, instance, is_gone=is_gone))
        transaction.set_rollback(True)

    assert outcomes[1:] == [outcomes[0]] * 3


@pytest.fixture
def item() -> Any:
    return mixed(Item).objects.create(name="Lamp", n=1)


def test_a_statement_is_built_once(item: Any) -> None:
    person = Person.objects.create(name="Ann")
    work = mixed(Work).objects.create(title="Iliad", author=person)
    place = Place.objects.create(name="A", code="a")
    room = mixed(Room).objects.create(number="1a", size=1, place=place)

    assert is_compiled(item)
    assert is_compiled(work)
    assert is_compiled(room)
    assert is_compiled(mixed(Edition).objects.create(work_id=work.pk, year=1, published=False))
    assert is_compiled(mixed(Work).objects.only("title").get())


def test_it_is_compiled_for_the_model_itself(item: Any) -> None:
    other = model_of("testapp_item", name=models.CharField()).objects.get()
    other.name = "Lantern"

    assert is_compiled(other)
    assert Item.objects.get().name == "Lantern"


def test_without_the_mixin_it_is_django_that_saves(item: Any) -> None:
    assert not is_compiled(Item.objects.get())


def test_a_schema_saves_by_it(item: Any) -> None:
    class ItemSchema(ModelSchema[Item]):
        name: str

    body = TypeAdapter(Patch[ItemSchema]).validate_python({"name": "Lantern"})
    updated: list[Any] = []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PreparedWrites, "_updates_by", noting(updated, updates.update))
        body.save(item)

    assert updated == [1]
    assert Item.objects.get().name == "Lantern"


def test_each_set_of_null_columns_is_a_statement(item: Any) -> None:
    for code in (None, "a", None, "b"):
        item.code = code
        unverified(item)

        assert Item.objects.get().code == code


@pytest.mark.usefixtures("fresh")
def test_a_model_has_so_many_statements_and_no_more(
    item: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "MOST", 1)
    assert is_compiled(item)

    item.code = "a"

    assert not is_compiled(item)
    assert Item.objects.get().code == "a"


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled yet."""
    monkeypatch.setattr(updates, "_statements", cache(lambda model: {}))


@pytest.mark.usefixtures("fresh")
def test_each_database_has_its_own(item: Any) -> None:
    other = mixed(Item)(pk=item.pk, name="Bulb", n=1)
    other.save(using="other", force_insert=True)
    item.name, other.name = "Lantern", "Torch"

    assert is_compiled(item)
    assert is_compiled(other, using="other")
    assert Item.objects.get().name == "Lantern"
    assert Item.objects.using("other").get().name == "Torch"
    assert len(updates._statements(Item)) == 2


def test_the_connection_is_the_one_that_there_is_now(item: Any) -> None:
    unverified(item)
    now = copy(connections["default"])
    now.queries_log, now.force_debug_cursor = deque(), True
    then = connections["default"]
    connections["default"] = now
    try:
        unverified(item)
    finally:
        connections["default"] = then

    assert len(now.queries_log) == 1


def test_a_table_of_another_name_is_another_table(
    item: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    unverified(item)
    monkeypatch.setattr(Item._meta, "db_table", "testapp_nowhere")

    with transaction.atomic(), pytest.raises(DatabaseError, match="testapp_nowhere"):
        unverified(item)


def test_parents_are_compiled_too() -> None:
    Titled.objects.create(name="a", pages=1)
    titled = mixed(Titled).objects.get()
    titled.title, titled.pages = "A", 2

    assert is_compiled(titled)
    assert Titled.objects.values_list("title", "pages").get() == ("A", 2)


def test_a_save_of_its_own_is_called(item: Any) -> None:
    def save_counting(self: Any, **options: Any) -> None:
        self.n += 1
        super(proxy, self).save(**options)

    proxy = proxy_of(PreparedWrites, Item, save=save_counting)

    assert is_compiled(proxy.objects.get())
    assert Item.objects.get().n == 3


@pytest.mark.parametrize("is_gone", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"force_insert": True},
        {"force_update": True},
        {"update_fields": ["title"]},
        {"update_fields": ["pages"]},
        {"update_fields": ["pages", "title"]},
        {"update_fields": []},
    ],
)
def test_what_a_save_is_asked_for_is_done_as_by_django(options: Any, *, is_gone: bool) -> None:
    def save_so(instance: Any) -> None:
        instance.save(**options)

    def save_so_unverified(instance: Any) -> None:
        with as_in_production():
            instance.save(**options)

    Titled.objects.create(name="a", title="a", pages=1)
    outcomes = []
    for model, each in [
        (proxy_of(Titled), save_so),
        (mixed(Titled), save_so),
        (mixed(Titled), save_so_unverified),
    ]:
        titled = model.objects.get()
        titled.title, titled.pages = "A", 2
        outcomes.append(outcome(each, titled, is_gone=is_gone))

    assert outcomes[1:] == [outcomes[0]] * 2


class Listening:
    """Connects a receiver in the block; gives what that was given."""

    def __init__(self, signal: Any, sender: Any) -> None:
        self._signal = signal
        self._sender = sender
        self._noted: list[dict[str, Any]] = []

    def __enter__(self) -> list[dict[str, Any]]:
        self._signal.connect(self._note, sender=self._sender)
        return self._noted

    def __exit__(self, *exc_info: object) -> None:
        self._signal.disconnect(self._note, sender=self._sender)

    def _note(self, **arguments: Any) -> None:
        self._noted.append({**arguments, "attributes": set(vars(arguments["instance"]))})


@pytest.mark.parametrize("signal", [pre_save, post_save])
def test_what_receivers_are_given_is_the_same(item: Any, signal: Any) -> None:
    given = []
    for model, each in [(proxy_of(Item), save), (mixed(Item), save), (mixed(Item), unverified)]:
        with Listening(signal, model) as noted:
            each(model.objects.get())
        [arguments] = noted
        assert arguments.pop("sender") is type(arguments["instance"]) is model
        given.append({**arguments, "instance": arguments["instance"].pk})

    assert given[1:] == [given[0]] * 2


class Guarded:
    """Lets a row be updated that nobody else has changed, as packages do."""

    def _do_update(self, rows: Any, *args: Any) -> Any:
        return super()._do_update(rows.filter(n=1), *args)  # type: ignore[misc]


@pytest.mark.parametrize("bases", [(PreparedWrites, Guarded), (Guarded, PreparedWrites)])
def test_a_mixin_of_somebody_else_chooses_rows(item: Any, bases: Any) -> None:
    guarded = proxy_of(*bases, Item).objects.get()
    guarded.name = "Lantern"
    unverified(guarded)
    assert Item.objects.get().name == "Lantern"

    Item.objects.update(n=2)
    guarded.name = "Torch"

    with transaction.atomic(), pytest.raises(IntegrityError):  # of the INSERT
        unverified(guarded)
    assert Item.objects.get().name == "Lantern"


class Whatever(QuerySet["Item"]):
    def _update(self, *args: Any) -> Any:
        assert self.model is Item
        return [] if django.VERSION >= (6,) else 0


class Choosing:
    """Has rows be updated by a queryset of its own."""

    def _do_update(self, rows: Any, *args: Any) -> Any:
        return super()._do_update(Whatever(Item, using="default"), *args)  # type: ignore[misc]


@pytest.mark.parametrize("bases", [(PreparedWrites, Choosing), (Choosing, PreparedWrites)])
def test_a_mixin_of_somebody_else_chooses_a_queryset(item: Any, bases: Any) -> None:
    choosing = proxy_of(*bases, Item).objects.get()

    with transaction.atomic(), pytest.raises(IntegrityError):  # of the INSERT
        unverified(choosing)


class Lanterns(Query):
    """Updates nothing else."""

    def chain(self, klass: Any = None) -> Any:
        chained: Any = super().chain(klass)
        if klass is not None:
            chained.add_filter("name", "Lantern")
        return chained


@pytest.mark.parametrize(
    "choose",
    [
        lambda rows: QuerySet(Item, Lanterns(Item), rows.db).all(),
        lambda rows: rows[:1],
        lambda rows: rows.union(rows),
        lambda rows: rows.none(),
        lambda rows: rows.annotate(named=F("author__name")),
    ],
)
def test_rows_of_somebody_else_are_updated_as_by_django(item: Any, choose: Any) -> None:
    def choosing(self: Any, rows: Any, *args: Any) -> Any:
        return super(type(self), self)._do_update(choose(rows), *args)

    assert is_compiled(item)
    outcomes = [
        outcome(unverified, proxy_of(*bases, Item, _do_update=choosing).objects.get())
        for bases in [(), (PreparedWrites,)]
    ]

    assert outcomes[1] == outcomes[0]


NAMES = ("base_qs", "using", "pk_val", "values", "update_fields", "forced_update")


class Naming:
    """Names each argument."""

    def _do_update(self, *args: Any) -> Any:
        named = dict(zip((*NAMES, "returning_fields"), args, strict=False))
        return super()._do_update(**named)  # type: ignore[misc]


def test_a_mixin_of_somebody_else_names_arguments(item: Any) -> None:
    naming = proxy_of(Naming, PreparedWrites, Item).objects.get()
    naming.name = "Lantern"

    assert not is_compiled(naming)
    assert Item.objects.get().name == "Lantern"


def test_a_mixin_of_somebody_else_is_given_what_django_gives(item: Any) -> None:
    given: list[Any] = []

    def ask(self: Any, *args: Any) -> Any:
        given.append(super(type(self), self)._do_update(*args))
        return given[-1]

    for bases in [(Item,), (PreparedWrites, Item)]:
        unverified(proxy_of(*bases, _do_update=ask).objects.get())

    assert repr(given[1]) == repr(given[0])


# What goes the ordinary way


class Whole(models.IntegerField):
    def get_prep_value(self, value: Any) -> Any:
        return round(value)


def test_a_field_of_somebody_else_may_do_anything(item: Any) -> None:
    other = model_of("testapp_item", n=Whole()).objects.get()
    other.n = 2.7

    assert not is_compiled(other)
    assert Item.objects.get().n == 3


class Stamped(models.IntegerField):
    def pre_save(self, instance: Any, add: bool) -> Any:
        instance.n += 1
        return instance.n


def test_a_field_of_somebody_else_may_choose_its_value(item: Any) -> None:
    other = model_of("testapp_item", n=Stamped()).objects.get()

    assert is_compiled(other)
    assert Item.objects.get().n == other.n == 3


def test_a_field_that_is_referred_to_may_do_anything() -> None:
    Item.objects.create(name="Lamp", author=Author.objects.create(name="Ann"))
    options = {"apps": Apps()}
    author = model_of("testapp_author", options, id=Whole(primary_key=True))
    refers = models.ForeignKey(author, models.CASCADE)
    item = model_of("testapp_item", options, author=refers).objects.get()

    assert not is_compiled(item)


def test_placeholders_of_fields_may_depend_on_values() -> None:
    made = mixed(Files).objects.create(binary=b"a", path="")

    assert not is_compiled(made)


def test_a_manager_of_the_base_may_do_anything(item: Any) -> None:
    class Own(QuerySet["Item"]):
        """Has nothing, so far."""

    other = model_of("testapp_item", name=models.CharField(), objects=Own.as_manager())
    other._meta.base_manager_name = "objects"

    assert not is_compiled(other.objects.get())


def test_a_manager_of_the_base_may_choose_rows(item: Any) -> None:
    class Chosen(models.Manager["Item"]):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(name="Lamp")

    other = model_of("testapp_item", name=models.CharField(), objects=Chosen())
    other._meta.base_manager_name = "objects"

    assert not is_compiled(other.objects.get())


def test_composite_keys_are_saved_by_django(monkeypatch: pytest.MonkeyPatch) -> None:
    composite = mixed(Composite).objects.create(shelf="a", place=1, title="A")
    composite.title = "B"
    assert not is_compiled(composite)

    monkeypatch.setattr(updates, "_compiled", noting(compiled := [], updates._compiled))
    unverified(composite)

    assert compiled == []
    assert Composite.objects.get().title == "B"


def test_what_the_database_computes_is_returned_as_by_django() -> None:
    Box.objects.create(width=1)
    box = mixed(Box).objects.get()
    box.width = 3

    # Django 6.0 asks for it by the UPDATE, and Django 5.2 not at all.
    assert is_compiled(box) == (django.VERSION < (6,))
    assert box.area == (2 if django.VERSION < (6,) else 6)
    assert Box.objects.get().area == 6


def test_an_expression_is_saved_by_django(item: Any) -> None:
    assert is_compiled(item)
    for name, expression in [("n", F("n") + 1), ("name", F("name"))]:
        changed = mixed(Item).objects.get()
        setattr(changed, name, expression)
        unverified(changed)

    assert Item.objects.values_list("n", "name").get() == (2, "Lamp")


class Three:
    """Is compiled, and nothing else of an expression."""

    def as_sql(self, *args: Any) -> Any:
        return "3", []


def test_what_only_compiles_is_saved_by_django(item: Any) -> None:
    assert is_compiled(item)
    item.n = Three()

    unverified(item)

    assert Item.objects.get().n == 3


def test_a_default_of_the_database_is_saved_by_django() -> None:
    box = Box.objects.create(width=1, depth=1)

    unverified(mixed(Box)(pk=box.pk, width=1))

    assert Box.objects.get().depth == 3


def is_as_by_django(model: Any, *, is_gone: bool = False, **values: Any) -> bool:
    """Return whether the only row becomes the same with the mixin, where `values` are set."""
    outcomes = []
    for kind, by in [(proxy_of(model), save), (mixed(model), save), (mixed(model), unverified)]:
        instance = kind._base_manager.get()
        for name, value in values.items():
            setattr(instance, name, value)
        outcomes.append(outcome(by, instance, is_gone=is_gone))
    return outcomes[1:] == [outcomes[0]] * 2


class Listed(PreparedWrites, models.Model):
    name = models.CharField()

    class Meta:
        app_label = "testapp"
        apps = Apps()
        db_table = "testapp_item"

    def __str__(self) -> str:
        return self.name


def test_models_of_migrations_are_saved_by_django(item: Any) -> None:
    state = ProjectState()
    state.add_model(ModelState.from_model(Listed))
    then: Any = state.apps.get_model("testapp", "Listed")

    assert issubclass(then, PreparedWrites)
    assert not is_compiled(then.objects.get())


def test_null_in_json_is_saved_by_django() -> None:
    Documents.objects.create(document=1)

    assert is_as_by_django(Documents, document=Value(None, models.JSONField()))


def test_an_object_in_place_of_its_key_is_refused_as_by_django(item: Any) -> None:
    assert is_compiled(item)
    for name, value in [("name", Item(pk=3)), ("n", object()), ("n", "x"), ("n", 2**70)]:
        assert is_as_by_django(Item, **{name: value})


def test_a_key_that_is_no_key_is_refused_as_by_django(item: Any) -> None:
    assert is_compiled(item)
    for key in ("x", 2**70, F("n"), ""):
        assert is_as_by_django(Item, pk=key)


def test_only_a_key_is_saved_as_by_django() -> None:
    Keyword.objects.create(word="epic")

    assert is_as_by_django(Keyword)
    assert is_as_by_django(Keyword, is_gone=True)


def test_select_on_save_is_asked_for(item: Any) -> None:
    model = model_of("testapp_item", {"select_on_save": True}, name=models.CharField())
    careful = model.objects.get()
    careful.name = "Lantern"

    assert not is_compiled(careful)
    assert len(outcome(save, careful)[0]) == 2
    assert Item.objects.get().name == "Lantern"


def test_fields_set_themselves_as_ever() -> None:
    moment = datetime(2020, 1, 1, tzinfo=UTC)
    made = Moments.objects.create(
        date=date(2020, 1, 1), time=time(), datetime=moment, duration=timedelta()
    )
    model = model_of("fieldtypes_moments", datetime=models.DateTimeField(auto_now=True))
    stamped = model.objects.get()

    assert is_compiled(stamped)
    made.refresh_from_db()
    assert moment < made.datetime == stamped.datetime


def test_a_violated_constraint_breaks_the_transaction_as_ever() -> None:
    Author.objects.create(name="Ann")
    author = mixed(Author).objects.create(name="Bo")
    assert is_compiled(author)
    author.name = "Ann"

    with transaction.atomic():
        with pytest.raises(IntegrityError):
            unverified(author)
        assert connection.needs_rollback
        transaction.set_rollback(True)


@pytest.mark.usefixtures("fresh")
def test_another_backend_compiles_as_it_likes(item: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.ops, "compiler_module", "tests.compilers")
    monkeypatch.setattr(connection.ops, "_cache", None)

    assert not is_compiled(item)


def test_what_is_compiled_otherwise_is_noticed(item: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    item.save()
    known = updates._statements(Item)
    for key, statement in known.items():
        assert statement is not None
        monkeypatch.setitem(known, key, replace(statement, end=" AND 1 = 0"))

    with transaction.atomic(), pytest.raises(PreparedMismatch) as caught:
        item.save()
    with transaction.atomic(), override_settings(DEBUG=True), pytest.raises(PreparedMismatch):
        unverified(item)

    message = str(caught.value)
    assert message.startswith("'Item.save()' was prepared as\n  UPDATE ")
    assert message.endswith(
        "\nReport it, please; until it is fixed, remove 'PreparedWrites' from the model."
    )
