from collections.abc import Iterator
from typing import Annotated, Any

from django.db import connection
from django.db.models import QuerySet
from fastapi import Depends, FastAPI, Header

from apart.django_tenants.models import Author, Book, Tenant
from django_mullet import APIRouter, Create, ModelSchema, Patch, Writable, mount_django, prepared

wrapper: Any = connection  # of 'django_tenants.postgresql_backend'


def in_schema(x_tenant: Annotated[str, Header()]) -> Iterator[None]:
    wrapper.set_tenant(Tenant.objects.get(schema_name=x_tenant))
    try:
        yield
    finally:
        wrapper.set_schema_to_public()


router = APIRouter(dependencies=[Depends(in_schema)])
behind = APIRouter(django_middleware=True)


class BookSchema(ModelSchema[Book]):
    title: str


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str
    books: Writable[list[BookSchema]]


@prepared
def authors_called(name: str) -> QuerySet[Author]:
    return Author.objects.filter(name=name).order_by("pk")


@router.get("/authors/", response_model=list[AuthorSchema])
@behind.get("/authors/", response_model=list[AuthorSchema])
async def authors(name: str) -> QuerySet[Author]:
    return authors_called(name)


@router.post("/authors/", status_code=201)
@behind.post("/authors/", status_code=201)
def add_author(body: Create[AuthorSchema]) -> AuthorSchema:
    return AuthorSchema.from_model(body.create())


@router.patch("/authors/{author_id}/")
@behind.patch("/authors/{author_id}/")
def change_author(author_id: int, body: Patch[AuthorSchema]) -> AuthorSchema:
    return AuthorSchema.from_model(body.save(Author.objects.get(pk=author_id)))


app = FastAPI()
app.include_router(router, prefix="/api/said")
app.include_router(behind, prefix="/api/hosts")
mount_django(app)
