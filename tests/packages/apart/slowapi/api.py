from django.db.models import QuerySet
from fastapi import FastAPI, Request
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address

from apart.slowapi.models import Book
from django_mullet import APIRouter, ModelSchema, mount_django

router = APIRouter(prefix="/api")
limiter = Limiter(key_func=get_remote_address)


class BookSchema(ModelSchema[Book]):
    id: int
    title: str


@router.get("/books/")
@limiter.limit("2/hour")
def books(request: Request) -> list[BookSchema]:
    return BookSchema.from_qs(Book.objects.order_by("pk"))


@router.get("/books/async/", response_model=list[BookSchema])
@limiter.limit("2/hour")
async def books_async(request: Request) -> QuerySet[Book]:
    return Book.objects.order_by("pk")


app = FastAPI()
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)  # type: ignore[arg-type]
app.include_router(router)
mount_django(app)
