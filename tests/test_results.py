"""Do querysets and instances become what the response model wants?"""

from collections.abc import Iterator
from typing import Annotated, Any, Generic, TypeVar

import pytest
from django.db.models import QuerySet
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from django_mullet.results import holds_models, presenter, shown_schemas
from django_mullet.routing import APIRouter
from django_mullet.schemas import ModelSchema
from tests.catalogue.models import Chapter, Person, Work

T = TypeVar("T")


class ChapterSchema(ModelSchema[Chapter]):
    heading: str


class WorkSchema(ModelSchema[Work]):
    title: str
    chapters: list[ChapterSchema]


class Page(BaseModel, Generic[T]):
    items: list[T]
    total: int = Field(alias="count")


class Nested(BaseModel):
    page: Page[WorkSchema] | None
    newest: WorkSchema | None
    parent: "Nested | None" = None


router = APIRouter()


def works() -> QuerySet[Work]:
    return Work.objects.all()


@router.get("/def/list", response_model=list[WorkSchema])
def in_list() -> QuerySet[Work]:
    return works()


@router.get("/async/list", response_model=list[WorkSchema])
async def in_list_async() -> QuerySet[Work]:
    return works()


@router.get("/def/instances", response_model=list[WorkSchema])
def instances() -> list[Work]:
    return list(works())


@router.get("/def/page", response_model=Page[WorkSchema])
def in_page() -> dict[str, Any]:
    return {"items": works(), "count": 2}


@router.get("/async/page", response_model=Page[WorkSchema])
async def in_page_async() -> dict[str, Any]:
    return {"items": works(), "count": 2}


@router.get("/def/nested", response_model=Nested)
def nested() -> dict[str, Any]:
    return {"page": {"items": works(), "count": 2}, "newest": works()[0]}


@router.get("/def/one", response_model=WorkSchema)
def one() -> Work:
    return works()[0]


@router.get("/async/one", response_model=Annotated[WorkSchema, "one"])
async def one_async() -> Work:
    return await works().aget(title="a")


@router.get("/def/shown")
def shown() -> list[WorkSchema]:
    return WorkSchema.from_qs(works())


@router.get("/async/shown")
async def shown_async() -> list[WorkSchema]:
    return [WorkSchema(title="x", chapters=[])]


@pytest.fixture
def client(db: None) -> Iterator[TestClient]:
    author = Person.objects.create(name="x")
    for title in "ab":
        work = Work.objects.create(title=title, author=author)
        for number in range(2):
            Chapter.objects.create(work=work, number=number, heading=f"{title}{number}")
    app = FastAPI()
    app.include_router(router)
    with TestClient(app) as client:
        yield client


WORKS = [
    {"title": title, "chapters": [{"heading": f"{title}0"}, {"heading": f"{title}1"}]}
    for title in "ab"
]


@pytest.mark.parametrize(
    ("path", "expected", "number"),
    [
        ("/def/list", WORKS, 2),
        ("/async/list", WORKS, 2),
        ("/def/instances", WORKS, 2),
        ("/def/page", {"items": WORKS, "count": 2}, 2),
        ("/async/page", {"items": WORKS, "count": 2}, 2),
        (
            "/def/nested",
            {"page": {"items": WORKS, "count": 2}, "newest": WORKS[0], "parent": None},
            4,
        ),
        ("/def/one", WORKS[0], 2),
        ("/async/one", WORKS[0], 2),
        ("/def/shown", WORKS, 2),
        ("/async/shown", [{"title": "x", "chapters": []}], 0),
    ],
)
def test_a_route_shows_models_in_a_known_number_of_queries(
    client: TestClient,
    django_assert_num_queries: Any,
    path: str,
    expected: object,
    number: int,
) -> None:
    with django_assert_num_queries(number):
        answer = client.get(path)

    assert (answer.status_code, answer.json()) == (200, expected)


@pytest.mark.parametrize(
    "response_model",
    [
        None,
        str,
        list,
        list[int],
        dict[str, int],
        Page[int],
        int | None,
        WorkSchema | ChapterSchema,
        Annotated[int, "number"],
    ],
)
def test_where_no_schema_is_wanted_nothing_is_done(response_model: Any) -> None:
    assert presenter(response_model) is None


@pytest.mark.parametrize(
    "value", [None, "x", [], ["x"], {"items": []}, WorkSchema(title="x", chapters=[])]
)
def test_what_is_no_model_is_left_as_it_is(value: Any) -> None:
    for response_model in (WorkSchema, list[WorkSchema], Page[WorkSchema], Nested):
        present = presenter(response_model)

        assert present is not None
        assert present(value) == value
    assert not holds_models(value)


def test_the_schemas_of_a_response_are_found() -> None:
    assert shown_schemas(list[WorkSchema]) == [WorkSchema]
    assert shown_schemas(Page[WorkSchema]) == [WorkSchema]
    assert shown_schemas(None) == []


def test_items_in_annotations_are_found() -> None:
    present = presenter(list[Annotated[WorkSchema, "one"]])

    assert present is not None
    assert present([Work(title="x", pk=0)][:0]) == []
