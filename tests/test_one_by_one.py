"""Are the queries noticed of instances that an endpoint has shown one by one?

As it does where it makes a page of them, itself or by a package for pagination.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.test import override_settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

from django_mullet.exceptions import LazyLoad
from django_mullet.results import shows_many
from django_mullet.routing import APIRouter
from django_mullet.schemas import ModelSchema
from tests.catalogue.models import Chapter, Person, Work
from tests.test_results import Page, WorkSchema


def works() -> QuerySet[Work]:
    return Work.objects.order_by("pk")


@pytest.fixture(autouse=True)
def three_works(db: None) -> None:
    author = Person.objects.create(name="Homer")
    for title in ("Iliad", "Margites", "Odyssey"):
        work = Work.objects.create(title=title, author=author)
        Chapter.objects.create(work=work, number=1, heading=title)


def answer(endpoint: Callable[..., Any], response_model: Any = None) -> Any:
    """What a route that calls `endpoint` answers."""
    router = APIRouter()
    arguments = {} if response_model is None else {"response_model": response_model}
    router.get("/", **arguments)(endpoint)
    app = FastAPI()
    app.include_router(router)
    return TestClient(app).get("/").json()


def test_they_are_refused_where_each_instance_queries() -> None:
    def page() -> Page[WorkSchema]:
        return Page[WorkSchema](items=works(), count=works().count())  # type: ignore[arg-type]

    async def page_async() -> Any:
        return await sync_to_async(page)()

    def items() -> list[WorkSchema]:
        return [WorkSchema.model_validate(work) for work in works()]

    error = r"^'WorkSchema\.chapters' queries .*objects\.prefetch_related\(\"chapters\"\)'\.$"
    with pytest.raises(LazyLoad, match=error):
        answer(page)
    with pytest.raises(LazyLoad, match=error):
        answer(page_async, Page[WorkSchema])
    with pytest.raises(LazyLoad, match=error):
        answer(items)
    with override_settings(MULLET={"LAZY_LOADS": "allow"}):
        assert len(answer(page)["items"]) == 3


def test_they_are_shown_where_everything_is_loaded() -> None:
    def page() -> Page[WorkSchema]:
        loaded = works().prefetch_related("chapters")
        return Page[WorkSchema](items=loaded, count=3)  # type: ignore[arg-type]

    def planned() -> Page[WorkSchema]:
        return Page[WorkSchema](items=WorkSchema.from_qs(works()), count=3)

    assert len(answer(page)["items"]) == 3
    assert answer(planned) == answer(page)


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

    shown = answer(several)
    assert shown["items"] == shown["author"]["works"]
    assert [shown["oldest"], shown["newest"]] == shown["items"][::2]


def test_they_are_told_by_the_response_model() -> None:
    @dataclass
    class Record:
        found: Page[WorkSchema]

    class Tree(BaseModel):
        children: "list[Tree]"

    for many in (list[WorkSchema], Page[WorkSchema], dict[str, WorkSchema], Record, Record | None):
        assert shows_many(many)
    for other in (WorkSchema, WorkSchema | None, Page[int], Tree, None, list[int]):
        assert not shows_many(other)
