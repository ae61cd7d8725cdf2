"""What does a type checker see of a schema? Checked by mypy and pyright; never run."""

from datetime import date
from typing import assert_type

from django.contrib.contenttypes.models import ContentType

from django_mullet import (
    Collection,
    Create,
    CreateOnly,
    ModelSchema,
    Patch,
    ReadOnly,
    Update,
    Writable,
    WriteOnly,
    schema_for,
)
from tests.library.models import Author, Book, Cover, Tag
from tests.relations.models import Note, Shop


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str
    born: date | None


class BookSchema(ModelSchema[Book]):
    id: ReadOnly[int]
    title: CreateOnly[str]
    secret: WriteOnly[str]
    author: AuthorSchema


class Books(Collection[BookSchema]):
    pass


def fields(shown: BookSchema) -> None:
    assert_type(shown.id, int)
    assert_type(shown.title, str)
    assert_type(shown.secret, str)
    assert_type(shown.author.born, date | None)
    _ = shown.nonsense  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def bodies(
    create: Create[AuthorSchema], update: Update[AuthorSchema], patch: Patch[AuthorSchema]
) -> None:
    assert_type(create, AuthorSchema)
    assert_type(update, AuthorSchema)
    assert_type(patch, AuthorSchema)
    assert_type(create.to_model(name="x"), Author)
    assert_type(create.create(), Author)
    assert_type(update.update(Author()), Author)
    assert_type(patch.save(Author()), Author)
    patch.update(Book())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def shown(author: Author) -> None:
    assert_type(AuthorSchema.from_model(author), AuthorSchema)
    assert_type(AuthorSchema.from_qs(Author.objects.all()), list[AuthorSchema])
    assert_type(Books.from_qs(Book.objects.all()), Books)
    assert_type(Books.from_qs(Book.objects.all()).items, list[BookSchema])
    AuthorSchema.from_model(Book())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


class TagSchema(ModelSchema[Tag]):
    label: str


class CoverSchema(ModelSchema[Cover]):
    width: int


class WholeBookSchema(ModelSchema[Book]):
    title: str
    author: Writable[AuthorSchema]
    tags: Writable[list[TagSchema]]
    cover: Writable[CoverSchema | None] = None


class ShelfSchema(ModelSchema[Author]):
    books: Writable[list[WholeBookSchema]]
    later: "list[LaterSchema]"


class LaterSchema(ModelSchema[Shop]):
    name: str
    seller: int | None


class NoteSchema(ModelSchema[Note]):
    about: BookSchema | AuthorSchema | None
    content_type: int


def nested(body: Create[WholeBookSchema], shelf: Patch[ShelfSchema]) -> None:
    assert_type(body.author, AuthorSchema)
    assert_type(body.author.born, date | None)
    assert_type(body.tags, list[TagSchema])
    assert_type(body.cover, CoverSchema | None)
    assert_type([book.author.name for book in shelf.books], list[str])
    assert_type([shop.seller for shop in shelf.later], list[int | None])
    _ = body.author.title  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    _ = body.cover.width  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]


def saved(body: Create[WholeBookSchema], patch: Patch[WholeBookSchema], book: Book) -> None:
    assert_type(body.create(full_clean=True, language="el"), Book)
    assert_type(patch.save(book, full_clean=True), Book)
    patch.save(Author())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    patch.save(book, full_clean="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def generic(note: Note) -> None:
    shown = NoteSchema.from_model(note)
    assert_type(shown.about, BookSchema | AuthorSchema | None)
    assert_type(shown.content_type, int)
    NoteSchema.from_model(ContentType())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def drafted() -> None:
    made = schema_for(Author, exclude=["id"])
    assert_type(made, type[ModelSchema[Author]])
    assert_type(made.from_qs(Author.objects.all()), list[ModelSchema[Author]])
    made.from_model(Book())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def not_a_schema(body: Create[int]) -> None:  # type: ignore[type-var]  # pyright: ignore[reportInvalidTypeArguments]
    ...
