from collections.abc import AsyncIterator

import svcs
from asgiref.sync import sync_to_async
from fastapi import FastAPI, HTTPException

from apart.svcs.models import Book
from django_mullet import APIRouter, Atomic, Create, ModelSchema, mount_django

router = APIRouter(prefix="/api")


class BookSchema(ModelSchema[Book]):
    id: int
    title: str


class Library:
    def add(self, title: str) -> Book:
        book = Book.objects.create(title=title)
        if not title:
            raise HTTPException(409)
        return book


@router.post("/books/", status_code=201)
def add_book(
    _: Atomic, body: Create[BookSchema], services: svcs.fastapi.DepContainer
) -> BookSchema:
    return BookSchema.from_model(services.get(Library).add(body.title))


@router.post("/books/async/", status_code=201)
async def add_book_async(
    _: Atomic, body: Create[BookSchema], services: svcs.fastapi.DepContainer
) -> BookSchema:
    library = await services.aget(Library)
    return BookSchema.from_model(await sync_to_async(library.add)(body.title))


@svcs.fastapi.lifespan
async def lifespan(app: FastAPI, registry: svcs.Registry) -> AsyncIterator[None]:
    registry.register_factory(Library, Library)
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(router)
mount_django(app)
