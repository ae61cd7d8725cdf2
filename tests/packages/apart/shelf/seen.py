"""Routes that ask, write and fail, for packages that are told of requests and queries."""

from django.db.models import QuerySet

from apart.shelf.models import Author, Book
from django_mullet import APIRouter, Create, ModelSchema, prepared

router = APIRouter(prefix="/api")
with_middleware = APIRouter(prefix="/api/middleware", django_middleware=True)


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
@with_middleware.get("/books/")
def books(title: str) -> list[BookSchema]:
    return BookSchema.from_qs(Book.objects.filter(title=title))


@router.get("/books/async/", response_model=list[BookSchema])
async def books_async(title: str) -> QuerySet[Book]:
    return Book.objects.filter(title=title)


@router.get("/books/called/")
def list_books_called(title: str) -> list[BookSchema]:
    return BookSchema.from_qs(books_called(title))


@router.get("/books/called/async/")
async def list_books_called_async(title: str) -> list[BookSchema]:
    return await BookSchema.afrom_qs(books_called(title))


@router.post("/authors/", status_code=201)
def add_author(body: Create[AuthorSchema]) -> AuthorSchema:
    return AuthorSchema.from_model(body.create())


@router.get("/broken/{number}/")
def broken(number: int) -> None:
    raise ArithmeticError(f"broken {Author.objects.count()}")


@router.get("/broken/{number}/async/")
async def broken_async(number: int) -> None:
    raise ArithmeticError(f"broken {await Author.objects.acount()}")
