"""Do errors of Django and of the database tell the place that the client has sent?"""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from django_mullet.exception_handlers import install
from django_mullet.routing import APIRouter
from django_mullet.schemas import Create, ModelSchema, Patch, Writable
from tests.library.models import Author, Book

CAMEL = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class BookSchema(ModelSchema[Book]):
    model_config = CAMEL

    id: int
    title: str = Field(alias="bookTitle")
    price: int = Field(serialization_alias="cost", validation_alias=AliasChoices("costs", "euro"))
    author_id: int


class OwnBook(ModelSchema[Book]):
    model_config = CAMEL

    title: str = Field(alias="bookTitle")
    price: int


class AuthorSchema(ModelSchema[Author]):
    model_config = CAMEL

    name: str = Field(alias="penName")
    books: Writable[list[OwnBook]] = Field(alias="ownBooks")


class Envelope(BaseModel):
    rows: list[Create[BookSchema]] = Field(alias="bookRows")


router = APIRouter()


@router.post("/book")
def book(body: Create[BookSchema], full_clean: bool = False) -> None:
    body.create(full_clean=full_clean)


@router.post("/embedded")
def embedded(body: Annotated[Create[BookSchema], Body(embed=True, alias="theBook")]) -> None:
    body.create()


@router.post("/list")
def in_list(bodies: list[Create[BookSchema]], full_clean: bool = False) -> None:
    for body in bodies:
        body.create(full_clean=full_clean)


@router.post("/envelope")
def in_envelope(body: Envelope) -> None:
    for row in body.rows:
        row.create()


@router.post("/mapping")
def in_mapping(bodies: dict[str, Create[BookSchema]]) -> None:
    for body in bodies.values():
        body.create()


@router.post("/author")
def author(body: Create[AuthorSchema], full_clean: bool = False) -> None:
    body.create(full_clean=full_clean)


@router.post("/authors")
def authors(bodies: dict[str, Create[AuthorSchema]]) -> None:
    for body in bodies.values():
        body.create()


@router.post("/list of authors")
def list_of_authors(bodies: list[Create[AuthorSchema]]) -> None:
    for body in bodies:
        body.create()


@router.post("/unsaved")
def unsaved(bodies: list[Create[BookSchema]]) -> None:
    Book.objects.bulk_create([body.to_model() for body in bodies])


@router.post("/own")
def own(body: Create[BookSchema]) -> None:
    raise ValidationError({name: ["No."] for name in ("author", "title", "other", "__all__")})


@router.post("/async")
async def in_async(body: Create[BookSchema]) -> None:
    raise ValidationError({"author_id": ["No."]})


@router.post("/async embedded")
async def in_async_embedded(
    body: Annotated[Create[BookSchema], Body(embed=True, alias="theBook")],
) -> None:
    await sync_to_async(body.create)()


@pytest.fixture
def post(transactional_db: None) -> Callable[..., Any]:
    Author.objects.create(pk=500, name="Homer")
    Book.objects.create(title="Iliad", price=1, author_id=500)
    app = FastAPI()
    install(app)
    app.include_router(router)

    def post(path: str, body: Any) -> tuple[int, list[list[Any]]]:
        answer = TestClient(app).post(path, json=body)
        return answer.status_code, [error["loc"] for error in answer.json()["detail"]]

    return post


def sent(**values: Any) -> dict[str, Any]:
    return {"bookTitle": "Odyssey", "costs": 1, "authorId": 500, **values}


GOOD, NOBODY, DEAR = sent(), sent(authorId=9, bookTitle="x"), sent(costs=999)
TWICE, LIKE_GOOD = sent(bookTitle="iliad"), sent(bookTitle="odyssey")
OWN = {"bookTitle": "y", "price": 1}
AUTHOR, OTHER = ({"penName": name, "ownBooks": [OWN]} for name in "ab")
BY_NAME = {"title": "Odyssey", "euro": 1, "author_id": 9}


@pytest.mark.parametrize(
    ("path", "body", "status", "places"),
    [
        ("/book", NOBODY, 422, [["authorId"]]),
        ("/book", BY_NAME, 422, [["authorId"]]),
        ("/book?full_clean=1", NOBODY, 422, [["authorId"]]),
        ("/book?full_clean=1", DEAR, 422, [[]]),
        ("/book", TWICE, 409, [["bookTitle"]]),
        ("/book", DEAR, 422, [["costs"], ["bookTitle"]]),
        ("/embedded", {"theBook": NOBODY}, 422, [["theBook", "authorId"]]),
        ("/embedded", {"theBook": TWICE}, 409, [["theBook", "bookTitle"]]),
        ("/list", [GOOD, NOBODY], 422, [[1, "authorId"]]),
        ("/list?full_clean=1", [GOOD, NOBODY], 422, [[1, "authorId"]]),
        ("/list", [GOOD, LIKE_GOOD], 409, [[1, "bookTitle"]]),
        ("/list", [sent(costs="x")], 422, [[0, "costs"]]),
        ("/envelope", {"bookRows": [GOOD, NOBODY]}, 422, [["bookRows", 1, "authorId"]]),
        ("/envelope", {"bookRows": [GOOD, LIKE_GOOD]}, 409, [["bookRows", 1, "bookTitle"]]),
        ("/mapping", {"a": NOBODY}, 422, [["a", "authorId"]]),
        ("/mapping", {"a": GOOD, "b": LIKE_GOOD}, 409, [["b", "bookTitle"]]),
        ("/authors", {"a": AUTHOR, "b": OTHER}, 409, [["ownBooks", "bookTitle"]]),
        ("/list of authors", [AUTHOR, OTHER], 409, [[1, "ownBooks", "bookTitle"]]),
        (
            "/author?full_clean=1",
            {"penName": "x", "ownBooks": [OWN, {"bookTitle": "é" * 30, "price": 999}]},
            422,
            [["ownBooks", 1]],
        ),
        ("/author?full_clean=1", {"penName": "Homer", "ownBooks": []}, 422, [["penName"]]),
        ("/author", {"penName": "Homer", "ownBooks": []}, 409, [["penName"]]),
        ("/unsaved", [GOOD, LIKE_GOOD], 409, [["bookTitle"]]),
        ("/own", GOOD, 422, [["authorId"], ["bookTitle"], ["other"], []]),
        ("/async", GOOD, 422, [["authorId"]]),
        ("/async embedded", {"theBook": NOBODY}, 422, [["theBook", "authorId"]]),
        ("/async embedded", {"theBook": TWICE}, 409, [["theBook", "bookTitle"]]),
    ],
)
def test_the_place_is_the_one_that_was_sent(
    post: Any, path: str, body: Any, status: int, places: list[Any]
) -> None:
    expected = (status, [["body", *place] for place in places])

    assert post(path, body) == expected


def test_a_patch_knows_aliases(post: Any) -> None:
    app = FastAPI()
    router = APIRouter()

    @router.patch("/")
    def change(body: Patch[BookSchema]) -> None:
        body.save(Book.objects.get())

    app.include_router(router)
    install(app)
    answer = TestClient(app).patch("/", json={"authorId": 9})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "authorId"]
