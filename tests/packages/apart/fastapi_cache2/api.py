from fastapi import FastAPI
from fastapi_cache import FastAPICache
from fastapi_cache.backends.inmemory import InMemoryBackend
from fastapi_cache.decorator import cache

from apart.fastapi_cache2.models import Book
from django_mullet import APIRouter, ModelSchema, mount_django

router = APIRouter(prefix="/api")
refused = APIRouter(prefix="/api")


class BookSchema(ModelSchema[Book]):
    id: int
    title: str


@router.get("/books/")
@cache(expire=60)
async def books() -> list[BookSchema]:
    return await BookSchema.afrom_qs(Book.objects.order_by("pk"))


@refused.get("/books/")
@cache(expire=60)
def books_by_def() -> list[BookSchema]:
    return BookSchema.from_qs(Book.objects.order_by("pk"))


FastAPICache.init(InMemoryBackend())
app = FastAPI()
app.include_router(router)
mount_django(app)

app_with_def = FastAPI()
app_with_def.include_router(refused)
mount_django(app_with_def)
