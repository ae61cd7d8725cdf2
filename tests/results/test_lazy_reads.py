"""Are the queries noticed of instances that an endpoint has shown one by one?

As it does where it makes a page of them, itself or by a package for pagination.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple, get_origin

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.db.models import QuerySet
from django.test import override_settings
from fastapi.exceptions import ResponseValidationError
from pydantic import BaseModel
from typing_extensions import TypedDict

from django_mullet import LazyLoad, ModelSchema, retry_on_conflict
from django_mullet.results.presenting import shows_many
from tests.catalogue.models import Chapter, Person, Work
from tests.results.test_presenting import Page, WorkSchema, answer_of


class Row(BaseModel):
    work: WorkSchema
    rank: int


@dataclass
class Record:
    work: WorkSchema
    rank: int


class Typed(TypedDict):
    work: WorkSchema
    rank: int


class Pair(NamedTuple):
    work: WorkSchema
    rank: int


def works() -> QuerySet[Work]:
    return Work.objects.order_by("pk")


@pytest.fixture(autouse=True)
def three_works(db: None) -> None:
    author = Person.objects.create(name="Homer")
    for title in ("Iliad", "Margites", "Odyssey"):
        work = Work.objects.create(title=title, author=author)
        Chapter.objects.create(work=work, number=1, heading=title)


def test_they_are_refused_where_each_instance_queries() -> None:
    def page() -> Page[WorkSchema]:
        return Page[WorkSchema](items=works(), count=works().count())  # type: ignore[arg-type]

    async def page_async() -> Any:
        return await sync_to_async(page)()

    def items() -> list[WorkSchema]:
        return [WorkSchema.model_validate(work) for work in works()]

    error = r"^'WorkSchema\.chapters' queries .*objects\.prefetch_related\(\"chapters\"\)'\.$"
    with pytest.raises(LazyLoad, match=error):
        answer_of(page)
    with pytest.raises(LazyLoad, match=error):
        answer_of(page_async, Page[WorkSchema])
    with pytest.raises(LazyLoad, match=error):
        answer_of(items)
    with override_settings(MULLET={"LAZY_LOADS": "allow"}):
        assert len(answer_of(page).json()["items"]) == 3


def test_they_are_shown_where_everything_is_loaded() -> None:
    def page() -> Page[WorkSchema]:
        loaded = works().prefetch_related("chapters")
        return Page[WorkSchema](items=loaded, count=3)  # type: ignore[arg-type]

    def planned() -> Page[WorkSchema]:
        return Page[WorkSchema](items=WorkSchema.from_qs(works()), count=3)

    assert len(answer_of(page).json()["items"]) == 3
    assert answer_of(planned).json() == answer_of(page).json()


@pytest.mark.parametrize("response_model", [list[Row], dict[str, Row], list[Typed]])
def test_they_are_refused_in_rows_that_an_endpoint_makes(response_model: Any) -> None:
    def rows() -> Any:
        made = [Row(work=work, rank=1) for work in works()]  # type: ignore[arg-type]
        return {str(row.rank): row for row in made} if get_origin(response_model) is dict else made

    with pytest.raises(LazyLoad, match=r"objects\.prefetch_related\(\"chapters\"\)'\.$"):
        answer_of(rows, response_model)


@pytest.mark.parametrize(
    ("response_model", "place"),
    [
        (list[Row], lambda work: {"work": work, "rank": 1}),
        (list[Row], lambda work: SimpleNamespace(work=work, rank=1)),
        (list[Record], lambda work: Record(work, 1)),
        (list[Typed], lambda work: {"work": work, "rank": 1}),
        (list[Pair], lambda work: Pair(work, 1)),
        (list[tuple[int, WorkSchema]], lambda work: (1, work)),
        (list[list[WorkSchema]], lambda work: [work]),
        (list[dict[str, WorkSchema]], lambda work: {"work": work}),
        (list[dict[str, list[WorkSchema]]], lambda work: {"works": [work, work]}),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_objects_in_places_of_their_own_are_loaded_together(
    response_model: Any,
    place: Callable[[Any], Any],
    is_async: bool,
    django_assert_num_queries: Any,
) -> None:
    def rows() -> Any:
        return [place(work) for work in works()]

    def planned() -> Any:
        return [place(work) for work in works().prefetch_related("chapters")]

    async def rows_async() -> Any:
        return await sync_to_async(rows)()

    with django_assert_num_queries(2):
        shown = answer_of(rows_async if is_async else rows, response_model).json()
    assert shown == answer_of(planned, response_model).json()
    assert len(shown) == 3


def test_objects_in_a_dictionary_are_loaded_together(django_assert_num_queries: Any) -> None:
    def by_title() -> Any:
        return {work.title: work for work in works()}

    def at_once() -> Any:
        return {work.title: [work, "not one"] for work in works()[:1]}

    with django_assert_num_queries(2):
        shown = answer_of(by_title, dict[str, WorkSchema]).json()
    assert [shown[title]["chapters"] for title in shown] == [
        [{"heading": title}] for title in shown
    ]
    with pytest.raises(ResponseValidationError):
        answer_of(at_once, dict[str, list[WorkSchema]])


def test_objects_in_places_of_their_own_may_not_query_each() -> None:
    class Titles(ModelSchema[Work]):
        title: str

    def rows(number: int) -> Callable[[], Any]:
        return lambda: {str(work.pk): work for work in works().only("pk")[:number]}

    assert list(answer_of(rows(1), dict[str, Titles]).json().values()) == [{"title": "Iliad"}]
    with pytest.raises(LazyLoad, match=r"^'Titles\.title' queries .* add it to 'only\(\)'"):
        answer_of(rows(2), dict[str, Titles])


def test_they_may_have_single_objects_beside_them() -> None:
    class PersonSchema(ModelSchema[Person]):
        works: list[WorkSchema]

    class Several(BaseModel):
        items: list[WorkSchema]
        author: PersonSchema
        newest: WorkSchema
        oldest: WorkSchema

    def several() -> Several:
        *_, last = works()
        return Several(
            items=WorkSchema.from_qs(works()),
            author=PersonSchema.model_validate(Person.objects.get(name="Homer")),
            newest=WorkSchema.from_model(last),
            oldest=WorkSchema.get_or_404(works(), title="Iliad"),
        )

    shown = answer_of(several).json()
    assert shown["items"] == shown["author"]["works"]
    assert [shown["oldest"], shown["newest"]] == shown["items"][::2]


def test_they_are_told_by_the_response_model() -> None:
    @dataclass
    class Found:
        found: Page[WorkSchema]

    class Tree(BaseModel):
        children: "list[Tree]"

    class Rows(TypedDict):
        rows: list[Record]

    objects = (list[WorkSchema], Page[WorkSchema], dict[str, WorkSchema], Found, Found | None)
    for many in (*objects, list[Row], Page[Row], list[Typed], list[Pair], Rows):
        assert shows_many(many)
    for other in (WorkSchema, WorkSchema | None, Page[int], Tree, None, list[int], Row, Typed):
        assert not shows_many(other)


@pytest.mark.django_db(transaction=True)
def test_another_attempt_begins_with_no_objects() -> None:
    attempts: list[int] = []

    class Current(BaseModel):
        current: WorkSchema
        items: list[WorkSchema]

    @retry_on_conflict(times=1)
    def current() -> Current:
        shown = Current(current=works()[0], items=[])  # type: ignore[arg-type]
        attempts.append(1)
        if len(attempts) == 1:
            conflict = sqlite3.OperationalError("database is locked")
            conflict.sqlite_errorcode = sqlite3.SQLITE_BUSY
            raise OperationalError(*conflict.args) from conflict
        return shown

    assert answer_of(current).json()["current"]["title"] == "Iliad"
    assert len(attempts) == 2
