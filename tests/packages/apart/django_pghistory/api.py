from django.db.models import QuerySet
from fastapi import FastAPI
from pghistory.models import Context
from pydantic import JsonValue

from apart.django_pghistory.models import Book, BookEvent
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api", django_middleware=True)


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    pages: int


class ContextSchema(ModelSchema[Context]):
    metadata: JsonValue


class EventSchema(ModelSchema[BookEvent]):
    pgh_label: str
    title: str
    pages: int
    pgh_context: ContextSchema | None


@prepared
def events_of(pk: int) -> QuerySet[BookEvent]:
    return BookEvent.objects.filter(pgh_obj_id=pk).order_by("pgh_id")


@router.get("/books/{book_id}/events/", response_model=list[EventSchema])
def events(book_id: int) -> QuerySet[BookEvent]:
    return events_of(book_id)


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


app = FastAPI()
app.include_router(router)
mount_django(app)
