"""Do querysets and instances become what the response model wants?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import pytest
from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from fastapi import FastAPI
from fastapi.datastructures import Default
from fastapi.exceptions import ResponseValidationError
from fastapi.testclient import TestClient
from pydantic import BaseModel, ConfigDict, Field, RootModel
from typing_extensions import TypedDict

from django_mullet import APIRouter, LazyLoad, ModelSchema, ReadOnly
from django_mullet.results.presenting import holds_models, presenter, shown_schemas
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


class TitleSchema(ModelSchema[Work]):
    title: str


class PersonSchema(ModelSchema[Person]):
    name: str


class Authored(ModelSchema[Work]):
    title: str
    author: PersonSchema


class Either(BaseModel):
    work: WorkSchema | TitleSchema | Authored


class EitherList(BaseModel):
    works: list[WorkSchema | TitleSchema | Authored]


class EitherTuple(NamedTuple):
    work: WorkSchema | TitleSchema


class EitherDict(TypedDict):
    work: WorkSchema | TitleSchema


class Folder(BaseModel):
    works: list[WorkSchema]
    inner: "Folder | None" = None


class Box(BaseModel, Generic[T]):
    item: T


LEFT = Field(union_mode="left_to_right")
TITLES = [{"title": work["title"]} for work in WORKS]

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
    (RootModel[list[WorkSchema]], works, WORKS, 2),
    (RootModel[WorkSchema], lambda: works()[0], WORKS[0], 2),
    # Several schemas of one model
    (WorkSchema | TitleSchema, lambda: works()[0], WORKS[0], 2),
    (WorkSchema | TitleSchema | None, lambda: works()[0], WORKS[0], 2),
    (Annotated[TitleSchema | WorkSchema, LEFT], lambda: works()[0], TITLES[0], 2),
    (list[WorkSchema | TitleSchema], works, WORKS, 2),
    (list[WorkSchema | TitleSchema | Authored], lambda: list(works()), WORKS, 3),
    (list[Annotated[TitleSchema | WorkSchema, LEFT]], works, TITLES, 2),
    (list[WorkSchema] | list[TitleSchema], works, WORKS, 2),
    (tuple[WorkSchema | TitleSchema, ...], works, WORKS, 2),
    (
        tuple[WorkSchema | TitleSchema, TitleSchema],
        lambda: tuple(works()),
        [WORKS[0], TITLES[1]],
        2,
    ),
    (dict[str, WorkSchema | TitleSchema], lambda: {"x": works()[0]}, {"x": WORKS[0]}, 2),
    (dict[str, list[WorkSchema | TitleSchema]], lambda: {"x": works()}, {"x": WORKS}, 2),
    (WorkSchema | TitleSchema | PersonSchema, lambda: works()[0], WORKS[0], 2),
    (RootModel[WorkSchema | TitleSchema], lambda: works()[0], WORKS[0], 2),
    (Either, lambda: {"work": works()[0]}, {"work": WORKS[0]}, 3),
    (EitherList, lambda: {"works": works()}, {"works": WORKS}, 3),
    (EitherTuple, lambda: EitherTuple(works()[0]), [WORKS[0]], 2),
    (EitherDict, lambda: {"work": works()[0]}, {"work": WORKS[0]}, 2),
    (Box[WorkSchema] | Box[TitleSchema], lambda: {"item": works()[0]}, {"item": WORKS[0]}, 2),
    (
        Folder | Box[list[TitleSchema]],
        lambda: {"works": works(), "inner": {"works": []}},
        {"works": WORKS, "inner": {"works": [], "inner": None}},
        2,
    ),
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


ANNOTATED: Any = Default(None)
"""That the response model is what the endpoint says that it returns."""


def answer_of(endpoint: Callable[..., Any], response_model: Any = ANNOTATED) -> Any:
    """Return the answer of a route that calls `endpoint`; its annotation may have the model."""
    router, app = APIRouter(), FastAPI()
    router.get("/", response_model=response_model)(endpoint)
    app.include_router(router)
    with TestClient(app) as client:
        return client.get("/")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("number", [1, 2])
def test_of_several_schemas_a_property_may_query_for_one_object_only(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, number: int, is_async: bool
) -> None:
    monkeypatch.setattr(Person, "newest", property(lambda person: works()), raising=False)
    Person.objects.create(name="y")
    people = Person.objects.order_by("name")

    async def endpoint_async() -> Any:
        return await people.afirst() if number == 1 else people

    def endpoint() -> Any:
        return people.first() if number == 1 else people

    kind: Any = WithNewest | PersonSchema
    answer = partial(
        answer_of, endpoint_async if is_async else endpoint, kind if number == 1 else list[kind]
    )

    if number == 1:
        assert answer().json() == {"name": "x", "newest": WORKS}
    else:
        with pytest.raises(LazyLoad, match=r"'WithNewest\.newest' queries the database"):
            answer()


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


# Without a schema


class TitleDict(TypedDict):
    title: str


class PlainTitle(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    title: str


class PlainTitles(BaseModel):
    items: Sequence[PlainTitle]


def rows() -> QuerySet[Work, dict[str, Any]]:
    return works().values("title")


PLAIN: list[tuple[Any, Callable[[], Any], Callable[[], Any]]] = [
    (list[dict[str, Any]], rows, lambda: list(rows())),
    (list[TitleDict], rows, lambda: list(rows())),
    (list[PlainTitle], rows, lambda: list(rows())),
    (list[PlainTitle], works, lambda: list(works())),
    (tuple[PlainTitle, ...], rows, lambda: list(rows())),
    (list[str], lambda: works().values_list("title", flat=True), lambda: ["a", "b"]),
    (list[tuple[str]], lambda: works().values_list("title"), lambda: [("a",), ("b",)]),
    (PlainTitles, lambda: {"items": rows()}, lambda: {"items": list(rows())}),
    (dict[str, list[TitleDict]], lambda: {"x": rows()}, lambda: {"x": list(rows())}),
    (dict[str, Any], lambda: {"x": rows(), "y": 1}, lambda: {"x": list(rows()), "y": 1}),
    (dict[str, str], lambda: rows().first(), lambda: {"title": "a"}),
]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(("response_model", "make", "make_list"), PLAIN)
def test_a_queryset_is_a_list_where_no_schema_is_wanted(
    client: TestClient,
    django_assert_num_queries: Any,
    response_model: Any,
    make: Callable[[], Any],
    make_list: Callable[[], Any],
    is_async: bool,
) -> None:
    async def endpoint() -> Any:
        return await sync_to_async(make)()

    plain = FastAPI()
    plain.get("/", response_model=response_model)(lambda: made)
    made = make_list()

    with django_assert_num_queries(1):
        answer = answer_of(endpoint if is_async else lambda: make(), response_model)

    assert (answer.status_code, answer.json()) == (200, TestClient(plain).get("/").json())


@pytest.mark.parametrize("is_async", [False, True])
def test_a_queryset_that_is_no_answer_is_told_as_what_is_in_it(
    client: TestClient, is_async: bool
) -> None:
    async def endpoint() -> Any:
        return rows()

    with pytest.raises(ResponseValidationError) as caught:
        answer_of(endpoint if is_async else lambda: rows(), dict[str, str])

    [error] = caught.value.errors()
    assert (error["type"], error["input"]) == ("dict_type", [{"title": "a"}, {"title": "b"}])


@pytest.mark.parametrize("kind", [list[TitleDict], list[TitleSchema | PagesSchema], PlainTitles])
def test_a_queryset_that_is_returned_again_is_asked_again(client: TestClient, kind: Any) -> None:
    kept = works() if kind == list[TitleSchema | PagesSchema] else rows()
    endpoint: Any = (lambda: {"items": kept}) if kind is PlainTitles else lambda: kept

    before = answer_of(endpoint, kind).json()
    Work.objects.update(title="z")
    after = answer_of(endpoint, kind).json()

    assert (str(before).count("'z'"), str(after).count("'z'")) == (0, 2)
