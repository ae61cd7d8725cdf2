"""Is what a prepared query gives what its function's queryset gives?"""

import copy
import gc
import os
import pickle
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar
from itertools import permutations
from threading import Thread
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.core import checks
from django.db import NotSupportedError, connection, connections, transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now, TruncDate
from django.test import modify_settings, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from django_mullet import (
    ModelSchema,
    NotPreparable,
    Prepared,
    PreparedMismatch,
    PreparedQuerySet,
    prepared,
)
from django_mullet.checks.project import check_prepared, check_prepared_queries
from django_mullet.queries import verification
from django_mullet.queries.compiled import CompiledQuery
from django_mullet.queries.traced import TracedQuery
from tests.catalogue.models import Chapter, Edition, Illustrated, Keyword, Person, Sealed, Work
from tests.fieldtypes.models import Documents, Numbers
from tests.testapp.models import Item

pytestmark = pytest.mark.django_db(databases=["default", "other"])

tenant: ContextVar[int] = ContextVar("tenant", default=0)
setting = {"limit": 3}


@prepared
def works_of(author_id: int, pages: int = 0) -> QuerySet[Work]:
    return Work.objects.filter(author_id=author_id, pages__gte=pages)


@prepared
def all_works() -> QuerySet[Work]:
    return Work.objects.all()


@pytest.fixture
def author() -> Person:
    person = Person.objects.create(name="Ann")
    for number in range(5):
        work = Work.objects.create(title=f"Work {number}", author=person, pages=number)
        Chapter.objects.create(work=work, number=1, heading=f"Of {work}")
    Work.objects.create(title="Another", author=Person.objects.create(name="Bo"))
    return person


def is_compiled(queryset: Any) -> bool:
    """Return whether `queryset` runs without being built."""
    list(queryset)
    return isinstance(queryset, PreparedQuerySet) and "_result_cache" in vars(queryset)


@pytest.fixture
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside of tests, where nothing is compared."""
    monkeypatch.setattr(verification, "in_tests", lambda: False)


def refuse_to_build(monkeypatch: pytest.MonkeyPatch, function: Prepared[..., Any]) -> None:
    """Have `function` fail when it is called again: what runs now is what was compiled."""

    def called(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("built")

    monkeypatch.setattr(function, "_function", called)


SAME: list[Callable[[Any], Any]] = [
    list,
    len,
    bool,
    lambda found: found.first(),
    lambda found: found.order_by("-title").first(),
    lambda found: found.last(),
    lambda found: found[1:].first(),
    lambda found: found[1],
    lambda found: list(found[1:3]),
    lambda found: list(found[3:]),
    lambda found: list(found[:2][:1]),
    lambda found: list(found[::2]),
    lambda found: list(found[2:2]),
    lambda found: found.values_list("title", flat=True)[0],
    lambda found: found[:2].values_list("title", flat=True)[1],
    lambda found: found.get(title="Work 2"),
    lambda found: found.get(Q(title="Work 2")),
    lambda found: found[:1].get(),
    lambda found: found.count(),
    lambda found: found[:2].count(),
    lambda found: found.distinct().count(),
    lambda found: found.exists(),
    lambda found: found[:2].exists(),
    lambda found: list(found.values_list("title", "rating")),
    lambda found: list(found.values_list("title", flat=True)),
    lambda found: list(found.values_list("title", named=True)),
    lambda found: list(found.values_list(F("pages") + 1)),
    lambda found: list(found.values("title", "author__name")),
    lambda found: list(found.values(more=F("pages") + 1)),
    lambda found: list(found.filter(title="Work 1")),
    lambda found: list(found.filter(title="Work 1").filter(title="Work 2")),
    lambda found: list(found.filter(rating__isnull=True)),
    lambda found: list(found.filter(Q(title="Work 1") | Q(pages=3))),
    lambda found: list(found.filter(rating=None)),
    lambda found: list(found.filter(pages__in=[1, 2])),
    lambda found: list(found.filter(pages__in=[])),
    lambda found: list(found.filter(pages__in=iter([1, 2]))),
    lambda found: list(found.filter(pages=F("pages"))),
    lambda found: list(found.filter(pages=10**30)),
    lambda found: list(found.filter(pages__lt=10**30)),
    lambda found: list(found.exclude(pages=1)),
    lambda found: list(found.annotate(more=F("pages") + 1).values_list("more")),
    lambda found: list(found.select_related("author")),
    lambda found: [list(work.chapters.all()) for work in found.prefetch_related("chapters")],
    lambda found: list(found.iterator()),
    lambda found: list(found | Work.objects.filter(pages=0)),
    lambda found: list(Chapter.objects.filter(work__in=found)),
    lambda found: found.aggregate(Count("pk")),
    lambda found: list(pickle.loads(pickle.dumps(found))),
    lambda found: list(copy.deepcopy(found)),
    lambda found: list(copy.copy(found)),
    lambda found: str(found.query),
    lambda found: repr(found),
]


@pytest.mark.parametrize("ask", SAME)
def test_it_gives_what_the_queryset_gives(author: Person, ask: Callable[[Any], Any]) -> None:
    ordinary = Work.objects.filter(author_id=author.pk, pages__gte=0)

    assert ask(works_of(author.pk)) == ask(ordinary)
    assert ask(works_of(author.pk)) == ask(ordinary)


@pytest.mark.parametrize(
    "ask",
    [
        lambda found: list(found),
        lambda found: found.first(),
        lambda found: found[1],
        lambda found: list(found[1:3].values_list("title")),
        lambda found: found.get(title="Work 2"),
        lambda found: found.count(),
        lambda found: found.exists(),
        lambda found: list(found.values("title")),
        lambda found: list(found.filter(title="Work 1", pages__lt=3)),
        lambda found: list(found.using("default")),
    ],
)
@pytest.mark.usefixtures("unverified")
def test_it_is_compiled_once(
    author: Person, ask: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ask(works_of(author.pk))

    refuse_to_build(monkeypatch, works_of)

    assert ask(works_of(author.pk)) == expected


def test_instances_are_as_django_makes_them(author: Person) -> None:
    work = works_of(author.pk).first()

    assert work is not None
    assert (work._state.db, work._state.adding) == ("default", False)
    assert work.author == author


def test_what_has_no_order_has_a_first_object() -> None:
    @prepared
    def named(name: str) -> QuerySet[Item]:
        return Item.objects.filter(name=name)

    item = Item.objects.create(name="x")
    Item.objects.create(name="x")

    assert named("x").first() == item


def test_null_is_another_query(author: Person) -> None:
    @prepared
    def rated(rating: int | None) -> QuerySet[Work]:
        return Work.objects.filter(rating=rating)

    assert (rated(None).count(), rated(None).exists(), len(rated(None))) == (6, True, 6)
    assert (rated(1).count(), rated(1).exists(), len(rated(1))) == (0, False, 0)


def test_a_function_may_slice(author: Person) -> None:
    @prepared
    def shortest(author_id: int) -> QuerySet[Work]:
        return Work.objects.filter(author_id=author_id).order_by("pages")[:3]

    assert [work.pages for work in shortest(author.pk)] == [0, 1, 2]
    assert shortest(author.pk).count() == 3
    assert shortest(author.pk).first() == shortest(author.pk)[0]
    assert [work.pages for work in shortest(author.pk)[1:]] == [1, 2]


def test_a_call_is_a_call(author: Person) -> None:
    assert len(works_of(author.pk, 3)) == len(works_of(pages=3, author_id=author.pk)) == 2
    assert works_of.__name__ == "works_of"
    with pytest.raises(TypeError, match="author_id"):
        works_of()  # type: ignore[call-arg]


def test_errors_are_those_of_the_queryset(author: Person) -> None:
    with pytest.raises(Work.DoesNotExist, match="matching query does not exist"):
        works_of(author.pk).get(title="None")
    with pytest.raises(Work.MultipleObjectsReturned, match="returned more than one Work"):
        works_of(author.pk).get()
    with pytest.raises(IndexError):
        works_of(author.pk)[9]
    with pytest.raises(ValueError, match="Negative indexing"):
        works_of(author.pk)[-1]
    with pytest.raises(ValueError, match="Negative indexing"):
        works_of(author.pk)[-1:]
    with pytest.raises(TypeError):
        works_of(author.pk)["x"]
    with pytest.raises(TypeError, match="once a slice"):
        works_of(author.pk)[:2].filter(pages=1)
    with pytest.raises(ValueError, match="expected a number"):
        list(works_of("x"))  # type: ignore[arg-type]


def test_a_queryset_is_evaluated_once(author: Person) -> None:
    with CaptureQueriesContext(connection) as captured:
        found = works_of(author.pk)
        assert (len(found), len(list(found)), found[1].pages) == (5, 5, 1)
        assert found.exists()
        assert found.count() == 5

    assert len(captured) == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda pages: Work.objects.filter(pages__in=pages),
        lambda pages: Work.objects.exclude(pages__in=pages),
        lambda pages: Work.objects.filter(~Q(pages__in=pages) | Q(title="Work 1")),
        lambda pages: Work.objects.filter(chapters__work__pages__in=pages).distinct(),
        lambda pages: Work.objects.filter(pk__in=Work.objects.filter(pages__in=pages)),
        lambda pages: Work.objects.filter(
            Exists(Chapter.objects.filter(work=OuterRef("pk"), work__pages__in=pages))
        ),
        lambda pages: Work.objects.filter(pages__in=pages).select_related("author", "publisher"),
        lambda pages: Work.objects.filter(pages__in=pages).prefetch_related("chapters"),
        lambda pages: Work.objects.filter(pages__in=pages).only("title"),
        lambda pages: Work.objects.filter(pages__in=pages).annotate(n=Count("chapters")),
        lambda pages: Work.objects.annotate(n=Count("chapters")).filter(n__in=pages),
        lambda pages: Work.objects.filter(pages__in=pages).order_by("-pages")[:2],
        lambda pages: Work.objects.filter(pages__in=pages).values("title"),
        lambda pages: Illustrated.objects.filter(pages__in=pages),
        lambda pages: Edition.objects.filter(work__pages__in=pages),
        lambda pages: Sealed.objects.filter(work__pages__in=pages),
        lambda pages: Keyword.objects.filter(word__in=pages),
        lambda pages: Work.objects.none(),
    ],
)
@pytest.mark.parametrize("pages", [[1], [1, 2, 3], [], [None, 1], None])
def test_querysets_of_all_kinds(author: Person, function: Any, pages: Any) -> None:
    try:
        expected = outcome(function(pages))
    except TypeError:
        with pytest.raises(TypeError):
            list(prepared(function)(pages))
        return

    assert outcome(prepared(function)(pages)) == expected


def outcome(queryset: Any) -> Any:
    """Return the objects, what is known of them without another query, and how many queries."""
    with CaptureQueriesContext(connection) as captured:
        objects = list(queryset)
        shown = [each if isinstance(each, dict) else vars_of(each) for each in objects]
    return objects, shown, [query["sql"] for query in captured]


def vars_of(instance: Any) -> dict[str, Any]:
    values = {name: value for name, value in vars(instance).items() if name != "_state"}
    related = {name: str(value) for name, value in instance._state.fields_cache.items()}
    return {**values, **related, "_prefetched_objects_cache": None}


@pytest.mark.parametrize("find", [lambda found: found.first(), lambda found: found.get()])
def test_one_object_has_what_is_prefetched(author: Person, find: Callable[[Any], Any]) -> None:
    @prepared
    def of(pages: int) -> QuerySet[Work]:
        return Work.objects.filter(author=author, pages=pages).prefetch_related("chapters")

    work = find(of(1))

    with CaptureQueriesContext(connection) as seen:
        chapters = list(work.chapters.all())
    assert chapters == list(Chapter.objects.filter(work=work).order_by("pk"))
    assert len(chapters) > 0
    assert len(seen) == 0


def test_an_instance_may_be_compared_with(author: Person) -> None:
    @prepared
    def of(person: Any) -> QuerySet[Work]:
        return Work.objects.filter(author=person)

    assert len(of(author)) == len(of(author.pk)) == 5
    with pytest.raises(ValueError, match='Must be "Person" instance'):
        len(of(Keyword(word="x")))


def test_a_boolean_is_compared_with_as_django_does_it(author: Person) -> None:
    @prepared
    def published(yes: bool) -> QuerySet[Edition]:
        return Edition.objects.filter(published=yes)

    Edition.objects.create(work=Work.objects.first(), year=2000)

    assert (len(published(True)), len(published(False))) == (1, 0)


def test_what_a_field_takes_for_null_is_null() -> None:
    @prepared
    def answered(yes: Any) -> QuerySet[Numbers]:
        return Numbers.objects.filter(nullable_boolean=yes)

    assert str(answered([]).query) == str(Numbers.objects.filter(nullable_boolean=None).query)
    assert list(answered([])) == []


def test_another_database_is_asked(author: Person) -> None:
    Item.objects.using("other").create(name="there")

    @prepared
    def named(name: str) -> QuerySet[Item]:
        return Item.objects.filter(name=name)

    assert not named("there")
    assert [item._state.db for item in named("there").using("other")] == ["other"]
    assert named("there").using("other").exists()


def test_what_writes_reads_where_it_writes(settings: Any, author: Person) -> None:
    settings.DATABASE_ROUTERS = ["tests.queries.test_prepared.ReadsElsewhere"]
    Item.objects.using("default").create(name="here")

    @prepared
    def named(name: str) -> QuerySet[Item]:
        return Item.objects.filter(name=name)

    assert named("here").get_or_create(name="here")[1] is False
    assert named("here").count() == 0


class ReadsElsewhere:
    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "other"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_lock_needs_a_transaction() -> None:
    @prepared
    def locked(pk: int) -> QuerySet[Item]:
        return Item.objects.select_for_update().filter(pk=pk)

    item = Item.objects.create(name="x")

    with pytest.raises(transaction.TransactionManagementError):
        locked(item.pk).first()
    with pytest.raises(transaction.TransactionManagementError):
        list(locked(item.pk))
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        assert (
            list(locked(item.pk)) == [locked(item.pk).first()] == [locked(item.pk).get()] == [item]
        )
    assert all("FOR UPDATE" in query["sql"] for query in captured)


def test_one_object_is_locked_by_what_was_compiled(
    unverified: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    @prepared
    def locked(name: str) -> QuerySet[Item]:
        return Item.objects.select_for_update().filter(name=name)

    item = Item.objects.create(name="x")
    with transaction.atomic():
        locked("x").first()
        locked("x").get(pk=item.pk)
        refuse_to_build(monkeypatch, locked)
        with CaptureQueriesContext(connection) as captured:
            assert locked("x").first() == item
            assert locked("x").get(pk=item.pk) == item
            assert locked("y").first() is None

    locks = connection.features.has_select_for_update
    assert [query["sql"].endswith(" FOR UPDATE") for query in captured] == [locks] * 3


def test_what_is_locked_and_sliced_is_asked_as_ever() -> None:
    @prepared
    def next_items() -> QuerySet[Item]:
        return Item.objects.select_for_update().order_by("name")[:1]

    item = Item.objects.create(name="x")

    with transaction.atomic():
        assert [next_items().first(), next_items().get()] == [item, item]
        assert list(next_items()) == [item]


def test_what_is_combined_is_not_filtered_as_ever() -> None:
    @prepared
    def both() -> QuerySet[Item]:
        return Item.objects.filter(name="x").union(Item.objects.filter(name="y"))

    with pytest.raises(NotSupportedError, match=r"QuerySet\.get\(\.\.\.\) with filters"):
        both().get(name="x")


def test_async_code_awaits_the_same(author: Person) -> None:
    async def ask() -> Any:
        found = works_of(author.pk)
        first = await found.afirst()
        return first, [each async for each in found], await found.acount()

    works = list(Work.objects.filter(author=author))
    assert async_to_sync(ask)() == (works[0], works, 5)


class WorkSchema(ModelSchema[Work]):
    title: str
    chapters: list[int]


class LabelSchema(ModelSchema[Work]):
    label: str


@pytest.mark.parametrize("schema", [WorkSchema, LabelSchema])
@pytest.mark.usefixtures("unverified")
def test_schemas_are_filled_by_it(
    author: Person, schema: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = schema.from_qs(Work.objects.filter(author=author))
    assert schema.from_qs(works_of(author.pk)) == expected
    assert schema.get_or_404(works_of(author.pk), title="Work 1") == expected[1]
    assert schema.get_or_404(works_of(author.pk, 4)) == expected[4]

    refuse_to_build(monkeypatch, works_of)

    assert schema.from_qs(works_of(author.pk)[1:3]) == expected[1:3]
    assert schema.get_or_404(works_of(author.pk), title="Work 2") == expected[2]


# What is refused


def branches(pages: int) -> QuerySet[Work]:
    return Work.objects.filter(pages=pages) if pages else Work.objects.all()


def compares(pages: int) -> QuerySet[Work]:
    return Work.objects.filter(pages=pages) if pages == 3 else Work.objects.all()


def calculates(pages: int) -> QuerySet[Work]:
    return Work.objects.filter(pages=pages + 1)


def formats(title: str) -> QuerySet[Work]:
    return Work.objects.filter(title=f"{title}!")


def iterates(pages: list[int]) -> QuerySet[Work]:
    return Work.objects.filter(pages__in=sorted(pages))


def looks_into(person: Person) -> QuerySet[Work]:
    return Work.objects.filter(author_id=person.pk)


def annotates(pages: int) -> QuerySet[Work]:
    return Work.objects.annotate(more=F("pages") + pages)


def slices(limit: int) -> QuerySet[Work]:
    return Work.objects.all()[:limit]


def asks_for_null(null: bool) -> QuerySet[Work]:
    return Work.objects.filter(rating__isnull=null)


def gives_a_list() -> Any:
    return []


def unites(name: str) -> QuerySet[Item]:
    return Item.objects.filter(name=name).union(Item.objects.filter(name=name))


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (branches, "the value of 'pages' is read while the query is built"),
        (compares, "the value of 'pages' is read while the query is built"),
        (calculates, "'pages' is part of an expression"),
        (formats, "the value of 'title' is read while the query is built"),
        (iterates, "the value of 'pages' is read while the query is built"),
        (looks_into, "'person' has no 'pk' yet"),
        (annotates, "'pages' is part of an expression"),
        (slices, "the value of 'limit' is read while the query is built"),
        (asks_for_null, "'isnull=null' is another query for each value"),
        (gives_a_list, "it returns [], which is no queryset"),
        (unites, "'name' is part of an expression"),
    ],
)
def test_more_than_a_comparison_is_refused(function: Any, why: str) -> None:
    with pytest.raises(NotPreparable) as caught:
        list(prepared(function)(*[3] * function.__code__.co_argcount))

    assert str(caught.value).startswith(f"'{function.__name__}' cannot be prepared: ")
    assert why in str(caught.value)
    assert "choose by a value outside of it, or leave '@prepared' out" in str(caught.value)


def by_clock() -> QuerySet[Edition]:
    return Edition.objects.filter(year__gt=timezone.now().microsecond)


def by_language() -> QuerySet[Work]:
    return Work.objects.filter(title=translation.get_language())


def by_time_zone() -> QuerySet[Work]:
    return Work.objects.filter(title=timezone.get_current_timezone_name())


def by_day() -> QuerySet[Item]:
    return Item.objects.annotate(day=TruncDate(Now()))


def by_tenant() -> QuerySet[Work]:
    return Work.objects.filter(pages=tenant.get())


@pytest.mark.parametrize("function", [by_clock, by_language, by_time_zone, by_day, by_tenant])
def test_what_depends_on_the_context_is_refused(function: Any) -> None:
    tenant.set(7)

    with pytest.raises(NotPreparable, match="reads the clock, the language, the time zone or a "):
        list(prepared(function)())


def by_setting() -> QuerySet[Work]:
    return Work.objects.filter(pages__lt=setting["limit"])


def by_type(title: object) -> QuerySet[Work]:
    found = Work.objects.filter(title=title)
    return found.filter(pages=0) if isinstance(title, str) else found


def test_what_depends_on_something_else_is_noticed_when_it_is_called(
    author: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_setting = prepared(by_setting)
    assert len(of_setting()) == 4
    monkeypatch.setitem(setting, "limit", 1)

    with pytest.raises(PreparedMismatch) as caught:
        list(of_setting())
    with pytest.raises(PreparedMismatch):
        of_setting().exists()
    with pytest.raises(PreparedMismatch):
        list(prepared(by_type)("Work 0"))

    message = str(caught.value)
    assert message.startswith("'by_setting' was prepared as\n  SELECT ")
    assert ",)\nand builds now\n  SELECT " in message
    assert message.endswith(
        ",)\nIt reads something besides its parameters: give that as a parameter, or leave "
        "'@prepared' out."
    )


@pytest.mark.usefixtures("unverified")
def test_a_share_of_the_calls_is_verified(author: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    of_setting = prepared(by_setting)
    assert len(of_setting()) == 4
    monkeypatch.setitem(setting, "limit", 1)

    assert len(of_setting()) == 4
    with override_settings(MULLET={"VERIFY_PREPARED": 1}):
        of_setting.traced()
        monkeypatch.setitem(setting, "limit", 2)
        with pytest.raises(PreparedMismatch):
            len(of_setting())
    with override_settings(DEBUG=True):
        assert len(of_setting()) == 3


def test_a_query_that_became_empty_is_noticed(author: Person) -> None:
    pages = [1]

    @prepared
    def listed() -> QuerySet[Work]:
        return Work.objects.filter(pages__in=list(pages))

    assert len(listed()) == 1
    pages.clear()

    with pytest.raises(PreparedMismatch, match=r"and builds now\n   with \(\)"):
        len(listed())


def test_other_settings_are_compiled_for_anew(author: Person) -> None:
    @prepared
    def of_debug() -> QuerySet[Work]:
        from django.conf import settings

        return Work.objects.filter(pages=settings.PAGES)

    with override_settings(PAGES=1):
        assert len(of_debug()) == 1
    with override_settings(PAGES=9):
        assert len(of_debug()) == 0


@pytest.mark.parametrize(
    "function", [lambda *pages: Work.objects.all(), lambda **lookup: Work.objects.all()]
)
def test_parameters_need_names(function: Any) -> None:
    with pytest.raises(TypeError, match="give a prepared function parameters with names"):
        prepared(function)


def test_the_system_check_tells_what_cannot_be_prepared() -> None:
    wrong, right = prepared(branches), prepared(by_setting)

    found = [message for message in check_prepared(None) if message.obj in (wrong, right)]

    assert [(message.id, message.level) for message in found] == [("mullet.E006", checks.ERROR)]
    assert "'branches' cannot be prepared" in found[0].msg
    assert str(found[0]).startswith("tests.queries.test_prepared.branches: (mullet.E006)")


def by_language_chosen(pages: int) -> QuerySet[Work]:
    found = Work.objects.filter(pages=pages)
    return found.order_by("title" if translation.get_language() == "en" else "pages")


@pytest.mark.parametrize("function", [by_clock, by_language, by_time_zone, by_language_chosen])
def test_the_system_check_tells_what_is_read_where_it_may_ask_a_database(
    function: Any, author: Person
) -> None:
    wrong, right = prepared(function), prepared(by_setting)

    def found(databases: list[str] | None) -> list[Any]:
        messages = check_prepared_queries(None, databases=databases)
        return [each for each in messages if each.obj in (wrong, right)]

    assert found(None) == found(["other"]) == []
    [message] = found(["default"])

    assert (message.id, message.level, message.obj) == ("mullet.E006", checks.ERROR, wrong)
    assert "it reads the clock, the language, the time zone or a ContextVar" in message.msg


def test_a_context_variable_which_may_be_at_its_default_is_told_by_the_system_check(
    author: Person,
) -> None:
    own: ContextVar[int] = ContextVar("own", default=1)
    wrong = [prepared(by_tenant), prepared(lambda: Work.objects.filter(pages=own.get()))]
    right = [prepared(by_setting), prepared(by_clock)]

    found = [message for message in check_prepared(None) if message.obj in (*wrong, *right)]

    assert {message.obj for message in found} == {*wrong}
    assert {(message.id, message.level) for message in found} == {("mullet.W010", checks.WARNING)}
    assert "'by_tenant' is prepared, and names a ContextVar" in " ".join(
        message.msg for message in found
    )


def test_the_system_check_leaves_out_what_the_library_prepares(author: Person) -> None:
    class PersonSchema(ModelSchema[Person]):
        friends: list[int]

    author.friends.add(author)
    [person] = PersonSchema.from_qs(Person.objects.filter(pk=author.pk))
    assert person.friends == [author.pk]

    apps.clear_cache()  # or the relations would be remembered
    with modify_settings(INSTALLED_APPS={"remove": "tests.catalogue"}):
        assert check_prepared(None) == []


@prepared
def documents() -> QuerySet[Documents]:
    return Documents.objects.all()


NAMED_BY_A_CLIENT: dict[str, Callable[[str], Any]] = {
    "filter": lambda key: documents().filter(**{f"document__{key}": 1}),
    "several filters": lambda key: documents().filter(pk=1).filter(**{f"document__{key}": 1}),
    "values": lambda key: documents().values("pk", f"document__{key}"),
    "values_list": lambda key: documents().values_list(f"document__{key}", flat=True),
    "null": lambda key: documents().filter(**{f"document__{key}__isnull": False}),
}


@pytest.mark.usefixtures("unverified")
@pytest.mark.parametrize("ask", NAMED_BY_A_CLIENT.values(), ids=NAMED_BY_A_CLIENT)
def test_what_a_client_names_is_not_kept_for_good(ask: Callable[[str], Any]) -> None:
    found: list[int] = []

    for number in range(1200):
        list(ask(f"key{number}"))
        if number % 400 == 399:
            found.append(number_of_queries())

    assert max(found) < 1000, found


def number_of_queries() -> int:
    gc.collect()
    return sum(isinstance(each, TracedQuery | CompiledQuery) for each in gc.get_objects())


@pytest.mark.usefixtures("unverified")
def test_long_names_take_the_room_of_many() -> None:
    before = number_of_queries()
    function: Any = prepared(lambda: Documents.objects.all())

    for number in range(60):
        list(function().filter(**{f"document__key{number}__{'__'.join('a' * 200)}": 1}))

    assert number_of_queries() - before < 80


@pytest.mark.usefixtures("unverified")
def test_the_order_of_filters_makes_no_other_query(author: Person) -> None:
    orders = list(permutations({"author": author.pk, "pages__gte": 1, "title__gt": "W"}.items()))

    found = [[work.pages for work in all_works().filter(**dict(order))] for order in orders]

    assert found == [[1, 2, 3, 4]] * len(orders)
    kept = {all_works().filter(**dict(order)).bound.traced for order in orders}
    assert len(kept) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.parametrize(
    ("threads", "calls"),
    [
        (16, 640),
        pytest.param(
            *(64, 1_000_000),
            marks=pytest.mark.skipif("SLOW" not in os.environ, reason="takes minutes; set SLOW=1"),
        ),
    ],
)
def test_threads_get_what_belongs_to_their_values(threads: int, calls: int) -> None:
    person = Person.objects.create(name="Ann")
    for number in range(64):
        Work.objects.create(title=f"Work {number}", author=person, pages=number)
    wrong: list[Any] = []
    asked = Counter[int]()

    def ask(number: int) -> None:
        try:
            for turn in range(calls // threads):
                pages = (number + turn) % 64
                found = works_of(person.pk).filter(pages=pages).values_list("title", flat=True)
                if list(found) != [f"Work {pages}"]:
                    wrong.append((pages, list(found)))
                asked[number] += 1
        finally:
            connections.close_all()

    running = [Thread(target=ask, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()

    assert not wrong
    assert asked.total() == calls
