from asgiref.sync import sync_to_async
from dishka import Provider, Scope, make_async_container, provide
from dishka.integrations.fastapi import FromDishka, inject, setup_dishka
from fastapi import FastAPI, HTTPException

from apart.dishka.models import Book
from django_mullet import APIRouter, Atomic, Create, ModelSchema, mount_django

router = APIRouter(prefix="/api")


class BookSchema(ModelSchema[Book]):
    id: int
    title: str


class Library:
    """What dishka makes for each request."""

    def add(self, title: str) -> Book:
        book = Book.objects.create(title=title)
        if not title:
            raise HTTPException(409)
        return book


class Services(Provider):
    library = provide(Library, scope=Scope.REQUEST)


@router.post("/books/", status_code=201)
@inject
def add_book(_: Atomic, body: Create[BookSchema], library: FromDishka[Library]) -> BookSchema:
    return BookSchema.from_model(library.add(body.title))


@router.post("/books/async/", status_code=201)
@inject
async def add_book_async(
    _: Atomic, body: Create[BookSchema], library: FromDishka[Library]
) -> BookSchema:
    return BookSchema.from_model(await sync_to_async(library.add)(body.title))


app = FastAPI()
app.include_router(router)
setup_dishka(make_async_container(Services()), app)
mount_django(app)
