"""Do errors of Django and of the database tell the place that the client has sent?"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Annotated, Any

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db.models.signals import post_save
from fastapi import Body, Depends, FastAPI
from fastapi.testclient import TestClient
from pydantic import AliasChoices, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from django_mullet import (
    APIRouter,
    Create,
    ModelSchema,
    Patch,
    Writable,
    install_exception_handlers,
)
from tests.library.models import Author, Book
from tests.writes.models import Document, Owner, Page

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


class PageSchema(ModelSchema[Page]):
    number: str = Field(alias="pageNumber")
    text: str


class DocumentSchema(ModelSchema[Document]):
    title: str
    folder_id: str | None = None
    pages: Writable[list[PageSchema]]


class OwnerSchema(ModelSchema[Owner]):
    name: str
    documents: Writable[list[DocumentSchema]] = Field(alias="papers")


class Pair(BaseModel):
    one: Create[BookSchema]
    other: Create[BookSchema]


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


@router.post("/owner")
def owner(body: Create[OwnerSchema]) -> None:
    body.create()


@router.post("/owners")
def owners(bodies: list[Create[OwnerSchema]]) -> None:
    for body in bodies:
        body.create()


@router.post("/mapping of owners")
def mapping_of_owners(bodies: dict[str, Create[OwnerSchema]]) -> None:
    create_all(bodies.values())


@router.post("/copies")
def copies(bodies: list[Create[BookSchema]]) -> None:
    create_all(body.model_copy() for body in bodies)


@router.post("/pair")
def pair(body: Pair) -> None:
    body.one.create()
    body.other.create()


def create_all(bodies: Iterable[Any], full_clean: bool = False) -> list[Book]:
    return [body.create(full_clean=full_clean) for body in bodies]


@router.post("/async list")
async def in_async_list(bodies: list[Create[BookSchema]], full_clean: bool = False) -> None:
    await sync_to_async(create_all)(bodies, full_clean)


async def around() -> AsyncIterator[None]:
    yield


@router.post("/async around", dependencies=[Depends(around)])
async def in_async_around(bodies: list[Create[BookSchema]]) -> None:
    await sync_to_async(create_all)(bodies)


@router.post("/async shown", response_model=list[BookSchema])
async def shown_in_async(bodies: list[Create[BookSchema]]) -> list[Book]:
    return await sync_to_async(create_all)(bodies)


@router.post("/async envelope")
async def in_async_envelope(body: Envelope) -> None:
    await sync_to_async(create_all)(body.rows)


@router.post("/async mapping")
async def in_async_mapping(bodies: dict[str, Create[BookSchema]]) -> None:
    await sync_to_async(create_all)(bodies.values())


def created(bodies: list[Create[BookSchema]]) -> list[Book]:
    return create_all(bodies)


async def created_in_async(bodies: list[Create[BookSchema]]) -> list[Book]:
    return await sync_to_async(create_all)(bodies)


def created_by_generator(bodies: list[Create[BookSchema]]) -> Iterator[list[Book]]:
    yield create_all(bodies)


async def created_by_async_generator(
    bodies: list[Create[BookSchema]],
) -> AsyncIterator[list[Book]]:
    yield await sync_to_async(create_all)(bodies)


def passed(bodies: list[Create[BookSchema]]) -> list[BookSchema]:
    return bodies


@router.post("/def dependency", dependencies=[Depends(created)])
@router.post("/async dependency", dependencies=[Depends(created_in_async)])
@router.post("/generator dependency", dependencies=[Depends(created_by_generator)])
@router.post("/async generator dependency", dependencies=[Depends(created_by_async_generator)])
def by_dependency() -> None:
    pass


@router.post("/passed dependency")
def by_what_is_passed(rows: Annotated[list[BookSchema], Depends(passed)]) -> None:
    create_all(rows)


@router.post("/async passed dependency")
async def by_what_is_passed_in_async(rows: Annotated[list[BookSchema], Depends(passed)]) -> None:
    await sync_to_async(create_all)(rows)


@pytest.fixture
def post(transactional_db: None) -> Callable[..., Any]:
    Author.objects.create(pk=500, name="Homer")
    Book.objects.create(title="Iliad", price=1, author_id=500)
    app = FastAPI()
    install_exception_handlers(app)
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
PAPERS: list[Any] = [
    {
        "title": f"{number}",
        "pages": [{"pageNumber": f"{number}{page}", "text": "-"} for page in "ab"],
    }
    for number in range(3)
]
PAPERS[2]["pages"][1] = {"pageNumber": "0b", "text": "taken"}
OWNER = {"name": "Homer", "papers": PAPERS}
OWNED = [*PAPERS[:2], {**PAPERS[0], "pages": [], "folder_id": "none"}]
BY_NAME = {"title": "Odyssey", "euro": 1, "author_id": 9}


@pytest.mark.parametrize(
    ("path", "body", "status", "places"),
    [
        ("/book", NOBODY, 422, [["authorId"]]),
        ("/book", BY_NAME, 422, [["author_id"]]),
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
        ("/authors", {"a": AUTHOR, "b": OTHER}, 409, [["b", "ownBooks", 0, "bookTitle"]]),
        ("/list of authors", [AUTHOR, OTHER], 409, [[1, "ownBooks", 0, "bookTitle"]]),
        ("/owner", OWNER, 409, [["papers", 2, "pages", 1, "pageNumber"]]),
        ("/owner", {**OWNER, "papers": OWNED}, 422, [["papers", 2, "folder_id"]]),
        ("/owners", [OWNER, OWNER], 409, [[0, "papers", 2, "pages", 1, "pageNumber"]]),
        ("/owners", [{**OWNER, "papers": OWNED}], 422, [[0, "papers", 2, "folder_id"]]),
        ("/copies", [GOOD, NOBODY], 422, [["authorId"]]),
        ("/copies", [GOOD, LIKE_GOOD], 409, [["bookTitle"]]),
        ("/pair", {"one": GOOD, "other": LIKE_GOOD}, 409, [["other", "bookTitle"]]),
        ("/pair", {"one": GOOD, "other": NOBODY}, 422, [["other", "authorId"]]),
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
        ("/async list", [GOOD, NOBODY], 422, [[1, "authorId"]]),
        ("/async list", [GOOD, LIKE_GOOD], 409, [[1, "bookTitle"]]),
        ("/async list?full_clean=1", [sent(bookTitle="x"), DEAR], 422, [[1]]),
        ("/async around", [GOOD, NOBODY], 422, [[1, "authorId"]]),
        ("/async shown", [GOOD, NOBODY], 422, [[1, "authorId"]]),
        ("/async envelope", {"bookRows": [GOOD, LIKE_GOOD]}, 409, [["bookRows", 1, "bookTitle"]]),
        ("/async mapping", {"a": GOOD, "b": NOBODY}, 422, [["b", "authorId"]]),
        *[
            (f"/{where} dependency", sent, status, [[1, name]])
            for where in ("def", "async", "generator", "async generator", "passed", "async passed")
            for sent, status, name in (
                ([GOOD, NOBODY], 422, "authorId"),
                ([GOOD, LIKE_GOOD], 409, "bookTitle"),
            )
        ],
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
    install_exception_handlers(app)
    answer = TestClient(app).patch("/", json={"authorId": 9})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "authorId"]


@pytest.fixture
def stamps() -> Iterator[None]:
    """Have saving an owner make the same page twice."""

    def make(instance: Owner, **kwargs: Any) -> None:
        document = Document.objects.create(title="stamp", owner=instance)
        Page.objects.create(number="stamp", document=document)
        Page.objects.create(number="stamp", document=document)

    post_save.connect(make, Owner)
    yield
    post_save.disconnect(make, Owner)


@pytest.mark.parametrize(
    ("path", "body", "place"),
    [
        ("/owners", [OWNER], [0, "papers", "pages", "pageNumber"]),
        ("/mapping of owners", {"a": OWNER}, ["papers", "pages", "pageNumber"]),
    ],
)
def test_what_saving_has_caused_is_told_as_far_as_it_is_known(
    post: Any, stamps: None, path: str, body: Any, place: list[Any]
) -> None:
    assert post(path, body) == (409, [["body", *place]])
