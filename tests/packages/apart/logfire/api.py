import logfire
from fastapi import FastAPI

from apart.shelf import seen
from apart.shelf.seen import AuthorSchema, BookSchema, books_called
from django_mullet import APIRouter, Create, mount_django

router = APIRouter(prefix="/api")


@router.get("/books/")
def books(title: str) -> list[BookSchema]:
    with logfire.span("look up {title}", title=title):
        return BookSchema.from_qs(books_called(title))


@router.get("/books/async/")
async def books_async(title: str) -> list[BookSchema]:
    with logfire.span("look up {title}", title=title):
        return await BookSchema.afrom_qs(books_called(title))


@router.post("/authors/async/", status_code=201)
async def add_author_async(body: Create[AuthorSchema]) -> AuthorSchema:
    author = body.to_model()
    await author.asave()
    return AuthorSchema.from_model(author)


app = FastAPI()
app.include_router(router)
app.include_router(seen.router)
logfire.instrument_fastapi(app)
mount_django(app)
