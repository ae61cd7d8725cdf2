from django.db.models import QuerySet
from fastapi import FastAPI
from taggit.models import Tag

from apart.django_taggit.models import Book, Shelf
from django_mullet import APIRouter, Atomic, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class TagSchema(ModelSchema[Tag]):
    name: str
    slug: str


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    tags: list[TagSchema]


class KeysSchema(ModelSchema[Book]):
    id: int
    title: str
    tags: list[int]


class ShelfSchema(ModelSchema[Shelf]):
    name: str
    books: list[BookSchema]


@prepared
def books_tagged(name: str) -> QuerySet[Book]:
    return Book.objects.filter(tags__name=name).order_by("pk")


@router.get("/books/", response_model=list[BookSchema])
async def books(tag: str) -> QuerySet[Book]:
    return books_tagged(tag)


@router.get("/shelves/")
def shelves() -> list[ShelfSchema]:
    return ShelfSchema.from_qs(Shelf.objects.order_by("pk"))


@router.post("/books/", status_code=201)
def add_book(body: Create[KeysSchema]) -> KeysSchema:
    return KeysSchema.from_model(body.create())


@router.patch("/books/{book_id}/")
def change_book(book_id: int, body: Patch[KeysSchema]) -> BookSchema:
    return BookSchema.from_model(body.save(Book.objects.get(pk=book_id)))


@router.put("/books/{book_id}/tags/")
def name_tags(book_id: int, names: list[str], _: Atomic) -> BookSchema:
    book = Book.objects.get(pk=book_id)
    book.tags.set(names)
    return BookSchema.from_model(book)


app = FastAPI()
app.include_router(router)
mount_django(app)
