from typing import Any

from asgiref.sync import sync_to_async
from fastapi import FastAPI
from fastapi_pagination import LimitOffsetPage, Page, add_pagination
from fastapi_pagination.ext.django import paginate

from apart.fastapi_pagination.models import Author, Book
from django_mullet import APIRouter, ModelSchema, mount_django

router = APIRouter(prefix="/api")


class TitleSchema(ModelSchema[Book]):
    title: str


class AuthorSchema(ModelSchema[Author]):
    id: int
    name: str
    books: list[TitleSchema]


@router.get("/authors/")
def authors() -> Page[AuthorSchema]:
    found: Any = paginate(Author.objects.order_by("pk"), transformer=AuthorSchema.from_qs)
    return found


@router.get("/authors/async/", response_model=Page[AuthorSchema])
async def authors_async() -> Any:
    queryset = Author.objects.order_by("pk")
    return await sync_to_async(paginate)(queryset, transformer=AuthorSchema.from_qs)


@router.get("/authors/from/", response_model=LimitOffsetPage[AuthorSchema])
def authors_from(name: str) -> Any:
    queryset = Author.objects.filter(name=name).order_by("pk")
    return paginate(queryset, transformer=AuthorSchema.from_qs)


@router.get("/authors/each/", response_model=Page[AuthorSchema])
def authors_each() -> Any:
    return paginate(Author.objects.order_by("pk"))


app = FastAPI()
app.include_router(router)
add_pagination(app)
mount_django(app)
