import reversion
from django.db.models import QuerySet
from fastapi import FastAPI, HTTPException
from reversion.models import Revision, Version

from apart.django_reversion.models import Book, Chapter
from django_mullet import APIRouter, Create, ModelSchema, Patch, Writable, mount_django, prepared

# Behind the middleware, and not.
behind = APIRouter(prefix="/api", django_middleware=True)
router = APIRouter(prefix="/api/bare")


class ChapterSchema(ModelSchema[Chapter]):
    title: str


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    pages: int
    chapters: Writable[list[ChapterSchema]]


class RevisionSchema(ModelSchema[Revision]):
    user_id: int | None
    comment: str


class VersionSchema(ModelSchema[Version]):
    object_repr: str
    revision: RevisionSchema


@prepared
def versions_of(pk: str) -> QuerySet[Version]:
    return Version.objects.filter(object_id=pk, content_type__model="book").order_by("pk")


@behind.get("/books/{book_id}/versions/")
def versions(book_id: int) -> list[VersionSchema]:
    return VersionSchema.from_qs(versions_of(str(book_id)))


@behind.post("/books/", status_code=201)
def add_book(body: Create[BookSchema]) -> BookSchema:
    return BookSchema.from_model(body.create())


@behind.patch("/books/{book_id}/")
def change_book(book_id: int, body: Patch[BookSchema]) -> BookSchema:
    reversion.set_comment("changed")
    return BookSchema.from_model(body.save(Book.objects.get(pk=book_id)))


@behind.patch("/books/{book_id}/async/")
async def change_book_async(book_id: int, body: Patch[BookSchema]) -> int:
    reversion.set_comment("changed")
    book = await Book.objects.aget(pk=book_id)
    book.title = body.title
    await book.asave()
    return book.pk


@behind.post("/books/{book_id}/refused/")
def refused(book_id: int) -> None:
    Book.objects.get(pk=book_id).save()
    raise HTTPException(409, "No.")


@router.patch("/books/{book_id}/")
def change_bare_book(book_id: int, body: Patch[BookSchema]) -> BookSchema:
    with reversion.create_revision():
        reversion.set_comment("changed")
        return BookSchema.from_model(body.save(Book.objects.get(pk=book_id)))


@router.post("/books/{book_id}/revert/")
def revert(book_id: int) -> BookSchema:
    Version.objects.get_for_object(Book.objects.get(pk=book_id)).last().revision.revert()
    return BookSchema.from_model(Book.objects.get(pk=book_id))


app = FastAPI()
app.include_router(behind)
app.include_router(router)
mount_django(app)
