"""django-ninja, below the same `/api/`."""

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import ModelSchema, NinjaAPI

from shop.models import Book

api = NinjaAPI()


class BookSchema(ModelSchema):
    class Meta:
        model = Book
        fields = ["id", "title", "pages"]


@api.get("/books/", response=list[BookSchema])
def list_books(request: HttpRequest) -> QuerySet[Book]:
    return Book.objects.order_by("pk")
