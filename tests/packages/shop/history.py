"""django-simple-history: who has written it?"""

from django_mullet import APIRouter
from shop.books import BookIn, BookOut
from shop.models import Book

router = APIRouter(
    prefix="/historical/books", tags=["django-simple-history"], django_middleware=True
)


@router.post("/", status_code=201, response_model=BookOut)
def add_book(data: BookIn) -> Book:
    return Book.objects.create(**data.model_dump())


@router.post("/async/", status_code=201, response_model=BookOut)
async def add_book_async(data: BookIn) -> Book:
    return await Book.objects.acreate(**data.model_dump())
