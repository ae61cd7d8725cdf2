"""django-guardian: may this user change this book?"""

from typing import Annotated

from django.db.models import QuerySet
from fastapi import Depends, HTTPException
from guardian.shortcuts import get_objects_for_user

from django_mullet import APIRouter
from shop.books import BookIn, BookOut
from shop.models import Book
from shop.users import CurrentUser

router = APIRouter(prefix="/guarded/books", tags=["django-guardian"], django_middleware=True)


def changeable_book(book_id: int, user: CurrentUser) -> Book:
    book = Book.objects.filter(pk=book_id).first()
    if book is None:
        raise HTTPException(404, "Book not found.")
    if not user.has_perm("shop.change_book", book):
        raise HTTPException(403, "You may not change this book.")
    return book


ChangeableBook = Annotated[Book, Depends(changeable_book)]


@router.put("/{book_id}/", response_model=BookOut)
def change_book(book: ChangeableBook, data: BookIn) -> Book:
    book.title, book.pages = data.title, data.pages
    book.save()
    return book


@router.get("/", response_model=list[BookOut])
def changeable_books(user: CurrentUser) -> QuerySet[Book]:
    return get_objects_for_user(user, "shop.change_book", Book).order_by("pk")
