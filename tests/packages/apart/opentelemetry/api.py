from fastapi import FastAPI
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

from apart.opentelemetry.recorder import PROVIDER
from apart.shelf import seen
from apart.shelf.models import Book
from apart.shelf.seen import BookSchema
from django_mullet import APIRouter, mount_django

tracer = PROVIDER.get_tracer("apart")
router = APIRouter(prefix="/api")


@router.get("/books/{book_id}/")
def one_book(book_id: int) -> BookSchema:
    with tracer.start_as_current_span("look up"):
        return BookSchema.get_or_404(Book.objects.all(), pk=book_id)


@router.get("/books/{book_id}/async/")
async def one_book_async(book_id: int) -> BookSchema:
    with tracer.start_as_current_span("look up"):
        return await BookSchema.aget_or_404(Book.objects.all(), pk=book_id)


app = FastAPI()
app.include_router(seen.router)
app.include_router(seen.with_middleware)
app.include_router(router)
DjangoInstrumentor().instrument(tracer_provider=PROVIDER)
FastAPIInstrumentor.instrument_app(app, tracer_provider=PROVIDER)
mount_django(app)
