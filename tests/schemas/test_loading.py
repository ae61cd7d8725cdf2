"""Is what a plan loads the same as what instances hold, in a number of queries that is known?"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections
from django.db.models import Count, F, Prefetch, QuerySet
from django.http import Http404
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from django_mullet import LazyLoad, ModelSchema
from tests.catalogue.models import (
    Chapter,
    Edition,
    Illustrated,
    Jacket,
    Keyword,
    Note,
    Person,
    Publisher,
    Sealed,
    Work,
)


class PersonSchema(ModelSchema[Person]):
    id: int
    name: str


class PublisherSchema(ModelSchema[Publisher]):
    code: str
    city: str


class KeywordSchema(ModelSchema[Keyword]):
    word: str


class ChapterSchema(ModelSchema[Chapter]):
    heading: str


class EditionSchema(ModelSchema[Edition]):
    year: int


class JacketSchema(ModelSchema[Jacket]):
    colour: str


class WorkSchema(ModelSchema[Work]):
    title: str
    rating: Decimal | None
    publisher: PublisherSchema | None
    author: PersonSchema
    chapters: list[ChapterSchema]
    keywords: list[KeywordSchema]
    editors: list[int]
    jacket: JacketSchema | None


@pytest.fixture
def works(db: None) -> list[Work]:
    """Five works, each with another part of what a work can have."""
    homer, sappho = (Person.objects.create(name=name) for name in ("Homer", "Sappho"))
    homer.friends.add(sappho)
    sappho.mentor = homer
    sappho.save()
    ilion = Publisher.objects.create(code="il", city="Ilion")
    words = [Keyword.objects.create(word=word) for word in ("epic", "lyric", "war")]
    made = []
    for number in range(5):
        work = Work.objects.create(
            title=f"Work {4 - number}",
            pages=number * 10,
            rating=None if number == 1 else Decimal(number) / 4,
            publisher=ilion if number % 2 else None,
            author=homer if number < 3 else sappho,
        )
        work.keywords.set(words[:number])
        work.editors.set([homer, sappho][: number % 3])
        for chapter in range(number):
            Chapter.objects.create(work=work, number=-chapter, heading=f"{number}.{chapter}")
            Edition.objects.create(work=work, year=2000 + chapter, published=bool(chapter % 2))
        if number > 2:
            Jacket.objects.create(work=work, colour="red")
        made.append(work)
    return made


def one_by_one(schema: Any, queryset: Any) -> list[Any]:
    """Return what the schema shows of instances, each of which loads what it lacks."""
    return [schema.model_validate(instance) for instance in queryset]


def queries(function: Callable[[], object], using: str = "default") -> list[str]:
    with CaptureQueriesContext(connections[using]) as context:
        function()
    return [query["sql"] for query in context.captured_queries]


def assert_planned(schema: Any, queryset: Callable[[], Any], *, number: int) -> list[Any]:
    """Assert that a plan shows the same with that number of queries; return what it shows."""
    expected = one_by_one(schema, queryset())
    with CaptureQueriesContext(connection) as context:
        shown = schema.from_qs(queryset())
    adapter = TypeAdapter(list[schema])

    assert adapter.dump_json(shown) == adapter.dump_json(expected)
    assert len(context) == number, [query["sql"] for query in context.captured_queries]
    return shown  # type: ignore[no-any-return]


def test_columns_and_joins_are_one_query_and_each_list_another(works: list[Work]) -> None:
    shown = assert_planned(WorkSchema, Work.objects.all, number=4)

    assert [work.title for work in shown] == [f"Work {number}" for number in range(5)]
    assert [chapter.heading for chapter in shown[0].chapters] == ["4.3", "4.2", "4.1", "4.0"]


def test_only_the_columns_of_the_schema_are_loaded(works: list[Work]) -> None:
    class Titles(ModelSchema[Work]):
        title: str

    [sql] = queries(lambda: Titles.from_qs(Work.objects.order_by("title")))

    assert "title" in sql
    assert "pages" not in sql
    assert '"id"' not in sql


def test_no_objects_are_one_query(db: None) -> None:
    assert_planned(WorkSchema, Work.objects.all, number=1)
    assert_planned(WorkSchema, Work.objects.none, number=0)


def test_related_objects_have_related_objects(works: list[Work]) -> None:
    class Nested(ModelSchema[Person]):
        works: list[WorkSchema]
        mentor: PersonSchema | None
        pupils: list[PersonSchema]
        edited: list[int]
        friends: list[PersonSchema]

    class Mentors(ModelSchema[Person]):
        mentor: Nested | None

    assert_planned(Nested, lambda: Person.objects.order_by("pk"), number=8)
    assert_planned(Mentors, lambda: Person.objects.order_by("pk"), number=8)


def test_a_foreign_key_to_another_column_is_followed_both_ways(works: list[Work]) -> None:
    class Title(ModelSchema[Work]):
        title: str
        publisher: str | None

    class WithWorks(ModelSchema[Publisher]):
        works: list[Title]

    [shown] = assert_planned(WithWorks, Publisher.objects.all, number=2)

    assert {work.publisher for work in shown.works} == {"il"}


def test_keys_take_no_join(works: list[Work]) -> None:
    class Keys(ModelSchema[Work]):
        author: int
        publisher_id: str | None
        jacket: int | None

    assert_planned(Keys, Work.objects.all, number=1)


def test_a_child_has_the_columns_of_its_parent(db: None) -> None:
    class IllustratedSchema(ModelSchema[Illustrated]):
        id: int
        title: str
        pictures: int
        author: PersonSchema
        chapters: list[ChapterSchema]

    work = Illustrated.objects.create(title="x", pictures=3, author=Person.objects.create(name="y"))
    Chapter.objects.create(work=work, number=1, heading="one")

    [shown] = assert_planned(IllustratedSchema, Illustrated.objects.all, number=2)

    assert shown.chapters == [ChapterSchema(heading="one")]


def test_a_schema_of_a_parent_shows_its_children_too(db: None) -> None:
    class Titles(ModelSchema[Work]):
        title: str

    Illustrated.objects.create(title="x", author=Person.objects.create(name="y"))

    assert_planned(Titles, Illustrated.objects.all, number=1)


def test_aliases_are_kept_to(works: list[Work]) -> None:
    class Chapters(ModelSchema[Chapter]):
        model_config = ConfigDict(alias_generator=to_camel)
        work_id: int

    class Aliased(ModelSchema[Work]):
        model_config = ConfigDict(alias_generator=to_camel)
        author_id: int
        publisher: PublisherSchema | None
        chapters: list[Chapters]

    assert_planned(Aliased, Work.objects.all, number=2)


# What the caller put on the queryset


@pytest.mark.parametrize(
    "build",
    [
        lambda: Work.objects.filter(chapters__number__lt=0),
        lambda: Work.objects.exclude(author__name="Homer").order_by("-pages"),
        lambda: Work.objects.order_by("author__name", "pk")[1:3],
        lambda: Work.objects.only("title"),
        lambda: Work.objects.defer("title", "author"),
        lambda: Work.objects.select_related("publisher"),
        lambda: Work.objects.annotate(n=Count("chapters")).filter(n__gt=1).order_by("title"),
        lambda: Work.objects.reverse(),
    ],
)
def test_rows_serve_whatever_changes_which_rows_there_are(
    works: list[Work], build: Callable[[], QuerySet[Work]]
) -> None:
    assert_planned(WorkSchema, build, number=4)


@pytest.mark.parametrize(
    ("build", "number"),
    [
        (lambda: Work.objects.filter(chapters__number__lt=0).distinct(), 4),
        (lambda: Work.objects.order_by().union(Work.objects.order_by()).order_by("title"), 7),
        (lambda: Work.objects.prefetch_related("chapters"), 4),
        (lambda: Work.objects.extra(select={"x": "1"}), 7),
    ],
)
def test_instances_serve_where_rows_might_differ(
    works: list[Work], build: Callable[[], QuerySet[Work]], number: int
) -> None:
    assert_planned(WorkSchema, build, number=number)


def test_objects_that_are_loaded_are_not_loaded_again(works: list[Work]) -> None:
    queryset = Work.objects.select_related("publisher", "author", "jacket")
    queryset = queryset.prefetch_related("chapters", "keywords", "editors")
    list(queryset)

    assert queries(lambda: WorkSchema.from_qs(queryset)) == []
    assert queries(lambda: WorkSchema.from_qs(list(queryset))) == []


def test_the_prefetch_of_the_caller_is_what_is_shown(works: list[Work]) -> None:
    first = Prefetch("chapters", Chapter.objects.filter(number=0))

    shown = assert_planned(WorkSchema, lambda: Work.objects.prefetch_related(first), number=4)

    assert [len(work.chapters) for work in shown] == [1, 1, 1, 1, 0]


def test_a_prefetch_to_an_attribute_is_shown(works: list[Work]) -> None:
    class WithFirst(ModelSchema[Work]):
        title: str
        first: list[ChapterSchema]

    first = Prefetch("chapters", Chapter.objects.filter(number=0), to_attr="first")

    shown = assert_planned(WithFirst, lambda: Work.objects.prefetch_related(first), number=2)

    assert shown[0].first == [ChapterSchema(heading="4.0")]


def test_only_without_the_way_back_still_finds_the_way_back(works: list[Work]) -> None:
    headings = Prefetch("chapters", Chapter.objects.only("heading", "work"))

    assert_planned(WorkSchema, lambda: Work.objects.prefetch_related(headings), number=4)


def test_values_are_left_as_they_are(works: list[Work]) -> None:
    class Titles(ModelSchema[Work]):
        title: str

    shown = Titles.from_qs(Work.objects.values("title"))  # type: ignore[arg-type]

    assert shown == one_by_one(Titles, Work.objects.all())


def test_annotations_are_shown(works: list[Work]) -> None:
    class Counted(ModelSchema[Work]):
        title: str
        number: int
        writer: str
        author: PersonSchema

    def build() -> QuerySet[Work]:
        queryset = Work.objects.annotate(number=Count("chapters"), writer=F("author__name"))
        return queryset.order_by("title")

    shown = assert_planned(Counted, build, number=1)

    assert [work.number for work in shown] == [4, 3, 2, 1, 0]


def test_an_annotation_that_is_missing_is_named(works: list[Work]) -> None:
    class Counted(ModelSchema[Work]):
        number: int

    with pytest.raises(AttributeError, match="'Work' object has no attribute 'number'"):
        Counted.from_qs(Work.objects.all())


def test_rows_may_be_locked(works: list[Work]) -> None:
    assert_planned(WorkSchema, Work.objects.select_for_update, number=7)


@pytest.mark.django_db(databases=["default", "other"])
def test_everything_comes_from_the_database_of_the_queryset() -> None:
    author = Person.objects.using("other").create(name="x")
    work = Work.objects.using("other").create(title="y", author=author)
    Chapter.objects.using("other").create(work=work, number=1, heading="one")

    class Chapters(ModelSchema[Work]):
        chapters: list[ChapterSchema]

    assert queries(lambda: Chapters.from_qs(Work.objects.using("other"))) == []
    [shown] = Chapters.from_qs(Work.objects.using("other"))
    assert shown.chapters == [ChapterSchema(heading="one")]


# What only instances have


def test_what_a_property_reads_is_loaded_for_it(works: list[Work]) -> None:
    class Labels(ModelSchema[Work]):
        label: str
        chapters: list[ChapterSchema]

    shown = assert_planned(Labels, Work.objects.all, number=2)
    sql = queries(lambda: Labels.from_qs(Work.objects.all()))[0]

    assert shown[0].label == "Work 0 by Sappho"
    assert "pages" not in sql


def test_a_property_that_does_not_tell_what_it_reads_must_find_it_loaded(works: list[Work]) -> None:
    class Cities(ModelSchema[Work]):
        title: str
        city: str

    with pytest.raises(LazyLoad) as caught:
        Cities.from_qs(Work.objects.all())

    assert str(caught.value) == (
        "'Cities.city' queries the database for each object by itself. Load what it reads with "
        "the objects: 'Work.objects.select_related(\"publisher\")'."
    )
    assert_planned(Cities, lambda: Work.objects.select_related("publisher"), number=1)


def test_generic_relations_are_loaded_for_all_at_once(works: list[Work]) -> None:
    class NoteSchema(ModelSchema[Note]):
        text: str

    class Noted(ModelSchema[Work]):
        notes: list[NoteSchema]

    for work in works:
        Note.objects.create(text=f"of {work}", about=work)
    ContentType.objects.get_for_model(Work)  # which Django keeps

    assert_planned(Noted, Work.objects.all, number=2)


def test_code_that_runs_for_instances_runs(works: list[Work]) -> None:
    class SealedSchema(ModelSchema[Sealed]):
        mark: str

    class WithSeals(ModelSchema[Work]):
        seals: list[SealedSchema]

    Sealed.objects.create(work=works[0], mark="x")

    shown = assert_planned(WithSeals, lambda: Work.objects.filter(seals__gt=0), number=2)

    assert shown[0].seals == [SealedSchema(mark="**x")]  # once for each time that it was made


def test_the_default_manager_chooses_what_is_related(works: list[Work]) -> None:
    class Editions(ModelSchema[Work]):
        editions: list[EditionSchema]

    shown = assert_planned(Editions, Work.objects.all, number=2)

    assert [edition.year for edition in shown[0].editions] == [2003, 2001]


# One object


def test_the_relations_of_an_object_are_loaded_at_once(works: list[Work]) -> None:
    class Nested(ModelSchema[Person]):
        works: list[WorkSchema]

    author = Person.objects.get(name="Homer")

    assert len(queries(lambda: Nested.from_model(author))) == 6
    assert queries(lambda: Nested.from_model(author)) == []


def test_an_object_without_others_below_it_is_read_as_it_is(works: list[Work]) -> None:
    work = Work.objects.select_related("author").get(title="Work 4")

    assert len(queries(lambda: WorkSchema.from_model(work))) == 4  # lists, and no jacket


def test_one_object_is_found_by_the_query_of_its_schema(works: list[Work]) -> None:
    found = []
    made = queries(lambda: found.append(WorkSchema.get_or_404(Work.objects.all(), title="Work 0")))

    assert len(made) == 4
    assert found == WorkSchema.from_qs(Work.objects.filter(title="Work 0"))


def test_an_object_that_is_not_there_is_a_404(works: list[Work]) -> None:
    with pytest.raises(Http404) as caught:
        WorkSchema.get_or_404(Work.objects.all(), title="Work 9")

    assert str(caught.value) == "No Work matches the given query."


def test_several_objects_are_one_too_many(works: list[Work]) -> None:
    with pytest.raises(Work.MultipleObjectsReturned) as caught:
        WorkSchema.get_or_404(Work.objects.all(), pages__gte=0)

    assert str(caught.value) == "Several Work match the given query."


def test_async_code_awaits_the_same(works: list[Work]) -> None:
    many = async_to_sync(WorkSchema.afrom_qs)(Work.objects.all())
    one = async_to_sync(WorkSchema.aget_or_404)(Work.objects.all(), title="Work 0")

    assert many == WorkSchema.from_qs(Work.objects.all())
    assert one == many[0]


# The same by rows and by instances, whatever is asked for

LEAVES: dict[str, tuple[type[Any], list[tuple[str, Any]]]] = {
    "person": (Person, [("id", int), ("name", str), ("mentor_id", int | None)]),
    "publisher": (Publisher, [("id", int), ("code", str), ("city", str)]),
    "keyword": (Keyword, [("word", str), ("pk", str)]),
    "chapter": (Chapter, [("heading", str), ("number", int), ("work", int)]),
    "edition": (Edition, [("year", int), ("published", bool)]),
    "jacket": (Jacket, [("colour", str)]),
    "work": (
        Work,
        [
            ("id", int),
            ("title", str),
            ("pages", int),
            ("rating", Decimal | None),
            ("publisher_id", str | None),
            ("author", int),
            ("label", str),
            ("editors", list[int]),
            ("keywords", list[str]),
            ("chapters", list[int]),
        ],
    ),
}
RELATIONS: dict[str, list[tuple[str, str, str]]] = {
    "person": [
        ("mentor", "person", "null"),
        ("works", "work", "list"),
        ("pupils", "person", "list"),
        ("friends", "person", "list"),
        ("edited", "work", "list"),
    ],
    "publisher": [("works", "work", "list")],
    "keyword": [],
    "chapter": [("work", "work", "one")],
    "edition": [("work", "work", "one")],
    "jacket": [("work", "work", "one")],
    "work": [
        ("publisher", "publisher", "null"),
        ("author", "person", "one"),
        ("chapters", "chapter", "list"),
        ("editions", "edition", "list"),
        ("editors", "person", "list"),
        ("keywords", "keyword", "list"),
        ("jacket", "jacket", "null"),
    ],
}


@st.composite
def schemas(draw: st.DrawFn, of: str, depth: int) -> Any:
    """A schema of some columns and relations of a model, at most `depth` relations deep."""
    model, leaves = LEAVES[of]
    fields = dict(draw(st.lists(st.sampled_from(leaves), unique=True, min_size=1)))
    if depth and RELATIONS[of]:
        chosen = st.lists(st.sampled_from(RELATIONS[of]), unique=True, max_size=2)
        for name, target, number in draw(chosen):
            nested = draw(schemas(target, depth - 1))
            fields[name] = {"list": list[nested], "null": nested | None, "one": nested}[number]
    return type("Generated", (ModelSchema[model],), {"__annotations__": fields})


BUILDS: list[Callable[[QuerySet[Any]], QuerySet[Any]]] = [
    lambda queryset: queryset,
    lambda queryset: queryset.order_by("-pk"),
    lambda queryset: queryset.order_by("pk")[1:4],
    lambda queryset: queryset.exclude(pk=1).order_by("pk"),
    lambda queryset: queryset.order_by("pk").distinct(),
    lambda queryset: queryset.order_by("pk").only("pk"),
    lambda queryset: queryset.annotate(twice=F("pk")).order_by("twice"),
]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_rows_and_instances_show_the_same(works: list[Work], data: st.DataObject) -> None:
    of = data.draw(st.sampled_from(sorted(LEAVES)))
    schema = data.draw(schemas(of, 3))
    build = data.draw(st.sampled_from(BUILDS))
    adapter = TypeAdapter(list[schema])

    manager = LEAVES[of][0]._default_manager
    with override_settings(MULLET={"LAZY_LOADS": "allow"}):  # of what 'only()' leaves out
        by_plan = schema.from_qs(build(manager.order_by("pk")))
    by_instance = one_by_one(schema, build(manager.order_by("pk")))

    assert adapter.dump_json(by_plan) == adapter.dump_json(by_instance)
