from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from fastapi import FastAPI
from pydantic import BaseModel

from apart.django_dirtyfields.models import Author, Book
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class AuthorSchema(ModelSchema[Author]):
    name: str


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    pages: int
    price: Decimal
    author_id: int


class TitleSchema(ModelSchema[Book]):
    title: str
    author: AuthorSchema


class Dirty(BaseModel):
    before: dict[str, Any]
    after: dict[str, Any]


@prepared
def books_called(title: str) -> QuerySet[Book]:
    return Book.objects.filter(title=title).order_by("pk")


@router.get("/books/", response_model=list[TitleSchema])
async def books(title: str) -> QuerySet[Book]:
    return books_called(title)


@router.post("/books/", status_code=201)
def add_book(body: Create[BookSchema]) -> Dirty:
    book = body.create()
    return Dirty(before={}, after=book.get_dirty_fields(check_relationship=True))


@router.patch("/books/{title}/")
def change_book(title: str, body: Patch[BookSchema]) -> Dirty:
    book = body.update(books_called(title).get())
    before = book.get_dirty_fields(check_relationship=True)
    book.save_dirty_fields()
    return Dirty(before=before, after=book.get_dirty_fields(check_relationship=True))


@router.patch("/books/{title}/async/")
async def change_book_async(title: str, body: Patch[BookSchema]) -> Dirty:
    book = body.update(await books_called(title).aget())
    before = book.get_dirty_fields(check_relationship=True)
    await book.asave()
    return Dirty(before=before, after=book.get_dirty_fields(check_relationship=True))


app = FastAPI()
app.include_router(router)
mount_django(app)
