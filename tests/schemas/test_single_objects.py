"""Does a schema find an object as `get_object_or_404()` does, and show it?"""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.db.models import Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.test.utils import CaptureQueriesContext
from pydantic import field_validator

from django_mullet import Collection, LazyLoad, ModelSchema, ReadOnly, prepared
from tests.catalogue.models import Person, Publisher, Spot, Work


class TitleSchema(ModelSchema[Work]):
    title: str


class Titles(Collection[TitleSchema]):
    pass


class CitySchema(ModelSchema[Work]):
    city: ReadOnly[str]


class SpotSchema(ModelSchema[Spot]):
    pk: tuple[str, int]


@pytest.fixture
def works(db: None) -> list[Work]:
    homer = Person.objects.create(name="Homer")
    publisher = Publisher.objects.create(code="il", city="Ilion")
    made = [
        Work.objects.create(title=f"Work {number}", author=homer, publisher=publisher)
        for number in range(3)
    ]
    for work in made:
        Spot.objects.create(shelf="a", place=work.pk, work=work)
    return made


@pytest.mark.parametrize("source", [Work, Work.objects, Work.objects.filter(title__gt="Work 0")])
def test_an_object_is_found_in_whatever_django_finds_it(works: list[Work], source: Any) -> None:
    expected = get_object_or_404(source, title="Work 1")

    assert TitleSchema.get_or_404(source, title="Work 1").title == expected.title
    assert TitleSchema.get_or_404(source, Q(title="Work 1") & ~Q(title="x")).title == "Work 1"
    assert async_to_sync(TitleSchema.aget_or_404)(source, Q(title="Work 1")).title == "Work 1"


def test_an_object_is_found_in_what_belongs_to_another(works: list[Work]) -> None:
    author = works[0].author

    assert TitleSchema.get_or_404(author.works, title="Work 2").title == "Work 2"
    with pytest.raises(Http404, match="No Work matches the given query"):
        TitleSchema.get_or_404(author.works, title="x")


def test_all_objects_of_a_model_and_of_a_manager_are_shown(works: list[Work]) -> None:
    expected = [TitleSchema(title=work.title) for work in Work.objects.all()]

    assert TitleSchema.from_qs(Work) == expected
    assert TitleSchema.from_qs(Work.objects) == expected
    assert TitleSchema.from_qs(works[0].author.works) == expected
    assert async_to_sync(TitleSchema.afrom_qs)(Work.objects) == expected
    assert Titles.from_qs(Work.objects).items == expected


@pytest.mark.parametrize(("source", "kind"), [([], "list"), (int, "int")])
def test_anything_else_is_refused(source: Any, kind: str) -> None:
    with pytest.raises(ValueError, match=f"a manager or a queryset, as 'Book'.*not '{kind}'"):
        TitleSchema.get_or_404(source, title="x")


def test_an_object_loads_what_it_needs(works: list[Work]) -> None:
    with pytest.raises(LazyLoad):
        CitySchema.from_qs(Work)

    assert CitySchema.get_or_404(Work, title="Work 1").city == "Ilion"
    assert CitySchema.get_or_404(Work.objects.only("title"), title="Work 1").city == "Ilion"


def test_what_checks_the_values_of_an_object_may_query(works: list[Work]) -> None:
    class Counted(TitleSchema):
        @field_validator("title")
        @classmethod
        def number(cls, title: str) -> str:
            return f"{title} of {Work.objects.count()}"

    assert Counted.get_or_404(Work, title="Work 1").title == "Work 1 of 3"
    with pytest.raises(LazyLoad):
        Counted.from_qs(Work)


def test_an_object_that_is_one_of_several_is_not_read(works: list[Work]) -> None:
    with (
        CaptureQueriesContext(connection) as context,
        pytest.raises(Work.MultipleObjectsReturned, match="Several Work match"),
    ):
        CitySchema.get_or_404(Work)

    assert len(context) == 1


@prepared
def all_spots() -> QuerySet[Spot]:
    return Spot.objects.all()


@prepared
def titled(titles: Any) -> QuerySet[Work]:
    return Work.objects.filter(title__in=titles)


def test_an_object_of_a_prepared_queryset_is_found_by_a_key_of_several_columns(
    works: list[Work],
) -> None:
    key = ("a", works[1].pk)

    assert SpotSchema.get_or_404(all_spots(), pk=key).pk == key
    assert all_spots().get(pk=key) == Spot.objects.get(pk=key)
    assert list(all_spots().filter(pk__in=[key])) == [Spot.objects.get(pk=key)]
    with pytest.raises(Http404):
        SpotSchema.get_or_404(all_spots(), pk=("b", 1))


def test_values_that_can_be_read_once_are_found_however_often_they_are_asked_for(
    works: list[Work],
) -> None:
    def once() -> Any:
        return (title for title in ["Work 1"])

    assert TitleSchema.get_or_404(titled(once())).title == "Work 1"
    assert titled(once()).first() == works[1]
    assert titled(once()).get() == works[1]
    assert titled(titles=once()).get() == works[1]
    assert titled(once()).filter(author__name="Homer").get() == works[1]
    queryset = titled(once())
    assert (queryset.count(), queryset.exists(), list(queryset)) == (1, True, [works[1]])
