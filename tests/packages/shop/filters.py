"""django-filter: which books does the query string ask for?"""

from typing import Annotated

import django_filters
from django.db.models import QuerySet
from django.http import QueryDict
from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError

from django_mullet import APIRouter
from shop.books import BookOut
from shop.models import Book

router = APIRouter(prefix="/filtered/books", tags=["django-filter"])


class BookFilter(django_filters.FilterSet):
    title = django_filters.CharFilter(lookup_expr="icontains")
    pages = django_filters.RangeFilter()
    order = django_filters.OrderingFilter(fields=["title", "pages"])

    class Meta:
        model = Book
        fields = ["title", "pages"]


def filtered_books(request: Request) -> QuerySet[Book]:
    """The books that the query string asks for, or 422."""
    filters = BookFilter(QueryDict(request.url.query), Book.objects.order_by("pk"))
    if not filters.is_valid():
        raise RequestValidationError(
            [
                {"type": "value_error", "loc": ("query", name), "msg": str(message)}
                for name, messages in filters.errors.items()
                for message in messages
            ]
        )
    return filters.qs


@router.get("/", response_model=list[BookOut])
def list_filtered_books(
    books: Annotated[QuerySet[Book], Depends(filtered_books)],
) -> QuerySet[Book]:
    return books
