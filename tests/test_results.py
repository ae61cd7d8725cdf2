"""Do querysets and instances become what the response model wants?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import pytest
from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from django_mullet.exceptions import LazyLoad
from django_mullet.results import holds_models, presenter, shown_schemas
from django_mullet.routing import APIRouter
from django_mullet.schemas import ModelSchema, ReadOnly
from tests.catalogue.models import Chapter, Person, Work

T = TypeVar("T")


class ChapterSchema(ModelSchema[Chapter]):
    heading: str


class WorkSchema(ModelSchema[Work]):
    title: str
    chapters: list[ChapterSchema]


class WorkAgain(ModelSchema[Work]):
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
        tuple[()],
        tuple[int, str],
        type[WorkSchema],
        Page[int],
        int | None,
        WorkSchema | WorkAgain,
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


# Whatever shape a response has


class ShelfModel(BaseModel):
    label: str
    works: list[WorkSchema]


@dataclass
class Shelf:
    label: str

    @property
    def works(self) -> QuerySet[Work]:
        return works()


class Loose(BaseModel):
    label: str
    works: Any


class WithNewest(ModelSchema[Person]):
    name: str
    newest: ReadOnly[list[WorkSchema]]


SHAPES: list[tuple[Any, Callable[[], Any], Any, int]] = [
    (
        dict[str, list[WorkSchema]],
        lambda: {"x": works(), "y": list(works())},
        {"x": WORKS, "y": WORKS},
        4,
    ),
    (dict[str, WorkSchema], lambda: {"x": works()[0]}, {"x": WORKS[0]}, 2),
    (
        list[ShelfModel],
        lambda: [{"label": "x", "works": works()}],
        [{"label": "x", "works": WORKS}],
        2,
    ),
    (ShelfModel, lambda: Shelf("x"), {"label": "x", "works": WORKS}, 2),
    (list[ShelfModel], lambda: [Shelf("x")], [{"label": "x", "works": WORKS}], 2),
    (ShelfModel, lambda: Loose(label="x", works=works()), {"label": "x", "works": WORKS}, 2),
    (tuple[WorkSchema, int], lambda: (works()[0], 3), [WORKS[0], 3], 2),
    (tuple[list[WorkSchema], int], lambda: (works(), 3), [WORKS, 3], 2),
    (tuple[WorkSchema, ...], works, WORKS, 2),
    (Sequence[WorkSchema], works, WORKS, 2),
    (list[WorkSchema] | None, works, WORKS, 2),
    (list[WorkSchema], lambda: Work.objects, WORKS, 2),
    (
        list[WorkSchema],
        lambda: Work.objects.raw("SELECT * FROM catalogue_work ORDER BY title"),
        WORKS,
        2,
    ),
    (dict[str, dict[str, list[WorkSchema]]], lambda: {"x": {"y": works()}}, {"x": {"y": WORKS}}, 2),
    (list[list[WorkSchema]], lambda: [works(), []], [WORKS, []], 2),
    (list[dict[str, WorkSchema]], lambda: [{"x": works()[0]}], [{"x": WORKS[0]}], 2),
    (WithNewest, lambda: Person.objects.order_by("pk")[0], {"name": "x", "newest": WORKS}, 3),
]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(("response_model", "make", "expected", "number"), SHAPES)
def test_models_are_shown_wherever_a_response_has_them(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: Any,
    response_model: Any,
    make: Callable[[], Any],
    expected: Any,
    number: int,
    is_async: bool,
) -> None:
    monkeypatch.setattr(Person, "newest", property(lambda person: works()), raising=False)

    if is_async:

        async def endpoint() -> Any:
            return await sync_to_async(make)()

    else:

        def endpoint() -> Any:
            return make()

    with django_assert_num_queries(number):
        answer = answer_of(endpoint, response_model)

    assert (answer.status_code, answer.json()) == (200, expected)


def answer_of(endpoint: Callable[..., Any], response_model: Any) -> Any:
    router, app = APIRouter(), FastAPI()
    router.get("/", response_model=response_model)(endpoint)
    app.include_router(router)
    with TestClient(app) as client:
        return client.get("/")


class Either(BaseModel):
    works: list[WorkSchema | WorkAgain]


@pytest.mark.parametrize("response_model", [Either, list[WorkSchema | WorkAgain]])
def test_what_no_plan_covers_may_not_query_for_each_object(
    client: TestClient, response_model: Any
) -> None:
    def endpoint() -> Any:
        found = list(works())
        return found if response_model is not Either else {"works": found}

    with pytest.raises(LazyLoad, match="queries the database for each object"):
        answer_of(endpoint, response_model)


class TitleSchema(ModelSchema[Work]):
    title: str


class PagesSchema(ModelSchema[Work]):
    pages: int


class EitherOfQueryset(BaseModel):
    works: list[TitleSchema | PagesSchema]


@pytest.mark.parametrize("kind", [EitherOfQueryset, list[TitleSchema | PagesSchema]])
def test_the_query_of_a_queryset_that_no_plan_covers_is_one_for_all(
    client: TestClient, kind: Any
) -> None:
    shown = [{"title": work.title} for work in works()]
    endpoint: Any = (lambda: {"works": works()}) if kind is EitherOfQueryset else works

    answer = answer_of(endpoint, kind)

    assert answer.json() == ({"works": shown} if kind is EitherOfQueryset else shown)


def test_one_object_of_several_schemas_loads_what_it_needs(client: TestClient) -> None:
    answer = answer_of(lambda: works()[0], WorkSchema | ChapterSchema)

    assert answer.json() == WORKS[0]


def test_a_property_that_makes_a_query_for_each_object_of_a_list_is_told(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Person, "newest", property(lambda person: works()), raising=False)

    with pytest.raises(LazyLoad, match=r"'WithNewest\.newest' queries the database"):
        WithNewest.from_qs(Person)


@pytest.mark.parametrize("value", [None, "x", 3, {"x": "y"}, ["x"], ("x",)])
def test_what_is_not_of_the_shape_is_left_to_pydantic(value: Any) -> None:
    for response_model, *_ in SHAPES:
        present = presenter(response_model)

        assert present is not None
        shown = present(value)
        assert shown == value or list(shown) == list(value)
