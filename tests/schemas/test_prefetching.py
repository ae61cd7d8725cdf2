"""Do all instances have what is shown of their relations, whichever of them share it?"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Prefetch
from django.test.utils import CaptureQueriesContext

from django_mullet import ModelSchema, ReadOnly, reads
from tests.catalogue.models import Chapter, Illustrated, Jacket, Note, Person, Publisher, Spot, Work

pytestmark = pytest.mark.django_db


class Editor(ModelSchema[Person]):
    name: str
    works: list[int]


class Colleague(ModelSchema[Person]):
    name: str
    edited: list[int]


class Inside(ModelSchema[Work]):
    editors: list[Colleague]


class Cover(ModelSchema[Jacket]):
    work: Inside


class Covered(ModelSchema[Work]):
    label: ReadOnly[str]
    editors: list[Editor]
    jacket: Cover | None


class Headings(ModelSchema[Work]):
    title: str
    chapters: list[int]


class Author(ModelSchema[Person]):
    name: str
    works: list[Headings]


class Annotated(ModelSchema[Note]):
    text: str
    about: Headings | Author | None


class Noted(ModelSchema[Work]):
    title: str
    notes: list[Annotated]


@pytest.fixture
def works() -> list[Work]:
    """Three works, two of them with jackets, and notes about them and their author."""
    ContentType.objects.get_for_models(Work, Person)  # which Django keeps
    people = [Person.objects.create(name=name) for name in ("Homer", "Sappho", "Solon")]
    made = []
    for number in range(3):
        work = Work.objects.create(title=f"Work {number}", author=people[0])
        work.editors.set(people[number:])
        Chapter.objects.create(work=work, number=1, heading="one")
        Note.objects.create(text=f"of {number}", about=work)
        made.append(work)
        if number:
            Jacket.objects.create(work=work, colour="red")
    Note.objects.create(text="of the author", about=people[0])
    return made


def assert_loaded(schema: Any, make: Callable[[], Any], *, number: int) -> None:
    """Assert that `schema` shows what instances hold that load it one by one."""
    expected = [schema.model_validate(instance) for instance in make()]
    with CaptureQueriesContext(connection) as captured:
        shown = schema.from_qs(make())

    assert shown == expected
    assert len(captured) == number


@pytest.mark.parametrize("sort", [lambda queryset: queryset, list])
def test_what_is_below_a_relation_is_there_for_who_had_it_before(
    works: list[Work], sort: Callable[[Any], Any]
) -> None:
    assert_loaded(Covered, lambda: sort(Work.objects.select_related("author", "jacket")), number=5)


def test_a_callers_prefetch_of_some_leaves_nothing_out(works: list[Work]) -> None:
    some = Prefetch("editors", Person.objects.filter(name="Solon").prefetch_related("works"))

    assert_loaded(
        Covered, lambda: Work.objects.select_related("author").prefetch_related(some), number=5
    )


def test_columns_that_a_caller_has_left_out_below_are_loaded_for_all(works: list[Work]) -> None:
    class Mentored(ModelSchema[Person]):
        mentor: Author | None

    class Mentors(ModelSchema[Work]):
        editors: list[Mentored]

    Person.objects.filter(name="Solon").update(mentor=works[0].author)
    some = Prefetch("editors", Person.objects.only("name"))

    assert_loaded(Mentors, lambda: Work.objects.prefetch_related(some), number=6)


def test_what_generic_keys_lead_to_has_its_own_relations(works: list[Work]) -> None:
    assert_loaded(Annotated, Note.objects.all, number=6)


def test_a_child_and_another_objects_parent_keep_their_own_by_the_same_key(
    works: list[Work],
) -> None:
    class Within(ModelSchema[Work]):
        notes: list[int]

    class Part(ModelSchema[Chapter]):
        work: Within

    class Parts(ModelSchema[Work]):
        chapters: list[Part]

    class Subject(ModelSchema[Note]):
        about: Parts | Editor | None

    ContentType.objects.get_for_model(Illustrated)
    pictures = Illustrated.objects.create(title="Pictures", author=works[0].author)
    Chapter.objects.create(work=pictures, number=1, heading="one")
    Note.objects.create(text="of the parent", about=Work.objects.get(pk=pictures.pk))
    Note.objects.create(text="of the child", about=pictures)

    assert_loaded(Subject, Note.objects.all, number=9)


def test_what_generic_relations_lead_to_has_its_own_relations(works: list[Work]) -> None:
    assert_loaded(Noted, Work.objects.all, number=4)


def test_a_single_object_loads_what_its_notes_lead_to_at_once(works: list[Work]) -> None:
    for number in range(3):
        Note.objects.create(text=f"more {number}", about=works[0])
    work = Work.objects.get(pk=works[0].pk)

    with CaptureQueriesContext(connection) as captured:
        shown = Noted.from_model(work)

    assert len(shown.notes) == 4
    assert len(captured) == 3  # notes, works and chapters


def test_a_way_that_code_takes_is_loaded_to_its_end(
    works: list[Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mentors(work: Any) -> list[str]:
        return [editor.mentor.name for editor in work.editors.all() if editor.mentor]

    monkeypatch.setattr(
        Work, "mentors", property(reads("editors__mentor__name")(mentors)), raising=False
    )
    Person.objects.filter(name="Solon").update(mentor=works[0].author)

    class Mentored(ModelSchema[Work]):
        mentors: list[str]

    assert_loaded(Mentored, Work.objects.all, number=3)


class City(ModelSchema[Publisher]):
    city: str


class CityOfWork(ModelSchema[Work]):
    city: ReadOnly[str]


class PublisherOfWork(ModelSchema[Work]):
    label: ReadOnly[str]
    publisher: City | None


@pytest.mark.parametrize("shown", [CityOfWork, PublisherOfWork])
def test_who_comes_back_finds_all_columns_that_are_read(works: list[Work], shown: Any) -> None:
    class Place(ModelSchema[Spot]):
        work: shown  # type: ignore[valid-type]

    class Placed(ModelSchema[Work]):
        label: ReadOnly[str]
        spot: Place

    class Works(ModelSchema[Publisher]):
        works: list[Placed]

    publisher = Publisher.objects.create(code="il", city="Ilion")
    Spot.objects.create(pk=("s", 1), work=works[0])
    Work.objects.filter(pk=works[0].pk).update(publisher=publisher)

    assert_loaded(Works, Publisher.objects.all, number=4)
