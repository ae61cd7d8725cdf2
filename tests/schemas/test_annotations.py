"""Are annotations shown where a nested schema shows them, or is it told what to write?"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet
from django.test.utils import CaptureQueriesContext

from django_mullet import ModelSchema, ReadOnly
from tests.catalogue.models import Chapter, Person, Work


class MentorSchema(ModelSchema[Person]):
    name: str
    pupil_count: ReadOnly[int]


class ProfileSchema(ModelSchema[Person]):
    name: str
    following: ReadOnly[bool]


class DeepSchema(ModelSchema[Person]):
    name: str
    mentor: MentorSchema | None


class WorkSchema(ModelSchema[Work]):
    title: str
    author: ProfileSchema


class DeepWorkSchema(ModelSchema[Work]):
    title: str
    author: DeepSchema


@pytest.fixture
def works(db: None) -> list[Work]:
    homer = Person.objects.create(name="Homer")
    sappho = Person.objects.create(name="Sappho", mentor=homer)
    homer.friends.add(sappho)
    made = [
        Work.objects.create(title=f"Work {number}", pages=number, author=author)
        for number, author in enumerate((homer, sappho, sappho))
    ]
    Chapter.objects.create(work=made[2], number=1, heading="one")
    return made


def followed() -> QuerySet[Work]:
    """Works of which the author is followed, where the work has a chapter."""
    chapters = Chapter.objects.filter(work=OuterRef("pk"))
    return Work.objects.annotate(author__following=Exists(chapters))


def evaluated(queryset: QuerySet[Work]) -> QuerySet[Work]:
    len(queryset)
    return queryset


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda queryset: queryset, 1),
        (lambda queryset: queryset.distinct(), 1),
        (lambda queryset: queryset.prefetch_related("author"), 2),
        (lambda queryset: queryset.select_for_update(), 2),
        (lambda queryset: queryset.select_related("author"), 1),
        (evaluated, 2),
        (list, 2),
    ],
)
def test_what_is_annotated_for_a_related_object_is_shown_there(
    works: list[Work], change: Callable[[QuerySet[Work]], Any], most: int
) -> None:
    with CaptureQueriesContext(connection) as context:
        shown = WorkSchema.from_qs(change(followed()))

    assert [work.author.following for work in shown] == [False, False, True]
    assert [work.author.name for work in shown] == ["Homer", "Sappho", "Sappho"]
    assert len(context) <= most


def test_what_is_annotated_for_the_related_object_of_one_is_shown(works: list[Work]) -> None:
    assert WorkSchema.from_model(followed()[2]).author.following
    assert WorkSchema.get_or_404(followed(), title="Work 2").author.following
    assert not WorkSchema.get_or_404(followed().distinct(), title="Work 1").author.following


@pytest.mark.parametrize("change", [lambda queryset: queryset, QuerySet.distinct, list])
def test_what_is_annotated_further_down_is_shown(
    works: list[Work], change: Callable[[QuerySet[Work]], Any]
) -> None:
    counted = Work.objects.annotate(author__mentor__pupil_count=Count("author__mentor__pupils"))
    shown = DeepWorkSchema.from_qs(change(counted.order_by("title")))

    assert [work.author.mentor and work.author.mentor.pupil_count for work in shown] == [None, 1, 1]


def test_what_the_caller_annotates_on_related_objects_themselves_is_shown(
    works: list[Work],
) -> None:
    people = Person.objects.annotate(
        following=Exists(Person.objects.filter(friends=OuterRef("pk")))
    )
    shown = WorkSchema.from_qs(Work.objects.prefetch_related(Prefetch("author", people)))

    assert all(work.author.following for work in shown)


@pytest.mark.parametrize("change", [lambda queryset: queryset, QuerySet.distinct, list])
def test_an_annotation_that_a_nested_schema_lacks_is_told(
    works: list[Work], change: Callable[[QuerySet[Work]], Any]
) -> None:
    with pytest.raises(AttributeError) as caught:
        WorkSchema.from_qs(change(Work.objects.all()))

    assert str(caught.value) == (
        "'Person' object has no attribute 'following'. 'ProfileSchema.following' is no field of "
        "'Person': annotate it, by 'annotate(following=...)' on a queryset of 'Person', and by "
        "'annotate(<relation>__following=...)' on one of what leads there."
    )


def test_an_attribute_that_a_property_lacks_is_told_as_it_is(
    works: list[Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Work, "lost", property(lambda work: work.nothing), raising=False)

    class Lost(ModelSchema[Work]):
        lost: ReadOnly[str]

    with pytest.raises(AttributeError, match=r"^'Work' object has no attribute 'nothing'$"):
        Lost.from_qs(Work.objects.annotate(number=F("pk")))
