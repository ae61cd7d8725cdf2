"""django-guardian: do permissions for one object hold in an API route?"""

from http import HTTPStatus

import pytest
from django.contrib.auth.models import Group, User
from guardian.shortcuts import assign_perm, remove_perm

from django_mullet import APIClient
from shop.models import Book

pytestmark = pytest.mark.django_db

DATA = {"title": "V.", "pages": 492}


def test_who_may_change_the_book_does(logged_in: APIClient, user: User, book: Book) -> None:
    assign_perm("shop.change_book", user, book)

    response = logged_in.put(f"/api/guarded/books/{book.pk}/", json=DATA)

    book.refresh_from_db()
    assert response.status_code == HTTPStatus.OK
    assert book.title == "V."


def test_who_may_change_another_does_not(logged_in: APIClient, user: User, book: Book) -> None:
    assign_perm("shop.change_book", user, Book.objects.create(title="V."))

    response = logged_in.put(f"/api/guarded/books/{book.pk}/", json=DATA)

    book.refresh_from_db()
    assert response.status_code == HTTPStatus.FORBIDDEN
    assert book.title == "Gravity's Rainbow"


def test_a_permission_ends_with_its_removal(logged_in: APIClient, user: User, book: Book) -> None:
    assign_perm("shop.change_book", user, book)
    logged_in.put(f"/api/guarded/books/{book.pk}/", json=DATA)

    remove_perm("shop.change_book", user, book)

    response = logged_in.put(f"/api/guarded/books/{book.pk}/", json=DATA)
    assert response.status_code == HTTPStatus.FORBIDDEN


def test_a_list_has_what_the_user_and_the_groups_may(
    logged_in: APIClient, user: User, book: Book
) -> None:
    group = Group.objects.create(name="editors")
    user.groups.add(group)
    of_group = Book.objects.create(title="V.")
    assign_perm("shop.change_book", user, book)
    assign_perm("shop.change_book", group, of_group)
    Book.objects.create(title="Vineland")

    response = logged_in.get("/api/guarded/books/")

    assert [found["id"] for found in response.json()] == [book.pk, of_group.pk]
