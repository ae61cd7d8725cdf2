"""Does a `ModelSchema` show what the model has, and take what it may?"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import ValidationError as DjangoValidationError
from django.test import override_settings
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from django_mullet import (
    APIRouter,
    Collection,
    Create,
    CreateOnly,
    ModelSchema,
    NotSent,
    Patch,
    ReadOnly,
    Update,
    WriteOnly,
)
from tests.library.models import Author, Book, Cover, Tag


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str
    born: date | None
    initial: str


class BookSchema(ModelSchema[Book]):
    id: int
    title: CreateOnly[str]
    language: str
    price: Decimal
    secret: WriteOnly[str]
    author: AuthorSchema
    author_id: int
    tags: list[str]
    created: datetime

    @field_validator("title")
    @classmethod
    def strip(cls, value: str) -> str:
        return value.strip()

    @computed_field
    def label(self) -> str:
        return f"{self.title} ({self.language})"


class Books(Collection[BookSchema]):
    pass


BOOK = {"title": " Iliad ", "price": "9.50", "author_id": 1}


def created(**values: Any) -> BookSchema:
    return TypeAdapter(Create[BookSchema]).validate_python(BOOK | values)


def patched(**values: Any) -> BookSchema:
    return TypeAdapter(Patch[BookSchema]).validate_python(values)


def errors(adapter: Any, **values: Any) -> list[tuple[Any, str]]:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(adapter).validate_python(values)
    return [(error["loc"][0], error["msg"]) for error in caught.value.errors()]


@pytest.fixture
def book(db: None) -> Book:
    author = Author.objects.create(name="Homer")
    book = Book.objects.create(title="Iliad", price="9.50", author=author, secret="horse")
    book.tags.add(Tag.objects.create(label="epic"), Tag.objects.create(label="war"))
    return book


# What the API shows


def test_a_schema_shows_columns_relations_and_properties(book: Book) -> None:
    shown = BookSchema.from_model(book)

    assert shown.model_dump(exclude={"created"}) == {
        "id": book.pk,
        "title": "Iliad",
        "language": "en",
        "price": Decimal("9.50"),
        "author": {"id": book.author_id, "name": "Homer", "born": None, "initial": "H"},
        "author_id": book.author_id,
        "tags": ["epic", "war"],
        "label": "Iliad (en)",
    }
    assert shown.created == book.created


def test_private_attributes_may_have_any_name() -> None:
    class Private(ModelSchema[Book]):
        title: str
        _shown: list[int] = PrivateAttr(default_factory=list)

    shown = Private.from_model(Book(title="Iliad"))
    shown._shown.append(1)

    assert shown._shown == [1]
    assert shown.model_dump() == {"title": "Iliad"}


def test_a_foreign_key_is_shown_by_its_id_where_an_id_is_wanted(book: Book) -> None:
    class ByID(ModelSchema[Book]):
        author: int

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Book.author, "__get__", None, raising=False)
        assert ByID.from_model(book).author == book.author_id


def test_reverse_relations_are_shown_as_schemas_or_ids(book: Book) -> None:
    class Title(ModelSchema[Book]):
        title: str

    class WithTitles(ModelSchema[Author]):
        books: list[Title]

    class WithIDs(ModelSchema[Author]):
        books: list[int]

    assert WithTitles.from_model(book.author).books == [Title(title="Iliad")]
    assert WithIDs.from_model(book.author).books == [book.pk]


def test_a_reverse_one_to_one_relation_may_be_missing(book: Book) -> None:
    class CoverSchema(ModelSchema[Cover]):
        image: str | None
        thumbnail: bytes

    class Nested(ModelSchema[Book]):
        cover: CoverSchema | None

    class ByID(ModelSchema[Book]):
        cover: int | None

    assert Nested.from_model(book).cover is None
    assert ByID.from_model(book).cover is None

    cover = Cover.objects.create(book=book, image="a.png", thumbnail=b"\x89PNG")
    book = Book.objects.get()

    assert Nested.from_model(book).model_dump() == {
        "cover": {"image": "/a.png", "thumbnail": b"\x89PNG"}
    }
    assert ByID.from_model(book).cover == cover.pk


def test_an_empty_file_is_null(book: Book) -> None:
    class CoverSchema(ModelSchema[Cover]):
        image: str | None
        thumbnail: bytes | None

    cover = Cover(book=book, thumbnail=None)

    assert CoverSchema.from_model(cover).model_dump() == {"image": None, "thumbnail": None}


def test_deferred_columns_are_loaded(book: Book) -> None:
    class Titles(ModelSchema[Book]):
        title: str
        language: str = "?"

    [deferred] = Titles.from_qs(Book.objects.only("title"))

    assert deferred == Titles(title="Iliad", language="en")


def test_unknown_attributes_of_the_row_are_not_extra_fields(book: Book) -> None:
    class Strict(ModelSchema[Book]):
        model_config = ConfigDict(extra="forbid")
        title: str
        language: str

    assert Strict.from_model(book).model_dump() == {"title": "Iliad", "language": "en"}


def test_fields_with_aliases_are_shown_and_taken_by_them(book: Book) -> None:
    class Camel(ModelSchema[Book]):
        model_config = ConfigDict(alias_generator=to_camel)
        author_id: int
        title: str
        language: str = Field(validation_alias=AliasChoices("lang", "language"))

    shown = Camel.from_model(book)
    body = TypeAdapter(Patch[Camel]).validate_python({"authorId": 7, "lang": "el"})

    assert shown.model_dump(by_alias=True) == {
        "authorId": book.author_id,
        "title": "Iliad",
        "language": "en",
    }
    assert (body.author_id, body.language) == (7, "el")


def test_what_validates_the_whole_row_does_not_get_the_instance_itself(book: Book) -> None:
    class Greedy(ModelSchema[Book]):
        title: str

        @model_validator(mode="before")
        @classmethod
        def empty(cls, values: Any) -> Any:
            return {"title": values.pop("title").upper()}

    class Proud(ModelSchema[Book]):
        title: str

        @model_validator(mode="after")
        def shout(self) -> "Proud":
            self.title += "!"
            return self

    assert [Greedy.from_model(book).title for _ in range(2)] == ["ILIAD", "ILIAD"]
    assert [Proud.from_model(book).title for _ in range(2)] == ["Iliad!", "Iliad!"]
    assert book.title == "Iliad"


def test_a_queryset_is_shown_as_a_list_or_below_a_key(book: Book) -> None:
    shown = BookSchema.from_model(book)

    assert BookSchema.from_qs(Book.objects.all()) == [shown]
    assert Books.from_qs(Book.objects.all()) == Books(items=[shown])


def test_what_is_write_only_is_not_read() -> None:
    shown = BookSchema.model_construct(title="Iliad")

    with pytest.raises(NotSent, match=r"^'BookSchema.secret' is write-only: no value of it is"):
        shown.secret  # noqa: B018


def test_an_attribute_that_nobody_knows_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        created().nonsense  # type: ignore[attr-defined]  # noqa: B018


# What the API takes


def test_a_body_is_an_instance_of_its_schema_without_what_is_read_only() -> None:
    body = created(id=7, author={"name": "x"}, created="2020-01-01")

    assert type(body) is BookSchema
    assert body.title == "Iliad"
    assert body.model_fields_set == {"title", "price", "author_id"}
    assert body.model_dump(exclude={"label"}) == {
        "title": "Iliad",
        "price": Decimal("9.50"),
        "author_id": 1,
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("id", "'BookSchema.id' is not part of Create[BookSchema]."),
        (
            "language",
            (
                "'BookSchema.language' was not sent with this Create[BookSchema]: look whether "
                "'language' is in 'model_fields_set' before you read it."
            ),
        ),
    ],
)
def test_reading_what_was_not_sent_says_so(name: str, message: str) -> None:
    with pytest.raises(NotSent) as caught:
        getattr(created(), name)

    assert str(caught.value) == message


def test_a_copy_still_knows_what_was_not_sent() -> None:
    with pytest.raises(NotSent, match="not part of Create"):
        created().model_copy().id  # noqa: B018


def test_what_has_no_default_is_required() -> None:
    assert errors(Create[BookSchema]) == [
        ("title", "Field required"),
        ("price", "Field required"),
        ("author_id", "Field required"),
    ]


def test_what_the_model_says_is_kept_to() -> None:
    wrong = BOOK | {"title": "x" * 31, "language": "xx", "price": "1.234"}

    assert errors(Create[BookSchema], **wrong) == [
        ("title", "String should have at most 30 characters"),
        ("language", "Input should be 'en' or 'el'"),
        ("price", "Decimal input should have no more than 2 decimal places"),
    ]
    assert errors(Create[BookSchema], **BOOK | {"price": -1}) == [
        ("price", "Input should be greater than or equal to 0")
    ]


def test_a_null_character_is_refused() -> None:
    assert errors(Patch[AuthorSchema], name="a\0") == [("name", "Null characters are not allowed.")]


def test_an_integer_beyond_the_column_is_refused() -> None:
    class Written(ModelSchema[Book]):
        author_id: int

    assert errors(Create[BookSchema], **BOOK | {"author_id": 2**63})[0][0] == "author_id"


def test_create_only_is_refused_later() -> None:
    body = TypeAdapter(Update[BookSchema]).validate_python(BOOK)

    assert "title" not in body.model_fields_set
    with pytest.raises(NotSent, match=r"^'BookSchema.title' is not part of Update\[BookSchema\]"):
        body.title  # noqa: B018


def test_in_a_patch_everything_is_optional_and_nothing_has_a_default() -> None:
    class WithDefault(ModelSchema[Author]):
        name: str = "Anonymous"
        born: date | None = None

    created = TypeAdapter(Create[WithDefault]).validate_python({})
    patched = TypeAdapter(Patch[WithDefault]).validate_python({})

    assert created.model_dump() == {"name": "Anonymous", "born": None}
    assert patched.model_dump() == {}


def test_in_a_patch_null_differs_from_nothing() -> None:
    sent = TypeAdapter(Patch[AuthorSchema]).validate_python({"born": None})

    assert sent.model_dump() == {"born": None}
    assert errors(Patch[AuthorSchema], name=None) == [("name", "Input should be a valid string")]


def test_the_validators_of_a_schema_run_for_every_variant() -> None:
    class Checked(ModelSchema[Author]):
        id: int
        name: str

        @model_validator(mode="after")
        def check(self) -> "Checked":
            if self.name == "Nobody":
                raise ValueError("Nobody wrote nothing.")
            return self

    for variant in (Create[Checked], Update[Checked], Patch[Checked]):
        with pytest.raises(ValidationError, match=r"Nobody wrote nothing\."):
            TypeAdapter(variant).validate_python({"name": "Nobody"})


def test_a_read_only_field_can_be_refused() -> None:
    with override_settings(MULLET={"REFUSE_READ_ONLY": True}):
        assert errors(Patch[BookSchema], id=3) == [("id", "This field is read-only")]


def test_a_field_can_be_marked_read_only() -> None:
    class Marked(ModelSchema[Author]):
        name: ReadOnly[str]
        born: date | None

    body = TypeAdapter(Update[Marked]).validate_python({"name": "x", "born": None})

    assert body.model_fields_set == {"born"}


def test_unknown_keys_are_treated_as_the_configuration_says() -> None:
    class Strict(ModelSchema[Author]):
        model_config = ConfigDict(extra="forbid")
        name: str

    assert errors(Create[Strict], name="x", age=3) == [("age", "Extra inputs are not permitted")]


def test_a_blank_choice_is_taken() -> None:
    class WithPrize(ModelSchema[Author]):
        prize: str

    assert TypeAdapter(Patch[WithPrize]).validate_python({"prize": ""}).prize == ""
    assert errors(Patch[WithPrize], prize="x") == [("prize", "Input should be 'nobel' or ''")]


def test_limits_of_the_schema_hold_beside_those_of_the_model() -> None:
    class Stricter(ModelSchema[Author]):
        name: Annotated[str, Field(min_length=3), AfterValidator(str.title)]

    assert TypeAdapter(Patch[Stricter]).validate_python({"name": "homer"}).name == "Homer"
    assert errors(Patch[Stricter], name="ab") == [
        ("name", "String should have at least 3 characters")
    ]
    assert errors(Patch[Stricter], name="a" * 21) == [
        ("name", "String should have at most 20 characters")
    ]


def test_a_schema_inherits_from_another() -> None:
    class Longer(AuthorSchema):
        prize: str

    shown = Longer.from_model(Author(id=1, name="Homer"))

    assert shown.model_dump() == {
        "id": 1,
        "name": "Homer",
        "born": None,
        "initial": "H",
        "prize": "",
    }
    assert TypeAdapter(Create[Longer]).validate_python({"name": "x"}).model_dump() == {"name": "x"}


def test_a_variant_is_of_a_model_schema() -> None:
    with pytest.raises(TypeError) as caught:
        TypeAdapter(Create[int])  # type: ignore[type-var]

    assert str(caught.value) == (
        "Create[...] takes a subclass of 'ModelSchema', not <class 'int'>."
    )


def test_a_schema_names_its_model() -> None:
    class Nameless(ModelSchema):  # type: ignore[type-arg]
        name: str

    with pytest.raises(ImproperlyConfigured) as caught:
        TypeAdapter(Create[Nameless])

    assert str(caught.value) == (
        "'Nameless' must name its model: 'class Nameless(ModelSchema[Model])'."
    )


# What is written


def test_a_body_makes_an_unsaved_object(book: Book) -> None:
    body = created(title="Odyssey", author_id=book.author_id, secret="wax", id=book.pk)

    made = body.to_model(language="el")
    made.save()

    assert made.pk != book.pk
    assert (made.title, made.language, made.secret) == ("Odyssey", "el", "wax")


def test_a_body_updates_an_object_by_what_was_sent(book: Book) -> None:
    updated = patched(language="el", title="x").update(book)

    assert updated is book
    assert (book.title, book.language, book.secret) == ("Iliad", "el", "horse")


def test_a_model_makes_and_updates_its_objects_from_bodies() -> None:
    body = TypeAdapter(Create[AuthorSchema]).validate_python({"name": "Sappho"})

    author = Author.from_api(body, born=date(1, 1, 1))
    author.update_from_api(TypeAdapter(Patch[AuthorSchema]).validate_python({"born": None}))

    assert (author.name, author.born, author.pk) == ("Sappho", None, None)


def test_an_instance_that_was_not_sent_writes_nothing_read_only(book: Book) -> None:
    shown = AuthorSchema.from_model(book.author)

    shown.update(author := Author(id=0))

    assert (author.pk, author.name) == (0, "Homer")


def test_relations_are_saved_with_their_object(book: Book) -> None:
    body = created(title="Odyssey", author_id=book.author_id, tags=["epic"])

    made = body.create()

    assert list(made.tags.values_list("label", flat=True)) == ["epic"]
    patched(tags=["war"]).save(made)
    assert list(made.tags.values_list("label", flat=True)) == ["war"]


@pytest.mark.parametrize(
    ("values", "name", "message"),
    [
        (
            {"tags": ["epic", "tale"]},
            "tags",
            "Select a valid choice. tale is not one of the available choices.",
        ),
        ({"author_id": 0}, "author_id", "author instance with id 0"),  # goes on as Django says
    ],
)
def test_a_key_that_leads_nowhere_is_an_error_and_nothing_is_saved(
    book: Book, values: Any, name: str, message: str
) -> None:
    with pytest.raises(DjangoValidationError) as caught:
        created(**{"title": "Odyssey", "author_id": book.author_id} | values).create()

    assert caught.value.message_dict.keys() == {name}
    assert caught.value.messages[0].startswith(message)
    assert Book.objects.count() == 1


def test_what_needs_a_saved_object_is_not_lost_silently(book: Book) -> None:
    with pytest.raises(TypeError) as caught:
        created(tags=["epic"]).to_model()

    assert str(caught.value) == (
        "'tags' can be set on a saved object only: call 'create()' in place of 'to_model()', and "
        "'save()' in place of 'update()'."
    )


# What the document says


@pytest.fixture
def components() -> Any:
    router = APIRouter()

    @router.post("/")
    def post(body: Create[BookSchema]) -> BookSchema: ...

    @router.patch("/")
    def patch(body: Patch[BookSchema]) -> list[BookSchema]: ...

    @router.get("/")
    def get() -> Books: ...

    app = FastAPI()
    app.include_router(router)
    return app.openapi()["components"]["schemas"]


def test_the_components_have_readable_names(components: Any) -> None:
    assert components.keys() - {"HTTPValidationError", "ValidationError"} == {
        "Author",
        "Book",
        "BookCreate",
        "BookPatch",
        "Books",
    }
    assert [components[name]["title"] for name in ("Book", "BookCreate")] == ["Book", "BookCreate"]


def test_a_schema_may_stand_in_another_more_than_once() -> None:
    class Pair(BaseModel):
        old: AuthorSchema
        new: AuthorSchema

    class Bodies(BaseModel):
        old: Create[AuthorSchema]
        new: Create[AuthorSchema]

    assert Pair.model_json_schema()["$defs"]["Author"]["properties"].keys() == {
        "id",
        "name",
        "born",
        "initial",
    }
    assert Bodies.model_json_schema()["$defs"]["AuthorCreate"]["properties"].keys() == {
        "name",
        "born",
    }


def test_a_schema_can_have_another_name() -> None:
    class Named(ModelSchema[Author]):
        model_config = ConfigDict(title="Writer")
        name: str

    assert TypeAdapter(Create[Named]).json_schema()["title"] == "WriterCreate"


def test_the_document_says_what_the_model_says(components: Any) -> None:
    shown, created = components["Book"]["properties"], components["BookCreate"]["properties"]

    assert created.keys() == {"title", "language", "price", "secret", "author_id", "tags"}
    assert components["BookCreate"]["required"] == ["title", "price", "author_id"]
    assert "required" not in components["BookPatch"]
    assert created["title"] == {
        "title": "Title",
        "type": "string",
        "maxLength": 30,
        "pattern": r"^[^\x00]*$",
        "minLength": 1,
        "examples": ["Title"],
    }
    assert created["language"]["enum"] == ["en", "el"]
    assert "writeOnly" not in created["secret"]
    assert "secret" not in shown
    assert shown["id"] == {"title": "Id", "type": "integer"}
    assert components["Author"]["properties"]["name"]["description"] == "As on the cover."


# All together


@pytest.mark.django_db(transaction=True)
def test_a_route_takes_and_shows_a_schema() -> None:
    router = APIRouter()

    @router.post("/authors/", status_code=201)
    def post(body: Create[AuthorSchema]) -> AuthorSchema:
        author = body.to_model()
        author.save()
        return AuthorSchema.from_model(author)

    @router.patch("/authors/{pk}/", response_model=AuthorSchema)
    def patch(pk: int, body: Patch[AuthorSchema]) -> Author:
        author = body.update(Author.objects.get(pk=pk))
        author.save()
        return author

    app = FastAPI()
    app.include_router(router)
    client = TestClient(app)

    answer = client.post("/authors/", json={"id": 99, "name": "Sappho", "initial": "X"})

    assert answer.status_code == 201
    pk = answer.json()["id"]
    assert answer.json() == {"id": pk, "name": "Sappho", "born": None, "initial": "S"}
    answer = client.patch(f"/authors/{pk}/", json={"born": "0630-01-01"})
    assert answer.json()["born"] == "0630-01-01"
    answer = client.patch(f"/authors/{pk}/", json={"name": None})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "name"]
