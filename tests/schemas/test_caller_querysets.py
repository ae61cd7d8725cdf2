"""Does what the caller made of a queryset stay, whatever the schema shows?

What is shown is compared with instances that plain Django reads, one after another.
"""

from collections.abc import Callable
from typing import Any

import django
import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Window,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import RowNumber, Upper
from django.test.utils import CaptureQueriesContext
from pydantic import TypeAdapter

from django_mullet import ModelSchema, ReadOnly, prepared, reads
from tests.catalogue.models import (
    Agent,
    Chapter,
    Jacket,
    Keyword,
    Note,
    Person,
    Publisher,
    Sealed,
    Spot,
    Work,
)


class MentorSchema(ModelSchema[Person]):
    name: str


class PersonSchema(ModelSchema[Person]):
    name: str
    mentor: MentorSchema | None


class JacketSchema(ModelSchema[Jacket]):
    colour: str


class ChapterSchema(ModelSchema[Chapter]):
    heading: str


class TitleSchema(ModelSchema[Work]):
    title: str


class WorkSchema(ModelSchema[Work]):
    title: str
    author: PersonSchema | None
    jacket: JacketSchema | None


class LabelSchema(WorkSchema):
    label: ReadOnly[str]


class KeySchema(ModelSchema[Work]):
    title: str
    jacket: int | None


@pytest.fixture
def works(db: None) -> list[Work]:
    """Six works of two authors, one of whom is the other's mentor."""
    homer = Person.objects.create(name="Homer")
    sappho = Person.objects.create(name="Sappho", mentor=homer)
    ilion = Publisher.objects.create(code="il", city="Ilion")
    made = []
    for number in range(6):
        author = sappho if number % 2 else homer
        work = Work.objects.create(
            title=f"Work {number}", pages=number, author=author, publisher=ilion
        )
        for chapter in range(number):
            Chapter.objects.create(work=work, number=chapter // 2, heading=f"{number}.{chapter}")
        if number % 3:
            Jacket.objects.create(work=work, colour="red" if number % 2 else "blue")
        made.append(work)
    ContentType.objects.get_for_model(Work)  # which Django keeps
    return made


def assert_as_django(
    schema: Any, build: Callable[[], Any], number: int, *, expected: list[Any] | None = None
) -> list[Any]:
    """Assert that `schema` shows what instances hold, by that number of queries; return it."""
    if expected is None:
        expected = [schema.model_validate(instance) for instance in build()]
    objects = build()
    with CaptureQueriesContext(connection) as context:
        shown = schema.from_qs(objects)
    adapter = TypeAdapter(list[schema])  # pyright: ignore[reportInvalidTypeForm]

    assert adapter.dump_python(shown) == adapter.dump_python(expected)
    assert len(context) == number, [query["sql"] for query in context.captured_queries]
    return shown  # type: ignore[no-any-return]


def hidden() -> QuerySet[Person]:
    return Person.objects.filter(name="Homer")


# Prefetches


@pytest.mark.parametrize("schema", [WorkSchema, LabelSchema])
def test_a_prefetch_of_a_foreign_key_hides_what_it_leaves_out(
    works: list[Work], schema: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def label(work: Any) -> str:
        return f"label of {work.title}"

    monkeypatch.setattr(Work, "label", property(reads("title")(label)))

    def build() -> Any:
        return Work.objects.prefetch_related(Prefetch("author", hidden()))

    shown = schema.from_qs(build())

    assert [work.author and work.author.name for work in shown] == ["Homer", None] * 3


@pytest.mark.parametrize(
    ("lookups", "number"),
    [
        ([Prefetch("jacket", Jacket.objects.filter(colour="red"))], 2),
        ([Prefetch("jacket", Jacket.objects.filter(colour="red"), to_attr="red")], 2),
        ([Prefetch("author", Person.objects.select_related("mentor"))], 2),
        ([Prefetch("author", Person.objects.all(), to_attr="writer")], 2),
        ([Prefetch("author__mentor", Person.objects.filter(name="nobody"))], 3),
        ([Prefetch("author", Person.objects.prefetch_related("mentor"))], 3),
        (["author", Prefetch("author__works", Work.objects.filter(pages__gt=1))], 4),
        (["publisher"], 2),
        (["publisher__works__author"], 4),
        (["notes", "keywords", "editors"], 4),
        (["author__mentor"], 3),
    ],
)
def test_what_the_caller_prefetches_is_loaded_as_the_caller_wrote_it(
    works: list[Work], lookups: list[Any], number: int
) -> None:
    def build() -> QuerySet[Work]:
        return Work.objects.prefetch_related(*lookups)

    assert_as_django(WorkSchema, build, number)


def test_a_prefetch_brings_annotations_and_inner_prefetches(works: list[Work]) -> None:
    class Brief(ModelSchema[Work]):
        title: str

    class Counted(ModelSchema[Person]):
        name: str
        number: ReadOnly[int]
        works: list[Brief]

    class WithCounted(ModelSchema[Work]):
        title: str
        author: Counted

    def build() -> QuerySet[Work]:
        long = Prefetch("works", Work.objects.filter(pages__gt=3).order_by("-pages"))
        authors = Person.objects.annotate(number=Count("works")).prefetch_related(long)
        return Work.objects.prefetch_related(Prefetch("author", authors))

    shown = assert_as_django(WithCounted, build, 3)

    assert {work.author.number for work in shown} == {3}
    assert [each.title for each in shown[1].author.works] == ["Work 5"]


def test_a_prefetch_to_an_attribute_of_a_foreign_key_is_shown_by_it(works: list[Work]) -> None:
    class Written(ModelSchema[Work]):
        title: str
        writer: ReadOnly[MentorSchema]

    def build() -> QuerySet[Work]:
        return Work.objects.prefetch_related(Prefetch("author", to_attr="writer"))

    assert_as_django(Written, build, 2)


def test_a_prefetch_within_a_prefetch_wins_too(works: list[Work]) -> None:
    class WithWorks(ModelSchema[Person]):
        works: list[WorkSchema]

    def build() -> QuerySet[Person]:
        red = Prefetch("jacket", Jacket.objects.filter(colour="red"))
        return Person.objects.prefetch_related(
            Prefetch("works", Work.objects.prefetch_related(red))
        )

    shown = assert_as_django(WithWorks, build, 4)

    assert [work.jacket and work.jacket.colour for work in shown[0].works] == [None, None, None]


@pytest.mark.parametrize("number", [1, 6])
def test_a_prefetch_of_generic_relations_wins(works: list[Work], number: int) -> None:
    class NoteSchema(ModelSchema[Note]):
        text: str

    class Noted(ModelSchema[Work]):
        title: str
        notes: list[NoteSchema]

    for work in works[:number]:
        Note.objects.create(text="shown", about=work)
        Note.objects.create(text="hidden", about=work)

    def build() -> QuerySet[Work]:
        return Work.objects.prefetch_related(Prefetch("notes", Note.objects.filter(text="shown")))

    shown = assert_as_django(Noted, build, 2)

    assert [len(work.notes) for work in shown] == [1] * number + [0] * (6 - number)


def test_a_prefetch_wins_for_one_object(works: list[Work]) -> None:
    queryset = Work.objects.prefetch_related(Prefetch("author", hidden()))

    assert WorkSchema.get_or_404(queryset, title="Work 1").author is None
    assert WorkSchema.get_or_404(queryset, title="Work 2").author is not None


def test_a_prefetch_of_a_prepared_queryset_wins(works: list[Work]) -> None:
    @prepared
    def shown_works(pages: int) -> QuerySet[Work]:
        return Work.objects.filter(pages=pages).prefetch_related(Prefetch("author", hidden()))

    shown = [WorkSchema.from_qs(shown_works(number))[0].author for number in range(4)]

    assert [author is None for author in shown] == [False, True, False, True]


def test_a_property_that_raises_is_not_null(
    works: list[Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(work: Any) -> Any:
        raise Person.DoesNotExist("lost")

    monkeypatch.setattr(Work, "lost", property(lost), raising=False)

    class Lost(ModelSchema[Work]):
        lost: ReadOnly[str | None]

    with pytest.raises(Person.DoesNotExist):
        Lost.from_qs(Work.objects.all())


# Columns


@pytest.mark.parametrize(
    ("build", "number"),
    [
        (lambda: Work.objects.prefetch_related("author"), 2),
        (lambda: Work.objects.distinct().prefetch_related("author", "jacket"), 3),
    ],
)
def test_what_is_prefetched_is_there_though_it_is_not_shown(
    works: list[Work], build: Callable[[], QuerySet[Work]], number: int
) -> None:
    assert_as_django(TitleSchema, build, number)


@pytest.mark.parametrize(
    ("build", "number"),
    [
        (lambda: Work.objects.only("title").distinct(), 4),
        (lambda: Work.objects.defer("author", "pages").distinct(), 4),
        (lambda: Work.objects.defer("author_id").distinct(), 4),
        (lambda: Work.objects.only("title").prefetch_related("publisher", "chapters"), 6),
        (lambda: Work.objects.only("title", "author__name").select_related("author").distinct(), 3),
        (lambda: Work.objects.select_related("author").defer("author__mentor").distinct(), 3),
        (
            lambda: Work.objects.only("title").prefetch_related(
                Prefetch("author", to_attr="writer"), "writer__friends"
            ),
            6,
        ),
    ],
)
def test_columns_that_the_caller_leaves_out_are_loaded_where_relations_need_them(
    works: list[Work], build: Callable[[], QuerySet[Work]], number: int
) -> None:
    shown = assert_as_django(WorkSchema, build, number)

    assert len(shown) == 6


@pytest.mark.parametrize(
    "build",
    [
        lambda: list(Work.objects.only("title")),
        lambda: list(Work.objects.defer("author")),
        lambda: [*Work.objects.defer("author")[:2], *Work.objects.all()[2:]],
        lambda: Work.objects.raw("SELECT id, title FROM catalogue_work ORDER BY title"),
    ],
)
def test_columns_that_instances_lack_are_loaded_for_all_at_once(
    works: list[Work], build: Callable[[], Any]
) -> None:
    expected = [WorkSchema.model_validate(instance) for instance in Work.objects.all()]
    made = build()
    with CaptureQueriesContext(connection) as context:
        shown = WorkSchema.from_qs(made)

    assert shown == expected
    # The columns, authors, mentors and jackets; and what is raw itself.
    assert len(context) <= 5


def test_an_object_that_is_deleted_meanwhile_is_told(works: list[Work]) -> None:
    made = list(Work.objects.only("title"))
    works[0].delete()

    with pytest.raises(Work.DoesNotExist):
        WorkSchema.from_qs(made)


def test_columns_that_the_caller_leaves_out_stay_out(works: list[Work]) -> None:
    with CaptureQueriesContext(connection) as context:
        WorkSchema.from_qs(Work.objects.only("title").distinct())
        WorkSchema.from_qs(Work.objects.defer("rating", "author").distinct())

    sql = [query["sql"] for query in context.captured_queries if "DISTINCT" in query["sql"]]
    assert "pages" not in sql[0]
    assert "author_id" in sql[0]
    assert "rating" not in sql[1]
    assert "author_id" in sql[1]


# What is counted, sorted and chosen

NEWEST = Chapter.objects.filter(work=OuterRef("pk")).order_by("-heading")


@pytest.mark.parametrize(
    "build",
    [
        lambda: Work.objects.annotate(shop=F("chapters__number"), n=Count("chapters")),
        lambda: Work.objects.annotate(n=Count("chapters"), shop=F("chapters__number") + 1),
        lambda: Work.objects.alias(shop=F("chapters__number")).annotate(n=Count("chapters")),
        lambda: Work.objects.annotate(n=Count("chapters"), place=F("publisher__city")),
        lambda: Work.objects.annotate(n=Count("chapters"), most=Max("chapters__number")),
        lambda: Work.objects.annotate(
            shop=F("chapters__number"),
            n=Count("chapters"),
            both=F("chapters__number") + Count("pk"),
        ).filter(n__gt=1),
        lambda: Work.objects.annotate(
            n=Count("chapters"), last=Subquery(NEWEST.values("heading")[:1])
        ),
        lambda: Work.objects.annotate(shop=F("chapters__number"), n=F("chapters__number")),
        lambda: Work.objects.annotate(last=Max("chapters__number"), n=Count("pk")).order_by(
            "-last"
        ),
        lambda: (
            Work.objects.alias(last=Max("chapters__number"))
            .order_by("-last")
            .annotate(n=Count("pk"))
        ),
        lambda: Work.objects.annotate(shop=F("chapters__number"), n=Count("pk")).distinct(),
        lambda: Work.objects.annotate(shop=F("chapters__number")).annotate(n=Count("pk"))[1:4],
        lambda: Work.objects.annotate(n=Window(RowNumber(), order_by="-pages")).filter(n__lt=4),
        lambda: Work.objects.annotate(
            row=Window(RowNumber(), partition_by="author", order_by="pages"), n=F("pages")
        ).filter(row=1),
        lambda: Work.objects.annotate(
            low=FilteredRelation("chapters", condition=Q(chapters__number=0)), n=Count("low")
        ),
        lambda: Work.objects.annotate(
            own=FilteredRelation("author", condition=Q(author__name="Homer")), n=F("own__pk")
        ),
        lambda: Work.objects.annotate(n=Exists(NEWEST)).filter(jacket__colour="red"),
        lambda: Work.objects.extra(select={"n": "1"}),
        lambda: Work.objects.annotate(n=F("pk")).extra(where=["pages > 1"]),
        lambda: Work.objects.annotate(n=RawSQL("pages + 1", [])),
    ],
)
@pytest.mark.parametrize(
    "rest", [{}, {"author": PersonSchema | None, "jacket": JacketSchema | None}]
)
def test_numbers_are_those_of_django(
    works: list[Work], build: Callable[[], QuerySet[Work]], rest: dict[str, Any]
) -> None:
    annotations = {"title": str, "n": ReadOnly[int | None], **rest}
    schema: Any = type("Numbered", (ModelSchema[Work],), {"__annotations__": annotations})

    expected = sorted(map(repr, map(schema.model_validate, build())))
    with CaptureQueriesContext(connection) as context:
        shown = schema.from_qs(build())

    assert sorted(map(repr, shown)) == expected
    assert len(context) <= 4


@pytest.mark.parametrize(
    "build",
    [
        lambda: Person.objects.extra(where=["name > 'I'"]),
        lambda: Person.objects.extra(select={"first": "name"}),
        lambda: Person.objects.extra(order_by=["-name"]),
        lambda: Person.objects.extra(tables=["catalogue_publisher"], where=["name < code"]),
        lambda: Person.objects.annotate(upper=Upper(RawSQL("name", []))),
        lambda: Person.objects.order_by(RawSQL("name", []).desc()),
        lambda: Person.objects.filter(RawSQL("name > 'I'", [], BooleanField())),
    ],
)
def test_sql_of_the_caller_may_name_columns_without_their_table(
    works: list[Work], build: Callable[[], QuerySet[Person]]
) -> None:
    assert_as_django(PersonSchema, build, 2)
    assert_as_django(MentorSchema, build, 1)


@pytest.mark.parametrize(
    ("build", "number"),
    [
        (lambda: Work.objects.order_by().union(Work.objects.order_by()).order_by("title"), 4),
        (lambda: Work.objects.order_by().intersection(Work.objects.filter(pages=1).order_by()), 4),
        (lambda: Work.objects.raw("SELECT * FROM catalogue_work ORDER BY title"), 4),
        (
            lambda: Work.objects.raw(
                "SELECT * FROM catalogue_work ORDER BY title"
            ).prefetch_related(Prefetch("author", hidden())),
            3 if django.VERSION >= (5, 2, 1) else 4,  # which looks for the mentor of nobody
        ),
        (lambda: Work.objects.prefetch_related("author")[2:4], 3),
        (lambda: Work.objects.exclude(chapters__number=0), 1),
        (lambda: Work.objects.in_bulk().values(), 4),
        (lambda: Work.objects.iterator(), 4),
    ],
)
def test_whatever_the_caller_makes_of_a_queryset_is_shown(
    works: list[Work], build: Callable[[], Any], number: int
) -> None:
    expected = [
        WorkSchema(
            title=work.title,
            author=PersonSchema.model_validate(work.author) if hasattr(work, "author") else None,
            jacket=JacketSchema.model_validate(work.jacket) if hasattr(work, "jacket") else None,
        )
        for work in build()
    ]
    made = build()
    with CaptureQueriesContext(connection) as context:
        shown = WorkSchema.from_qs(made)

    assert shown == expected
    assert len(context) <= number


# Keys of relations


@pytest.mark.parametrize(
    ("build", "number"),
    [
        (lambda: Work.objects.all(), 1),
        (lambda: Work.objects.distinct(), 2),
        (lambda: Work.objects.extra(select={"one": "1"}), 2),
        (lambda: Work.objects.prefetch_related("chapters"), 3),
        (lambda: Work.objects.prefetch_related("jacket"), 2),
        (lambda: Work.objects.select_for_update(of=("self",)), 2),
        (lambda: Work.objects.only("title").distinct(), 2),
    ],
)
def test_the_key_of_the_other_side_of_a_one_to_one_is_shown(
    works: list[Work], build: Callable[[], QuerySet[Work]], number: int
) -> None:
    shown = assert_as_django(KeySchema, build, number)

    assert [work.jacket is None for work in shown] == [True, False, False] * 2


def test_the_key_of_the_other_side_of_a_one_to_one_is_shown_beside_a_property(
    works: list[Work],
) -> None:
    class Labelled(KeySchema):
        label: ReadOnly[str]

    class Labels(ModelSchema[Chapter]):
        work: Labelled

    assert_as_django(Labelled, Work.objects.all, 2)
    assert_as_django(Labels, lambda: Chapter.objects.order_by("heading"), 2)


class SpotSchema(ModelSchema[Spot]):
    shelf: str
    place: int


OF_SPOTS = 1 if django.VERSION >= (5, 2, 2) else 2
"""Queries for works with their spots, which Django cannot join before (ticket 36373)."""


class SpotKeySchema(ModelSchema[Work]):
    title: str
    spot: tuple[str, int] | None


class SpottedSchema(ModelSchema[Work]):
    title: str
    spot: SpotSchema | None


@pytest.mark.parametrize(
    ("schema", "build", "number"),
    [
        (SpotKeySchema, lambda: Work.objects.all(), 2),
        (SpotKeySchema, lambda: Work.objects.distinct(), 2),
        (SpottedSchema, lambda: Work.objects.all(), OF_SPOTS),
        (SpottedSchema, lambda: Work.objects.distinct(), OF_SPOTS),
        (SpottedSchema, lambda: Work.objects.prefetch_related("spot"), 2),
    ],
)
def test_a_one_to_one_with_a_composite_key_that_is_not_there_is_null(
    works: list[Work], schema: Any, build: Callable[[], QuerySet[Work]], number: int
) -> None:
    Spot.objects.create(shelf="a", place=0, work=works[0])

    shown = assert_as_django(schema, build, number)

    assert [work.spot is None for work in shown] == [False, *[True] * 5]


# Back references


class BackSchema(ModelSchema[Chapter]):
    heading: str
    work: WorkSchema


class ThereSchema(ModelSchema[Work]):
    id: int
    chapters: list[BackSchema]


class JacketBackSchema(ModelSchema[Jacket]):
    colour: str
    work: WorkSchema


class WorkAndBackSchema(ModelSchema[Work]):
    id: int
    jacket: JacketBackSchema | None


class PupilSchema(ModelSchema[Person]):
    name: str
    mentor: MentorSchema | None


class PupilsSchema(ModelSchema[Person]):
    id: int
    pupils: list[PupilSchema]


class ChapterAndBackSchema(ModelSchema[Chapter]):
    id: int
    work: ThereSchema


@pytest.mark.parametrize(
    ("schema", "build", "most"),
    [
        (ThereSchema, lambda: Work.objects.all(), 2),
        (ThereSchema, lambda: Work.objects.distinct(), 5),
        (ThereSchema, lambda: Work.objects.prefetch_related("chapters"), 5),
        (WorkAndBackSchema, lambda: Work.objects.all(), 1),
        (WorkAndBackSchema, lambda: Work.objects.distinct(), 5),
        (WorkAndBackSchema, lambda: Work.objects.prefetch_related("jacket"), 5),
        (PupilsSchema, lambda: Person.objects.distinct(), 2),
        (ChapterAndBackSchema, lambda: Chapter.objects.order_by("heading"), 2),
        (ChapterAndBackSchema, lambda: Chapter.objects.order_by("heading").distinct(), 5),
    ],
)
def test_what_leads_back_is_shown(
    works: list[Work], schema: Any, build: Callable[[], QuerySet[Any]], most: int
) -> None:
    number = assert_at_most(schema, build, most)

    Work.objects.create(title="Work 9", author=works[0].author)
    assert assert_at_most(schema, build, most) == number


def assert_at_most(schema: Any, build: Callable[[], Any], most: int) -> int:
    expected = [schema.model_validate(instance) for instance in build()]
    with CaptureQueriesContext(connection) as context:
        shown = schema.from_qs(build())

    assert shown == expected
    assert len(context) <= most, [query["sql"] for query in context.captured_queries]
    return len(context)


def test_what_leads_back_beside_a_property_is_shown(works: list[Work]) -> None:
    class Labelled(ThereSchema):
        label: ReadOnly[str]

    assert_at_most(Labelled, Work.objects.all, 5)


# Relations that are found by more than a key


def test_a_generic_foreign_key_is_loaded_with_its_columns(works: list[Work]) -> None:
    class About(ModelSchema[Note]):
        text: str
        about: TitleSchema | None

    for work in works:
        Note.objects.create(text=f"of {work}", about=work)
    gone = Note.objects.create(text="of nothing", about=works[0])
    Note.objects.filter(pk=gone.pk).update(object_id=0)

    shown = assert_as_django(About, lambda: Note.objects.order_by("pk"), 2)

    assert [note.about is None for note in shown] == [*[False] * 6, True]


def test_what_is_found_by_another_column_is_loaded_with_it(works: list[Work]) -> None:
    class AgentSchema(ModelSchema[Agent]):
        name: str

    class WithAgents(ModelSchema[Publisher]):
        city: str
        agents: list[AgentSchema]

    for number in range(4):
        publisher = Publisher.objects.create(code=str(number), city=str(number))
        Agent.objects.create(name="x", house=publisher.code)

    assert_as_django(WithAgents, lambda: Publisher.objects.order_by("pk"), 2)


def test_what_a_property_reads_of_many_is_found_by_their_column(
    works: list[Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    def titles(publisher: Any) -> list[str]:
        return [work.title for work in publisher.works.all()]

    def words(work: Any) -> list[str]:
        return [keyword.word for keyword in work.keywords.all()]

    monkeypatch.setattr(Publisher, "titles", property(reads("works")(titles)), raising=False)
    monkeypatch.setattr(Work, "words", property(reads("keywords")(words)), raising=False)

    class Titles(ModelSchema[Publisher]):
        titles: ReadOnly[list[str]]

    class Words(ModelSchema[Work]):
        words: ReadOnly[list[str]]

    Publisher.objects.create(code="x")
    works[0].keywords.add(Keyword.objects.create(word="x"))

    assert_as_django(Words, Work.objects.all, 2)
    assert_as_django(Titles, lambda: Publisher.objects.order_by("pk"), 2)


class SealedWorkSchema(ModelSchema[Work]):
    pages: int
    chapters: list[ChapterSchema]


class SealSchema(ModelSchema[Sealed]):
    mark: str
    work: SealedWorkSchema


class WorkWithSealsSchema(ModelSchema[Work]):
    title: str
    seals: list[SealSchema]


@pytest.mark.django_db
@pytest.mark.usefixtures("works")
def test_what_is_below_a_relation_that_only_instances_know_is_loaded() -> None:
    for work in Work.objects.all():
        Sealed.objects.create(work=work, mark="red")

    with CaptureQueriesContext(connection) as captured:
        shown = WorkWithSealsSchema.from_qs(Work.objects.all())

    assert len(captured) == 3
    assert [each.seals[0].work.pages for each in shown] == [
        work.pages for work in Work.objects.all()
    ]


class MarkedSchema(ModelSchema[Sealed]):
    id: int


@pytest.mark.django_db
@pytest.mark.usefixtures("works")
def test_columns_that_receivers_of_post_init_read_are_loaded_with_the_row() -> None:
    for work in Work.objects.all():
        Sealed.objects.create(work=work, mark="red")

    with CaptureQueriesContext(connection) as captured:
        MarkedSchema.from_qs(Sealed.objects.distinct())

    assert len(captured) == 1
