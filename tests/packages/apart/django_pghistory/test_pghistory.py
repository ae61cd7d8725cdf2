import pytest
from django.contrib.auth.models import User

from apart.django_pghistory.models import Book, BookEvent
from django_mullet import APIClient, assert_constant_queries

pytestmark = pytest.mark.django_db(transaction=True)


def noted(pk: int) -> list[tuple[str, str, int]]:
    events = BookEvent.objects.filter(pgh_obj_id=pk).order_by("pgh_id")
    return list(events.values_list("pgh_label", "title", "pages"))


@pytest.mark.parametrize("way", ["", "async/"])
def test_what_bodies_write_is_noted_with_who_it_was(logged_in: APIClient, way: str) -> None:
    for _ in range(2):
        pk = logged_in.post("/api/books/", json={"title": "A"}).json()["id"]
        path = f"/api/books/{pk}/{way}"
        assert logged_in.patch(path, json={"title": "B", "pages": 2}).status_code == 200

        book = Book.objects.create(title="A")
        book.title, book.pages = "B", 2
        book.save()
        assert noted(pk) == noted(book.pk) == [("insert", "A", 1), ("update", "B", 2)]
        last = BookEvent.objects.filter(pgh_obj_id=pk).latest("pgh_id")
        assert last.pgh_context.metadata == {"user": User.objects.get().pk, "url": path}
        assert BookEvent.objects.filter(pgh_obj_id=book.pk, pgh_context=None).count() == 2


def test_what_is_read_has_no_context_of_a_request_before(logged_in: APIClient) -> None:
    book = Book.objects.create(title="A")
    path = f"/api/books/{book.pk}/"

    assert_constant_queries(
        lambda: logged_in.get(f"{path}events/"), lambda: logged_in.patch(path, json={"title": "B"})
    )
    shown = logged_in.get(f"{path}events/").json()
    assert [(row["pgh_label"], row["title"], row["pages"]) for row in shown] == noted(book.pk)
    contexts = [row["pgh_context"] for row in shown]
    assert contexts[0] is None
    assert contexts[-1] == {"metadata": {"user": User.objects.get().pk, "url": path}}
    book.save()
    book.title = "C"
    book.save()
    assert BookEvent.objects.latest("pgh_id").pgh_context is None
