"""Do nested objects get into the database with the object that they are sent in, all or none?"""

from datetime import date

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import Field, TypeAdapter, ValidationError, field_validator

from django_mullet import (
    APIRouter,
    Create,
    CreateOnly,
    ModelSchema,
    Patch,
    ReadOnly,
    Update,
    Writable,
)
from django_mullet.error_handling import handlers
from tests.bodies import body
from tests.library.models import Author, Book, Cover, Tag
from tests.relations.models import Membership, Person, Place, Project, Room, Shop

pytestmark = pytest.mark.django_db


class AuthorName(ModelSchema[Author]):
    name: str


class CoverSchema(ModelSchema[Cover]):
    width: int


class TagSchema(ModelSchema[Tag]):
    label: str


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    price: int
    author_id: ReadOnly[int]
    tags: Writable[list[TagSchema]]
    cover: Writable[CoverSchema | None] = None


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str
    born: date | None
    books: Writable[list[BookSchema]]

    @field_validator("books")
    @classmethod
    def few(cls, books: list[BookSchema]) -> list[BookSchema]:
        if len(books) > 3:
            raise ValueError("Three will do.")
        return books


ILIAD = {"title": "Iliad", "price": 9, "tags": [{"label": "epic"}], "cover": {"width": 7}}
ODYSSEY = {"title": "Odyssey", "price": 8}


@pytest.fixture
def homer(db: None) -> Author:
    author: Author = body(Create[AuthorSchema], name="Homer", books=[ILIAD]).create()
    return author


def test_nested_objects_are_created_at_any_depth(homer: Author) -> None:
    assert AuthorSchema.from_model(homer).model_dump() == {
        "id": homer.pk,
        "name": "Homer",
        "born": None,
        "books": [
            {
                "id": Book.objects.get().pk,
                "title": "Iliad",
                "price": 9,
                "author_id": homer.pk,
                "tags": [{"label": "epic"}],
                "cover": {"width": 7},
            }
        ],
    }


def test_a_nested_body_is_an_instance_of_its_schema() -> None:
    sent = body(Create[AuthorSchema], name="Homer", books=[ILIAD | {"id": 3}])

    [book] = sent.books
    assert type(book) is BookSchema
    assert book.model_fields_set == {"title", "price", "tags", "cover"}


def test_what_nested_schemas_and_the_model_say_holds() -> None:
    long = ILIAD | {"title": "x" * 31}

    with pytest.raises(ValidationError) as caught:
        body(Patch[AuthorSchema], books=[ODYSSEY, long])
    with pytest.raises(ValidationError, match=r"Three will do\."):
        body(Patch[AuthorSchema], books=[ODYSSEY] * 4)

    assert [error["loc"] for error in caught.value.errors()] == [("books", 1, "title")]


def test_what_is_not_sent_stays(homer: Author) -> None:
    body(Patch[AuthorSchema], born=None).save(homer)

    assert Book.objects.get().title == "Iliad"


def test_a_list_of_owned_objects_is_replaced(homer: Author) -> None:
    author = Author.objects.prefetch_related("books").get()
    iliad = author.books.all()[0]

    body(Update[AuthorSchema], name="Homer", books=[ODYSSEY, ILIAD]).save(author)

    assert {book.title for book in author.books.all()} == {"Iliad", "Odyssey"}
    assert not Book.objects.filter(pk=iliad.pk).exists()


class RoomSchema(ModelSchema[Room]):
    number: str
    size: CreateOnly[int]


class PlaceSchema(ModelSchema[Place]):
    name: str
    code: str
    rooms: Writable[list[RoomSchema]]


def test_owned_objects_with_a_key_that_is_sent_stay() -> None:
    rooms = [{"number": "1a", "size": 10}, {"number": "1b", "size": 20}]
    place = body(Create[PlaceSchema], name="Stoa", code="stoa", rooms=rooms).create()

    rooms = [{"number": "1b", "size": 30}, {"number": "1c", "size": 40}]
    body(Patch[PlaceSchema], rooms=rooms).save(place)

    kept, made = Room.objects.order_by("number")
    assert (kept.number, kept.size) == ("1b", 20)  # create-only
    assert (made.number, made.size) == ("1c", 40)


def test_an_owned_object_of_another_is_not_taken_away() -> None:
    rooms = [{"number": "1a", "size": 10}]
    stoa = body(Create[PlaceSchema], name="Stoa", code="stoa", rooms=rooms).create()

    with pytest.raises(IntegrityError):
        body(Create[PlaceSchema], name="Agora", code="agora", rooms=rooms).create()

    assert Room.objects.get().place == stoa


@pytest.mark.django_db(databases=["default", "other"])
def test_nested_objects_go_into_the_database_of_the_outer_one() -> None:
    author = Author.objects.using("other").create(name="Homer")

    body(Update[AuthorSchema], name="Homer", books=[ILIAD]).save(author)

    assert [book.title for book in Book.objects.using("other")] == ["Iliad"]
    assert list(Tag.objects.using("other")) == [Tag(label="epic")]
    assert not Book.objects.exists()


def test_objects_that_may_be_alone_are_set_free() -> None:
    class Child(ModelSchema[Shop]):
        name: str
        code: str
        opened: int

    class Seller(ModelSchema[Author]):
        shop_set: Writable[list[Child]]

    author = Author.objects.create(name="Midas")
    oil = {"name": "Oil", "code": "oil", "opened": 1}
    body(Update[Seller], shop_set=[oil]).save(author)

    body(Update[Seller], shop_set=[]).save(author)

    assert Shop.objects.get().seller is None


def test_shared_objects_are_found_by_their_key_or_created(homer: Author) -> None:
    book = Book.objects.get()

    body(Patch[BookSchema], tags=[{"label": "war"}, {"label": "epic"}]).save(book)
    body(Patch[BookSchema], tags=[{"label": "war"}]).save(book)

    assert list(book.tags.all()) == [Tag(label="war")]
    assert Tag.objects.count() == 2


def test_nested_objects_may_come_as_a_tuple(homer: Author) -> None:
    class Tagged(ModelSchema[Book]):
        tags: Writable[tuple[TagSchema, ...]]

    book = Book.objects.get()

    body(Patch[Tagged], tags=[{"label": "war"}]).save(book)

    assert Tagged.from_model(book).tags == (TagSchema(label="war"),)


def test_the_object_of_a_reverse_one_to_one_relation_is_changed_made_or_deleted(
    homer: Author,
) -> None:
    book = Book.objects.get()
    cover = book.cover

    body(Patch[BookSchema], cover={"width": 9}).save(book)
    assert Cover.objects.get() == cover
    assert Cover.objects.get().width == 9

    body(Patch[BookSchema], cover=None).save(book)
    body(Patch[BookSchema], cover=None).save(book)
    assert BookSchema.from_model(book).cover is None
    assert not Cover.objects.exists()

    body(Patch[BookSchema], cover={"width": 1}).save(book)
    assert Cover.objects.get().book == book


def test_what_a_foreign_key_refers_to_is_made_or_changed() -> None:
    class Owner(ModelSchema[Author]):
        name: CreateOnly[str]
        born: date | None

    class Owned(ModelSchema[Shop]):
        name: str
        code: str
        opened: int
        seller: Writable[Owner | None]

    oil = {"name": "Oil", "code": "oil", "opened": 1}
    shop = body(Create[Owned], seller={"name": "Midas"}, **oil).create()
    midas = Author.objects.get()

    changed = {"name": "Croesus", "born": "0001-01-01"}
    body(Patch[Owned], seller=changed).save(shop)
    assert shop.seller == midas
    assert (Author.objects.get().name, Author.objects.get().born) == ("Midas", date(1, 1, 1))

    body(Patch[Owned], seller=None).save(shop)
    assert Shop.objects.get().seller is None
    assert Author.objects.get() == midas


def test_a_relation_through_a_model_is_written_by_its_rows() -> None:
    class MemberSchema(ModelSchema[Membership]):
        person: int
        role: str

    class ProjectSchema(ModelSchema[Project]):
        name: str
        membership_set: Writable[list[MemberSchema]]

    solon = Person.objects.create(name="Solon")

    project = body(
        Create[ProjectSchema],
        name="laws",
        membership_set=[{"person": solon.pk, "role": "author"}],
    ).create()

    assert list(project.members.all()) == [solon]


def test_nothing_is_saved_where_anything_is_wrong(homer: Author) -> None:
    twice = [ODYSSEY, ODYSSEY]

    with pytest.raises(IntegrityError):
        body(Update[AuthorSchema], name="Homerus", books=twice).save(homer)

    assert Author.objects.get().name == "Homer"
    assert [book.title for book in Book.objects.all()] == ["Iliad"]


def test_a_key_within_that_leads_nowhere_is_found_by_its_place() -> None:
    class MemberSchema(ModelSchema[Membership]):
        person: int
        role: str

    class ProjectSchema(ModelSchema[Project]):
        name: str
        membership_set: Writable[list[MemberSchema]]

    sent = body(
        Create[ProjectSchema], name="laws", membership_set=[{"person": 0, "role": "author"}]
    )

    with pytest.raises(DjangoValidationError) as caught:
        sent.create()

    assert caught.value.message_dict.keys() == {"membership_set.0.person"}
    assert not Project.objects.exists()


def test_the_model_is_asked_where_that_is_wanted(homer: Author) -> None:
    class Owned(ModelSchema[Book]):
        author_id: int
        title: str
        price: int

    wrong = body(Create[Owned], author_id=0, title="Margites", price=6)

    with pytest.raises(DjangoValidationError) as caught:
        wrong.create(full_clean=True)

    assert caught.value.message_dict.keys() == {"author_id"}
    wrong = body(Create[Owned], author_id=homer.pk, title="Margites", price=600)
    with pytest.raises(DjangoValidationError) as caught:
        wrong.create(full_clean=True)
    assert caught.value.message_dict == {"__all__": ["Too dear."]}


class ShownWithAuthor(ModelSchema[Book]):
    author: ReadOnly[AuthorName]
    author_id: int
    title: str
    price: int


def test_a_key_that_leads_nowhere_is_told_before_clean_reads_what_it_leads_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Book, "clean", lambda book: book.author.name)
    wrong = body(Create[ShownWithAuthor], author_id=0, title="Margites", price=6)

    with pytest.raises(DjangoValidationError) as caught:
        wrong.create(full_clean=True)

    assert caught.value.message_dict.keys() == {"author_id"}


def test_what_clean_does_not_find_besides_is_raised(
    homer: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Book, "clean", lambda book: Tag.objects.get(label="missing"))
    sent = body(Create[ShownWithAuthor], author_id=homer.pk, title="Margites", price=6)

    with pytest.raises(Tag.DoesNotExist):
        sent.create(full_clean=True)


def test_an_error_of_a_key_has_the_name_that_was_sent() -> None:
    wrong = body(Create[ShownWithAuthor], author_id=0, title="Margites", price=6)

    with pytest.raises(DjangoValidationError) as caught:
        wrong.create(full_clean=True)

    assert caught.value.message_dict.keys() == {"author_id"}


@pytest.mark.django_db(transaction=True)
def test_what_the_model_finds_is_answered_with_its_place() -> None:
    router = APIRouter()

    @router.post("/")
    def post(body: Create[AuthorSchema]) -> AuthorSchema:
        return AuthorSchema.from_model(body.create(full_clean=True))

    app = FastAPI()
    app.include_router(router)
    handlers.install_exception_handlers(app)
    dear = ODYSSEY | {"price": 600}

    answer = TestClient(app).post("/", json={"name": "Homer", "books": [ILIAD, dear]})

    assert answer.status_code == 422
    assert answer.json()["detail"] == [
        {"type": "value_error", "loc": ["body", "books", 1], "msg": "Too dear."}
    ]
    assert not Author.objects.exists()


def test_nested_objects_need_a_saved_object() -> None:
    with pytest.raises(TypeError, match=r"^'books' can be set on a saved object only: "):
        body(Create[AuthorSchema], name="Homer", books=[]).to_model()


def test_the_document_says_what_nested_objects_take() -> None:
    schema = TypeAdapter(Patch[AuthorSchema]).json_schema()

    assert schema["properties"]["books"] == {
        "items": {"$ref": "#/$defs/BookCreate"},
        "title": "Books",
        "type": "array",
    }
    assert schema["$defs"].keys() == {"BookCreate", "CoverCreate", "TagCreate"}


def test_a_nested_schema_must_leave_its_link_to_the_outer_one() -> None:
    class Linked(ModelSchema[Book]):
        author_id: int

    class Wrong(ModelSchema[Author]):
        books: Writable[list[Linked]]

    with pytest.raises(ImproperlyConfigured) as caught:
        TypeAdapter(Create[Wrong])

    assert str(caught.value) == (
        "'Wrong.books' sets 'Linked.author_id' itself: write 'ReadOnly[...]' there, or a schema "
        "without it here."
    )


def test_a_writable_field_is_of_one_schema() -> None:
    class Wrong(ModelSchema[Author]):
        books: Writable[list[BookSchema | TagSchema]]

    with pytest.raises(ImproperlyConfigured) as caught:
        TypeAdapter(Create[Wrong])

    assert str(caught.value) == (
        "'Wrong.books' cannot be 'Writable' as both 'BookSchema' and 'TagSchema': write one."
    )


def test_limits_of_a_nested_list_hold() -> None:
    class Few(ModelSchema[Author]):
        books: Writable[list[BookSchema]] = Field(max_length=1)

    with pytest.raises(ValidationError, match="at most 1 item"):
        body(Patch[Few], books=[ODYSSEY, ODYSSEY])
