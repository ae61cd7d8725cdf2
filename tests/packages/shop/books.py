"""The books, as FastAPI shows them."""

from django.db.models import QuerySet
from pydantic import BaseModel, ConfigDict

from django_mullet import APIRouter
from shop.models import Book

router = APIRouter(prefix="/books", tags=["books"])


class BookIn(BaseModel):
    title: str
    pages: int = 0


class BookOut(BookIn):
    model_config = ConfigDict(from_attributes=True)
    id: int


@router.get("/", response_model=list[BookOut])
def list_books() -> QuerySet[Book]:
    return Book.objects.order_by("pk")


behind_middleware = APIRouter(
    prefix="/behind-middleware/books", tags=["books"], django_middleware=True
)


@behind_middleware.get("/", response_model=list[BookOut])
def list_books_behind_middleware() -> QuerySet[Book]:
    return Book.objects.order_by("pk")


@behind_middleware.get("/async/", response_model=list[BookOut])
async def list_books_behind_middleware_async() -> list[Book]:
    return [book async for book in Book.objects.order_by("pk")]
