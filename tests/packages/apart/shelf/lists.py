"""Routes that list, show and change books, for packages that look at queries."""

from django.db.models import QuerySet

from apart.shelf.models import Author, Book
from django_mullet import APIRouter, Create, ModelSchema, Patch, prepared

router = APIRouter(prefix="/api")


class TitleSchema(ModelSchema[Book]):
    title: str


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str
    books: list[TitleSchema]


class NameSchema(ModelSchema[Author]):
    name: str


class BookSchema(ModelSchema[Book]):
    id: int
    title: str
    author: NameSchema


class LineSchema(ModelSchema[Book]):
    line: str
    author: NameSchema


class BookIn(ModelSchema[Book]):
    id: int
    title: str
    author_id: int


@prepared
def books_called(title: str) -> QuerySet[Book]:
    return Book.objects.filter(title=title).order_by("pk")


@router.get("/authors/")
def authors() -> list[AuthorSchema]:
    return AuthorSchema.from_qs(Author.objects.order_by("pk"))


@router.get("/books/")
def books() -> list[BookSchema]:
    return BookSchema.from_qs(Book.objects.order_by("pk"))


@router.get("/books/async/", response_model=list[BookSchema])
async def books_async() -> QuerySet[Book]:
    return Book.objects.order_by("pk")


@router.get("/books/lines/")
def lines() -> list[LineSchema]:
    return LineSchema.from_qs(Book.objects.order_by("pk"))


@router.get("/books/called/lines/", response_model=list[LineSchema])
async def lines_of_books_called(title: str) -> QuerySet[Book]:
    return books_called(title)


@router.get("/books/called/")
def list_books_called(title: str) -> list[BookSchema]:
    return BookSchema.from_qs(books_called(title))


@router.get("/books/called/looks/")
def looks_at_books_called(title: str) -> list[object]:
    found = books_called(title)
    return [found.count(), found.exists(), list(found.values_list("author__name", flat=True))]


@router.get("/books/{book_id}/")
def one_book(book_id: int) -> BookSchema:
    return BookSchema.get_or_404(Book.objects.all(), pk=book_id)


@router.post("/books/", status_code=201)
def add_book(body: Create[BookIn]) -> BookIn:
    return BookIn.from_model(body.create())


@router.patch("/authors/{author_id}/")
def rename_author(author_id: int, body: Patch[NameSchema]) -> NameSchema:
    author = Author.objects.get(pk=author_id)
    body.save(author)
    return NameSchema.from_model(author)


@router.patch("/books/{book_id}/")
def change_book(book_id: int, body: Patch[BookIn]) -> BookIn:
    book = Book.objects.get(pk=book_id)
    body.save(book)
    return BookIn.from_model(book)
