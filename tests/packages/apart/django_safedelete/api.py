from django.db.models import QuerySet
from fastapi import FastAPI

from apart.django_safedelete.models import Author, Book
from django_mullet import APIRouter, Create, ModelSchema, Patch, mount_django, prepared

router = APIRouter(prefix="/api")


class BookSchema(ModelSchema[Book]):
    title: str


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str
    books: list[BookSchema]


class BookWithAuthor(ModelSchema[Book]):
    title: str
    author: AuthorSchema


@prepared
def authors_called(name: str) -> QuerySet[Author]:
    return Author.objects.filter(name=name).order_by("pk")


@router.get("/authors/")
def authors() -> list[AuthorSchema]:
    return AuthorSchema.from_qs(Author.objects.order_by("pk"))


@router.get("/authors/deleted/", response_model=list[AuthorSchema])
async def deleted_authors() -> QuerySet[Author]:
    return Author.deleted_objects.order_by("pk")


@router.get("/authors/called/", response_model=list[AuthorSchema])
async def list_authors_called(name: str) -> QuerySet[Author]:
    return authors_called(name)


@router.get("/authors/called/looks/")
def looks_at_authors_called(name: str) -> list[object]:
    found = authors_called(name)
    first = found.first()
    return [
        found.count(),
        found.exists(),
        list(found.values_list("name", flat=True)),
        found.filter(name=name).count(),
        first and first.name,
        len(found[0:10]),
    ]


@router.get("/books/")
def books() -> list[BookWithAuthor]:
    return BookWithAuthor.from_qs(Book.objects.order_by("pk"))


@router.post("/authors/", status_code=201)
def add_author(body: Create[AuthorSchema]) -> AuthorSchema:
    return AuthorSchema.from_model(body.create())


@router.patch("/authors/{author_id}/")
def change_author(author_id: int, body: Patch[AuthorSchema]) -> AuthorSchema:
    author = Author.objects.get(pk=author_id)
    body.save(author)
    return AuthorSchema.from_model(author)


@router.get("/authors/{author_id}/")
def one_author(author_id: int) -> AuthorSchema:
    return AuthorSchema.get_or_404(Author.objects.all(), pk=author_id)


@router.delete("/authors/{author_id}/", status_code=204)
def delete_author(author_id: int) -> None:
    Author.objects.get(pk=author_id).delete()


app = FastAPI()
app.include_router(router)
mount_django(app)
