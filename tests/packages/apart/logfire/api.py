import logfire
from django.db.models import QuerySet
from fastapi import FastAPI

from apart.logfire.models import Author, Book
from django_mullet.asgi import mount_django
from django_mullet.prepared import prepared
from django_mullet.routing import APIRouter
from django_mullet.schemas import Create, ModelSchema

router = APIRouter(prefix="/api")


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str


class BookSchema(ModelSchema[Book]):
    title: str
    author: AuthorSchema


@prepared
def books_called(title: str) -> QuerySet[Book]:
    return Book.objects.filter(title=title)


@router.get("/books/")
def books(title: str) -> list[BookSchema]:
    with logfire.span("look up {title}", title=title):
        return BookSchema.from_qs(books_called(title))


@router.get("/books/async/")
async def books_async(title: str) -> list[BookSchema]:
    with logfire.span("look up {title}", title=title):
        return await BookSchema.afrom_qs(books_called(title))


@router.post("/authors/", status_code=201)
def add_author(body: Create[AuthorSchema]) -> AuthorSchema:
    return AuthorSchema.from_model(body.create())


@router.post("/authors/async/", status_code=201)
async def add_author_async(body: Create[AuthorSchema]) -> AuthorSchema:
    author = body.to_model()
    await author.asave()
    return AuthorSchema.from_model(author)


@router.get("/broken/{number}/")
def broken(number: int) -> None:
    raise ArithmeticError(f"broken {Author.objects.count()}")


@router.get("/broken/{number}/async/")
async def broken_async(number: int) -> None:
    raise ArithmeticError(f"broken {await Author.objects.acount()}")


app = FastAPI()
app.include_router(router)
logfire.instrument_fastapi(app)
mount_django(app)
