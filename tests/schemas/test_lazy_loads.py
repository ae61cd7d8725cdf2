"""Are queries noticed that showing many objects makes for each?"""

import logging
import re
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.contrib.contenttypes.prefetch import GenericPrefetch
from django.db.models import Prefetch
from django.test import override_settings

from django_mullet import LazyLoad, ModelSchema
from django_mullet.schemas.lazy_loads import refused
from tests.catalogue.models import Chapter, Illustrated, Note, Person, Publisher, Work
from tests.library.models import Author, Book, Cover

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rows() -> None:
    author = Person.objects.create(name="Homer")
    work = Work.objects.create(
        title="Iliad", author=author, publisher=Publisher.objects.create(code="x", city="Ilion")
    )
    Chapter.objects.create(work=work, number=1, heading="Wrath")


def schema_with(monkeypatch: pytest.MonkeyPatch, model: Any, function: Any) -> Any:
    """Return a schema of `model` which shows that property too."""
    monkeypatch.setattr(model, "computed", property(function), raising=False)
    fields = {"id": int, "computed": Any}
    return type("Computed", (ModelSchema[model],), {"__annotations__": fields})


@pytest.mark.parametrize(
    ("model", "function", "cure"),
    [
        (
            Work,
            lambda work: work.publisher.city,
            "Load what it reads with the objects: 'Work.objects.select_related(\"publisher\")'.",
        ),
        (
            Work,
            lambda work: list(work.chapters.all()),
            "Load what it reads with the objects: 'Work.objects.prefetch_related(\"chapters\")'.",
        ),
        (
            Chapter,
            lambda chapter: Publisher.objects.count(),
            (
                "Load what it reads of 'catalogue_publisher' with the objects, by "
                "'select_related()' or 'prefetch_related()'."
            ),
        ),
    ],
)
def test_the_error_says_what_to_write(
    monkeypatch: pytest.MonkeyPatch, model: Any, function: Any, cure: str
) -> None:
    schema = schema_with(monkeypatch, model, function)

    with pytest.raises(LazyLoad) as caught:
        schema.from_qs(model.objects.all())

    assert str(caught.value) == (
        f"'Computed.computed' queries the database for each object by itself. {cure}"
    )
    assert caught.value.sql.startswith("SELECT")


def test_a_column_that_was_left_out_is_named() -> None:
    class Shown(ModelSchema[Work]):
        title: str
        pages: int  # neither the first nor the last
        city: str

    queryset = Work.objects.select_related("publisher").only("title", "publisher__city")

    with pytest.raises(LazyLoad) as caught:
        Shown.from_qs(queryset)

    assert str(caught.value) == (
        "'Shown.pages' queries the database for each object by itself. Load 'pages' with the "
        "objects: add it to 'only()', or take it out of 'defer()'."
    )


def test_a_file_that_was_left_out_is_named() -> None:
    class Shown(ModelSchema[Cover]):
        image: str | None

    author = Author.objects.create(name="Homer")
    Cover.objects.create(book=Book.objects.create(title="Iliad", price=1, author=author))

    with pytest.raises(LazyLoad, match=r"^'Shown\.image' queries the database for each object"):
        Shown.from_qs(Cover.objects.only("width"))


def test_a_query_that_is_not_a_select_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = schema_with(monkeypatch, Work, lambda work: work.delete())

    with pytest.raises(LazyLoad, match=r"^'Computed\.computed' queries the database"):
        schema.from_qs(Work.objects.all())

    assert Work.objects.count() == 1


def test_a_validator_that_queries_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Validated(ModelSchema[Note]):
        text: str

        def model_post_init(self, context: Any) -> None:
            Publisher.objects.count()

    Note.objects.create(text="x", content_type=ContentType.objects.get_for_model(Work), object_id=1)

    with pytest.raises(LazyLoad, match=r"^Showing 'Validated' queries for each object: SELECT"):
        Validated.from_qs(Note.objects.all())


def test_it_may_be_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    schema = schema_with(monkeypatch, Work, lambda work: work.publisher.city)

    with override_settings(MULLET={"LAZY_LOADS": "warn"}):
        [shown] = schema.from_qs(Work.objects.all())

    assert shown.computed == "Ilion"
    [record] = caplog.records
    assert (record.name, record.levelno) == ("django_mullet.lazy_loads", logging.WARNING)
    assert record.getMessage().startswith("Showing 'Computed' queries for each object: SELECT")


def test_it_may_be_allowed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    schema = schema_with(monkeypatch, Work, lambda work: work.publisher.city)

    with override_settings(MULLET={"LAZY_LOADS": "allow"}):
        [shown] = schema.from_qs(Work.objects.all())

    assert shown.computed == "Ilion"
    assert caplog.records == []


def test_a_single_object_loads_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = schema_with(monkeypatch, Work, lambda work: work.publisher.city)

    assert schema.from_model(Work.objects.get()).computed == "Ilion"


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda work: work.publisher.city, "Ilion"),
        (lambda work: [chapter.heading for chapter in work.chapters.all()], ["Wrath"]),
    ],
)
def test_a_single_object_that_is_looked_up_loads_what_it_needs(
    monkeypatch: pytest.MonkeyPatch, function: Any, expected: Any
) -> None:
    schema = schema_with(monkeypatch, Work, function)

    assert schema.get_or_404(Work.objects.all(), title="Iliad").computed == expected


def test_a_validator_of_a_single_object_may_query() -> None:
    class Validated(ModelSchema[Work]):
        title: str

        def model_post_init(self, context: Any) -> None:
            self.title = Publisher.objects.get().city

    assert Validated.get_or_404(Work.objects.all(), title="Iliad").title == "Ilion"


# What to write is what works


def follow(schema: Any, queryset: Any) -> tuple[str, Any]:
    """Return what the error of `schema` says to write, and what it is for code that reads it."""
    with pytest.raises(LazyLoad) as caught:
        schema.from_qs(queryset)
    cure = str(caught.value).partition(" by itself. ")[2]
    found = re.match(r"Load what it reads with the objects: '(.*)'\.", cure)
    names = {"GenericPrefetch": GenericPrefetch, "Illustrated": Illustrated, "Note": Note}
    advised = eval(found[1], {**names, "Person": Person, "Work": Work}) if found else None
    return cure, advised


class Cities(ModelSchema[Work]):
    city: str


class OfAuthors(ModelSchema[Person]):
    works: list[Cities]


class OfNotes(ModelSchema[Note]):
    about: Cities | OfAuthors | None


def test_what_is_below_is_loaded_from_above() -> None:
    cure, advised = follow(OfAuthors, Person.objects.all())

    assert cure == (
        "Load what it reads with the objects: "
        "'Person.objects.prefetch_related(\"works__publisher\")'."
    )
    assert [each.city for each in OfAuthors.from_qs(advised)[0].works] == ["Ilion"]


def test_what_is_behind_a_generic_key_is_loaded_by_its_model() -> None:
    Note.objects.create(text="x", about=Work.objects.get())
    Note.objects.create(text="y", about=Person.objects.get())

    cure, advised = follow(OfNotes, Note.objects.all())

    assert cure == (
        "Load what it reads with the objects: 'Note.objects.prefetch_related("
        'GenericPrefetch("about", [Work.objects.prefetch_related("publisher"), '
        'Illustrated.objects.prefetch_related("publisher"), '
        'Person.objects.prefetch_related("works__publisher")]))\'.'
    )
    assert len(OfNotes.from_qs(advised)) == 2


def test_a_relation_to_its_own_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    Person.objects.create(name="Sappho", mentor=Person.objects.get())
    schema = schema_with(monkeypatch, Person, lambda person: person.mentor and person.mentor.name)

    cure, advised = follow(schema, Person.objects.all())

    assert cure == (
        "Load what it reads with the objects: 'Person.objects.select_related(\"mentor\")'."
    )
    assert [each.computed for each in schema.from_qs(advised)] == [None, "Homer"]


@pytest.mark.parametrize(
    ("queryset", "column"),
    [
        (lambda: Work.objects.only("pages"), "publisher_id"),
        (
            lambda: Work.objects.select_related("publisher").defer("publisher__city"),
            "publisher__city",
        ),
        (lambda: Illustrated.objects.only("pictures"), "publisher_id"),
    ],
)
def test_a_column_that_code_reads_is_named(queryset: Any, column: str) -> None:
    author, publisher = Person.objects.get(), Publisher.objects.get()
    Illustrated.objects.create(title="Seen", author=author, publisher=publisher)

    cure, _ = follow(Cities, queryset())

    assert cure == (
        f"Load '{column}' with the objects: add it to 'only()', or take it out of 'defer()'."
    )


def test_a_column_of_a_joined_object_is_named_from_above() -> None:
    class Titled(ModelSchema[Work]):
        title: str
        city: str

    class Part(ModelSchema[Chapter]):
        work: Titled

    queryset = Chapter.objects.select_related("work__publisher")

    assert follow(Part, queryset.defer("work__title"))[0].startswith("Load 'work__title' with")


def test_who_comes_back_finds_the_object_from_which_it_went() -> None:
    class Books(ModelSchema[Publisher]):
        works: list[Cities]

    cure, _ = follow(Books, Publisher.objects.defer("city"))

    assert cure.startswith("Load 'city' with the objects")


def test_what_another_query_has_left_out_is_left_to_that() -> None:
    class Named(ModelSchema[Person]):
        name: str

    class Edited(ModelSchema[Work]):
        editors: list[Named]

    Work.objects.get().editors.add(Person.objects.get())
    bare = Prefetch("editors", Person.objects.only("mentor"))

    assert follow(Edited, Work.objects.prefetch_related(bare))[0].startswith("Load 'name' with")


def test_what_is_further_below_is_loaded_from_above() -> None:
    class Mentors(ModelSchema[Person]):
        pupils: list[OfAuthors]
        friends: list[int]

    chiron = Person.objects.create(name="Chiron")
    Person.objects.filter(name="Homer").update(mentor=chiron)

    cure, advised = follow(Mentors, Person.objects.all())

    assert "'Person.objects.prefetch_related(\"pupils__works__publisher\")'" in cure
    assert len(Mentors.from_qs(advised)) == 2


def test_what_leads_to_no_relation_is_said_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = schema_with(monkeypatch, Chapter, lambda chapter: Publisher.objects.count())

    class Parts(ModelSchema[Work]):
        chapters: list[inner]  # type: ignore[valid-type]

    assert "reads of 'catalogue_publisher' with the objects" in follow(Parts, Work.objects.all())[0]


def test_a_column_behind_a_generic_key_is_left_to_its_queryset() -> None:
    Note.objects.create(text="x", about=Work.objects.get())
    Note.objects.create(text="y", about=Person.objects.get())
    bare = GenericPrefetch("about", [Work.objects.only("title")])

    cure, _ = follow(OfNotes, Note.objects.prefetch_related(bare))

    assert cure.startswith("Load 'publisher_id' with the objects")


def test_one_generic_key_among_others_that_lead_elsewhere() -> None:
    class Plain(ModelSchema[Person]):
        name: str

    class Titled(ModelSchema[Work]):
        title: str

    class Names(ModelSchema[Note]):
        about: Plain | Titled | None

    class Noted(ModelSchema[Work]):
        notes: list[Names]
        author: OfAuthors

    Note.objects.create(text="x", about=Work.objects.get())

    cure, advised = follow(Noted, Work.objects.all())

    assert "'Work.objects.prefetch_related(\"author__works__publisher\")'" in cure
    assert len(Noted.from_qs(advised)) == 1


def test_a_generic_key_that_is_read_one_by_one_is_named() -> None:
    Note.objects.create(text="x", about=Work.objects.get())
    note = Note.objects.get()

    with pytest.raises(LazyLoad) as caught, refused("notes"):
        OfNotes.model_validate(note)

    assert "'Note.objects.prefetch_related(\"about\")'" in str(caught.value)
