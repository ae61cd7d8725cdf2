import sentry_sdk
from fastapi import FastAPI

from apart.shelf import seen
from apart.shelf.models import Book
from apart.shelf.seen import BookSchema
from django_mullet import APIRouter, mount_django

router = APIRouter(prefix="/api")


@router.get("/books/{book_id}/")
def one_book(book_id: int) -> BookSchema:
    with sentry_sdk.start_span(op="own", name="look up"):
        return BookSchema.get_or_404(Book.objects.all(), pk=book_id)


@router.get("/books/{book_id}/async/")
async def one_book_async(book_id: int) -> BookSchema:
    with sentry_sdk.start_span(op="own", name="look up"):
        return await BookSchema.aget_or_404(Book.objects.all(), pk=book_id)


app = FastAPI()
app.include_router(seen.router)
app.include_router(seen.with_middleware)
app.include_router(router)
mount_django(app)
