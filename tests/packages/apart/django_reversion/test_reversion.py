from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from reversion import create_revision
from reversion.middleware import RevisionMiddleware
from reversion.models import Revision, Version

from apart.django_reversion.models import Book, Chapter
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db(transaction=True)
BODY: dict[str, Any] = {"title": "A", "pages": 2, "chapters": [{"title": "One"}]}


def kept(revision: Revision) -> list[dict[str, Any]]:
    """What a revision has kept, without the keys."""
    versions = revision.version_set.order_by("content_type__model")
    return [{**version.field_dict, "id": ..., "book_id": ...} for version in versions]


def of_django() -> Revision:
    """The revision of what Django saves."""
    with create_revision():
        book = Book.objects.create(title="A", pages=2)
        Chapter.objects.create(book=book, title="One")
    return Revision.objects.latest("pk")


def test_a_request_is_a_revision_of_all_that_its_body_writes(logged_in: APIClient) -> None:
    created = logged_in.post("/api/books/", json=BODY)

    assert created.status_code == 201, created.text
    revision = Revision.objects.get()
    assert revision.user == User.objects.get()
    assert kept(revision) == kept(of_django())
    assert len(kept(revision)) == 2


@pytest.mark.parametrize("path", ["/api/books/{}/", "/api/books/{}/async/", "/api/bare/books/{}/"])
def test_a_change_is_a_revision_with_its_comment(logged_in: APIClient, path: str) -> None:
    book = Book.objects.create(title="A")

    for title in ("B", "C"):
        changed = logged_in.patch(path.format(book.pk), json={"title": title})
        assert changed.status_code == 200, changed.text
        revision = Revision.objects.latest("pk")
        assert revision.comment == "changed"
        assert kept(revision)[0]["title"] == title
    assert Revision.objects.count() == 2
    assert (revision.user is None) == path.startswith("/api/bare/")


def test_what_is_reverted_is_shown(logged_in: APIClient) -> None:
    pk = logged_in.post("/api/books/", json=BODY).json()["id"]
    logged_in.patch(f"/api/books/{pk}/", json={"title": "B", "pages": 3})

    assert logged_in.post(f"/api/bare/books/{pk}/revert/").json() == {"id": pk, **BODY}


def test_versions_are_shown_with_their_revisions(logged_in: APIClient) -> None:
    pk = logged_in.post("/api/books/", json=BODY).json()["id"]
    path = f"/api/books/{pk}/versions/"

    assert_constant_queries(
        lambda: logged_in.get(path),
        lambda: logged_in.patch(f"/api/books/{pk}/", json={"title": "B"}),
    )
    assert [row["revision"] for row in logged_in.get(path).json()] == [
        {"user_id": version.revision.user_id, "comment": version.revision.comment}
        for version in Version.objects.get_for_object(Book.objects.get()).order_by("pk")
    ]


def test_what_is_answered_with_an_error_is_a_revision_as_of_a_view(logged_in: APIClient) -> None:
    book = Book.objects.create(title="A")

    def view(request: HttpRequest) -> HttpResponse:
        book.save()
        return HttpResponse(status=409)

    RevisionMiddleware(view)(RequestFactory().post("/"))
    of_view = Revision.objects.count()
    assert logged_in.post(f"/api/books/{book.pk}/refused/").status_code == 409
    assert Revision.objects.count() == 2 * of_view == 2
