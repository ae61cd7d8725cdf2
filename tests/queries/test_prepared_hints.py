"""What Django's managers and prefetching tell a queryset, told to a prepared one."""

from typing import Any

import pytest
from django.db.models import Prefetch, QuerySet

from django_mullet import prepared
from tests.library.models import Author, Book, Tag

pytestmark = pytest.mark.django_db


@prepared
def dearer(price: int) -> QuerySet[Book]:
    return Book.objects.filter(price__gt=price)


@prepared
def labelled(without: str) -> QuerySet[Tag]:
    return Tag.objects.exclude(label=without)


@pytest.fixture
def homer() -> Author:
    author = Author.objects.create(name="Homer")
    Book.objects.create(title="Iliad", price=20, author=author)
    return author


def hints_of(queryset: Any) -> dict[str, Any]:
    hints: dict[str, Any] = queryset._hints
    return hints


def test_what_one_call_is_told_no_other_call_knows(homer: Author) -> None:
    [author] = Author.objects.prefetch_related(Prefetch("books", queryset=dearer(10)))

    assert [book.title for book in author.books.all()] == ["Iliad"]
    assert hints_of(dearer(10)) == {}


@pytest.mark.parametrize(
    "changed",
    [
        lambda books: books.filter(title="Iliad"),
        lambda books: books.all(),
        lambda books: books[:1],
        lambda books: books.order_by("title"),
        lambda books: books.values("title"),
    ],
    ids=["filter", "all", "slice", "order_by", "values"],
)
def test_what_is_made_of_a_queryset_is_told_the_same(homer: Author, changed: Any) -> None:
    books, plain = dearer(10), Book.objects.filter(price__gt=10)
    for queryset in (books, plain):
        told: Any = queryset
        told._add_hints(instance=homer)

    assert hints_of(changed(books)) == hints_of(changed(plain)) == {"instance": homer}


def test_two_filters_of_a_related_manager_are_one_join(homer: Author) -> None:
    epic, long = Tag.objects.create(label="epic"), Tag.objects.create(label="long")
    first, second = Book.objects.get(), Book.objects.create(title="Odyssey", price=1, author=homer)
    first.tags.add(epic)
    second.tags.add(long)

    def found(of: Book, other: Book) -> list[list[str]]:
        tags: Any = Tag.objects.all()
        sticky: Any = labelled("none")
        return [
            [tag.label for tag in queryset._next_is_sticky().filter(book=of).filter(book=other)]
            for queryset in (tags, sticky)
        ]

    second.tags.add(epic)
    assert found(first, second) == [[], []]
    assert found(first, first) == [["epic"], ["epic"]]


def test_an_iterator_is_read_once_for_all_of_the_querysets(homer: Author) -> None:
    found = dearer(10).filter(title__in=iter(["Iliad", "Odyssey"]))

    assert found.exists()
    assert [book.title for book in found.all()] == ["Iliad"]
    assert dearer(10).get(title__in=iter(["Iliad"])).title == "Iliad"
