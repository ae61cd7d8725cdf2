from datetime import datetime

from auditlog.models import LogEntry
from django.db.models import QuerySet
from fastapi import FastAPI
from pydantic import JsonValue

from apart.django_auditlog.models import Book
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api", django_middleware=True)


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    pages: int
    tags: list[int]


class EntrySchema(ModelSchema[LogEntry]):
    object_repr: str
    action: int
    changes: JsonValue
    actor_id: int | None
    timestamp: datetime


@prepared
def entries_of(pk: str) -> QuerySet[LogEntry]:
    return LogEntry.objects.filter(object_pk=pk).order_by("pk")


@router.get("/books/{book_id}/entries/", response_model=list[EntrySchema])
def entries(book_id: int) -> QuerySet[LogEntry]:
    return entries_of(str(book_id))


@router.post("/books/", status_code=201)
def add_book(body: Create[BookSchema]) -> BookSchema:
    return BookSchema.from_model(body.create())


@router.patch("/books/{book_id}/")
def change_book(book_id: int, body: Patch[BookSchema]) -> BookSchema:
    return BookSchema.from_model(body.save(Book.objects.get(pk=book_id)))


@router.patch("/books/{book_id}/async/", response_model=BookSchema)
async def change_book_async(book_id: int, body: Patch[BookSchema]) -> Book:
    book = body.update(await Book.objects.aget(pk=book_id))
    await book.asave()
    return book


@router.delete("/books/{book_id}/", status_code=204)
def delete_book(book_id: int) -> None:
    Book.objects.get(pk=book_id).delete()


app = FastAPI()
app.include_router(router)
mount_django(app)
