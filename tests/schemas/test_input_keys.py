"""Do the aliases of Pydantic mean what they mean to Pydantic, in bodies, answers and errors?"""

from typing import Annotated, Any, Literal

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    TypeAdapter,
)
from pydantic import Tag as Tag_
from pydantic.alias_generators import to_camel

from django_mullet import (
    APIRouter,
    Create,
    ModelSchema,
    Patch,
    Writable,
    WriteOnly,
    install_exception_handlers,
)
from django_mullet.schemas.input_keys import as_sent, keys_of
from tests.library.models import Author, Book, Tag
from tests.writes.models import Document, Owner, Page

BY_NAME = ConfigDict(validate_by_name=True)
BY_NAME_ONLY = ConfigDict(validate_by_name=True, validate_by_alias=False)
DEEP = AliasPath("x", "y")

SPELLED: list[tuple[Any, Any, list[Any]]] = [
    ({}, Field(), [{"label": "a"}]),
    ({}, Field(alias="word"), [{"word": "a"}]),
    ({}, Field(validation_alias=DEEP), [{"x": {"y": "a"}}]),
    (BY_NAME, Field(validation_alias=DEEP), [{"x": {"y": "a"}}, {"label": "a"}]),
    ({}, Field(validation_alias=AliasPath("x", 1)), [{"x": ["b", "a"]}]),
    ({}, Field(validation_alias=AliasPath("word")), [{"word": "a"}]),
    (
        {},
        Field(validation_alias=AliasChoices("word", DEEP, AliasPath("z", 0))),
        [{"word": "a"}, {"x": {"y": "a"}}, {"z": ["a"]}],
    ),
    ({}, Field(validation_alias=AliasChoices(DEEP, "word")), [{"word": "a"}, {"x": {"y": "a"}}]),
    ({}, Field(validation_alias=AliasChoices(DEEP, AliasPath("z", 0))), [{"z": ["a"]}]),
    (BY_NAME, Field(alias="word"), [{"word": "a"}, {"label": "a"}]),
    (ConfigDict(populate_by_name=True), Field(alias="word"), [{"word": "a"}, {"label": "a"}]),
    (BY_NAME_ONLY, Field(alias="word"), [{"label": "a"}]),
    (BY_NAME_ONLY, Field(validation_alias=DEEP), [{"label": "a"}]),
    (ConfigDict(alias_generator=to_camel), Field(), [{"label": "a"}]),
]


def both(config: Any, field: Any) -> tuple[Any, Any]:
    """Return a schema, and a plain model of Pydantic like it."""

    class TagSchema(ModelSchema[Tag]):
        model_config = config
        label: str = field

    class PlainTag(BaseModel):
        model_config = config
        label: Annotated[str, Field(max_length=50, pattern=r"^[-a-zA-Z0-9_]+\z")] = field

    return TagSchema, PlainTag


def client_of(schema: Any, plain: Any) -> TestClient:
    router, app = APIRouter(), FastAPI()

    @router.post("/", response_model=schema)
    def post(body: Create[schema]) -> Any:
        return body.create()

    @router.patch("/{label}", response_model=schema)
    def patch(label: str, body: Patch[schema]) -> Any:
        return body.save(Tag.objects.get(label=label))

    @router.get("/", response_model=list[schema])
    def rows() -> Any:
        return Tag.objects.all()

    @router.get("/instances", response_model=list[schema])
    def instances() -> Any:
        return list(Tag.objects.all())

    def post_plain(body: plain) -> Any:
        return body

    app.include_router(router)
    app.post("/plain", response_model=plain)(post_plain)
    install_exception_handlers(app)
    return TestClient(app)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("config", "field", "bodies"), SPELLED)
def test_a_field_is_taken_and_shown_as_by_a_model_of_pydantic(
    config: Any, field: Any, bodies: list[Any]
) -> None:
    client = client_of(*both(config, field))

    for body in bodies:
        Tag.objects.all().delete()
        plain = client.post("/plain", json=body)
        answers = [
            client.post("/", json=body),
            client.patch("/a", json=body),
            client.get("/"),
            client.get("/instances"),
        ]
        assert [answer.status_code for answer in (plain, *answers)] == [200] * 5
        shown = plain.json()
        assert [answer.json() for answer in answers] == [shown, shown, [shown], [shown]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("config", "field", "bodies"), SPELLED)
def test_errors_say_where_the_client_has_sent_what_is_wrong(
    config: Any, field: Any, bodies: list[Any]
) -> None:
    client = client_of(*both(config, field))
    wrong = [of_json(body, "a", 1) for body in bodies]

    for body in ({}, {"other": 1}, {"label": 1}, {"word": 1}, {"x": 1}, {"x": {"z": 1}}, *wrong):
        answer, plain = client.post("/", json=body), client.post("/plain", json=body)
        assert (answer.status_code, answer.json()) == (422, plain.json())
    for body, bad in zip(bodies, wrong, strict=True):
        Tag.objects.get_or_create(label="a")
        answer, plain = client.post("/", json=body), client.post("/plain", json=bad)
        assert answer.status_code == 409
        assert answer.json()["detail"][0]["loc"] == plain.json()["detail"][0]["loc"]


def of_json(value: Any, old: Any, new: Any) -> Any:
    if isinstance(value, dict):
        return {key: of_json(item, old, new) for key, item in value.items()}
    if isinstance(value, list):
        return [of_json(item, old, new) for item in value]
    return new if value == old else value


@pytest.mark.parametrize(("config", "field", "bodies"), SPELLED)
def test_the_document_has_the_keys_that_pydantic_gives_it(
    config: Any, field: Any, bodies: list[Any]
) -> None:
    schema, plain = both(config, field)
    found = client_of(schema, plain).get("/openapi.json").json()["components"]["schemas"]
    taken, shown = plain.model_json_schema(), plain.model_json_schema(mode="serialization")

    assert found["TagCreate"]["properties"].keys() == taken["properties"].keys()
    assert found["TagCreate"]["required"] == taken["required"]
    assert found["Tag"]["properties"].keys() == shown["properties"].keys()
    assert found["Tag"]["required"] == shown["required"]


class PageSchema(ModelSchema[Page]):
    number: str = Field(validation_alias=AliasPath("key", "number"))
    text: str


class DocumentSchema(ModelSchema[Document]):
    model_config = BY_NAME
    title: str
    pages: Writable[list[PageSchema]] = Field(validation_alias=AliasPath("parts", 0))


class OwnerSchema(ModelSchema[Owner]):
    model_config = ConfigDict(validate_by_name=True, validate_by_alias=False)
    name: str
    documents: Writable[list[DocumentSchema]] = Field(alias="papers")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("nested", "place"),
    [
        (lambda pages: {"parts": [pages]}, ["parts", 0]),
        (lambda pages: {"pages": pages}, ["pages"]),
    ],
)
def test_nested_objects_are_found_on_any_way(nested: Any, place: list[Any]) -> None:
    router, app = APIRouter(), FastAPI()

    @router.post("/")
    def post(bodies: list[Create[OwnerSchema]]) -> list[OwnerSchema]:
        return OwnerSchema.from_qs([body.create() for body in bodies])

    app.include_router(router)
    install_exception_handlers(app)
    pages = [{"key": {"number": number}, "text": "-"} for number in "ab"]
    sent = [{"name": "x", "documents": [{"title": "d", **nested(pages)}]}]

    made, again = (TestClient(app).post("/", json=sent) for _ in range(2))

    assert made.json() == [
        {
            "name": "x",
            "papers": [
                {"title": "d", "pages": [{"number": number, "text": "-"} for number in "ab"]}
            ],
        }
    ]
    assert again.status_code == 409
    assert again.json()["detail"][0]["loc"] == [
        "body", 0, "documents", 0, *place, 0, "key", "number"
    ]  # fmt: skip


@pytest.mark.parametrize("sent", [None, 1, "text", [], {}, {"z": {}}, {"z": "text"}, {"z": [1]}])
def test_what_is_not_there_is_told_by_the_first_key(sent: Any) -> None:
    class Plain(BaseModel):
        label: str = Field(validation_alias=AliasChoices(DEEP, AliasPath("z", 1)))

    assert as_sent((0, keys_of(Plain, "label")), [sent]) == (0, "x", "y")


# Of several bodies, that which says which it is


class AuthorBody(ModelSchema[Author]):
    kind: WriteOnly[Literal["author"]]
    name: str = Field(alias="penName")


class BookBody(ModelSchema[Book]):
    kind: WriteOnly[Literal["book"]] = "book"
    title: str
    price: int
    author_id: int


class PlainAuthor(BaseModel):
    kind: Literal["author"]
    name: Annotated[str, Field(max_length=20)] = Field(alias="penName")


class PlainBook(BaseModel):
    kind: Literal["book"] = "book"
    title: Annotated[str, Field(max_length=30)]
    price: Annotated[int, Field(ge=0)]
    author_id: int


def tell(body: Any) -> str:
    return str(body.get("kind"))


ByKind = Field(discriminator="kind")
Bodies = Annotated[Create[AuthorBody] | Create[BookBody], ByKind]
Plain = Annotated[PlainAuthor | PlainBook, ByKind]
Called = Annotated[
    Annotated[Create[AuthorBody], Tag_("author")] | Annotated[Create[BookBody], Tag_("book")],
    Discriminator(tell),
]
PlainCalled = Annotated[
    Annotated[PlainAuthor, Tag_("author")] | Annotated[PlainBook, Tag_("book")],
    Discriminator(tell),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("kind", "plain"), [(Bodies, Plain), (Called, PlainCalled)])
@pytest.mark.parametrize("is_list", [False, True])
def test_bodies_are_told_from_each_other_as_pydantic_tells_them(
    kind: Any, plain: Any, is_list: bool
) -> None:
    router, app = APIRouter(), FastAPI()
    wanted, wanted_plain = (list[kind], list[plain]) if is_list else (kind, plain)

    @router.post("/")
    def post(body: wanted) -> int:
        return len([each.create() for each in (body if is_list else [body])])

    @app.post("/plain")
    def post_plain(body: wanted_plain) -> int:
        return len(body) if is_list else 1

    app.include_router(router)
    install_exception_handlers(app)
    author = {"kind": "author", "penName": "Homer"}
    book = {"kind": "book", "title": "Iliad", "price": 1, "author_id": 0}
    client, good = TestClient(app), Author.objects.create(pk=500, name="Hesiod")

    def answers(*bodies: Any) -> list[Any]:
        sent = list(bodies) if is_list else bodies[-1]
        return [client.post(path, json=sent) for path in ("/", "/plain")]

    for bodies in ([author], [{**book, "author_id": good.pk}]):
        answer, expected = answers(*bodies)
        assert (answer.status_code, answer.json()) == (200, expected.json())
    for bad in ({}, {"kind": "x"}, {"kind": "author"}, {"kind": "book", "title": 1}):
        answer, expected = answers(*bodies, bad)
        found, wrong = answer.json()["detail"], expected.json()["detail"]
        assert [each["loc"] for each in found] == [each["loc"] for each in wrong]
        assert [each["type"] for each in found] == [each["type"] for each in wrong]
    place = ["body", 1] if is_list else ["body"]
    [answer, _] = answers({**author, "penName": "Sappho"}, author)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (409, [*place, "penName"])
    [answer, _] = answers({**author, "penName": "Pindar"}, book)
    assert (answer.status_code, answer.json()["detail"][0]["loc"]) == (422, [*place, "author_id"])


def test_the_document_tells_bodies_from_each_other_as_pydantic_does() -> None:
    router, app = APIRouter(), FastAPI()

    @router.post("/")
    def post(body: Bodies) -> None: ...

    app.include_router(router)
    document = app.openapi()
    body = document["paths"]["/"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    expected = TypeAdapter(Plain).json_schema(ref_template="#/components/schemas/{model}")

    assert body["discriminator"]["propertyName"] == expected["discriminator"]["propertyName"]
    assert body["discriminator"]["mapping"] == {
        "author": "#/components/schemas/AuthorBodyCreate",
        "book": "#/components/schemas/BookBodyCreate",
    }
    assert len(body["oneOf"]) == 2
