"""Is the constraint found that the database refuses a row for?"""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import IntegrityError, connection, transaction
from django.db.models import CheckConstraint, F, Func, IntegerField, Q, Value
from django.db.models.lookups import GreaterThan

from django_mullet.error_handling.constraints import Refusal, Violation, violation_of
from tests.library.models import Author, Book, Cover

pytestmark = pytest.mark.django_db

BOOK: Any = {"title": "Iliad", "price": 5, "language": "el"}


@pytest.fixture
def author() -> Author:
    return Author.objects.create(name="Homer")


@pytest.fixture
def book(author: Author) -> Book:
    return Book.objects.create(**BOOK, author=author)


class IntegerRangeField(IntegerField):
    """PostgreSQL's type of a range, without what Django's own field wants to be installed."""

    def db_type(self, connection: Any) -> str:
        return "int4range"


def refused(function: Callable[[], object]) -> Violation | None:
    with pytest.raises(IntegrityError) as caught:
        run(function)
    return violation_of(caught.value)


@transaction.atomic
def run(function: Callable[[], object]) -> None:
    function()
    connection.check_constraints()  # now, and not when the test ends


def test_a_unique_field(author: Author) -> None:
    assert refused(lambda: Author.objects.create(name="Homer")) == Violation(
        Refusal.UNIQUE, ("name",), "Author with this Name already exists.", Author
    )


def test_a_unique_constraint_over_fields(book: Book) -> None:
    values = BOOK | {"language": "en"}

    assert refused(lambda: Book.objects.create(**values, author=book.author)) == Violation(
        Refusal.UNIQUE, ("author", "title"), "Constraint “book_once” is violated.", Book
    )


def test_a_unique_constraint_over_expressions(book: Book) -> None:
    other = Author.objects.create(name="Virgil")
    values = BOOK | {"title": "ILIAD"}

    assert refused(lambda: Book.objects.create(**values, author=other)) == Violation(
        Refusal.UNIQUE, ("title", "language"), "The language has a book of this title.", Book
    )


def test_a_check_constraint(author: Author) -> None:
    values = BOOK | {"price": 700}

    assert refused(lambda: Book.objects.create(**values, author=author)) == Violation(
        Refusal.CHECK, ("price", "title", "secret"), "Too dear.", Book
    )


@pytest.mark.postgres  # SQLite names neither the table nor the constraint
def test_the_range_of_a_column(book: Book) -> None:
    assert refused(lambda: Cover.objects.create(book=book, width=-1)) == Violation(
        Refusal.CHECK, ("width",), "This value is out of range.", Cover
    )


def test_a_column_that_cannot_be_null(author: Author) -> None:
    assert refused(lambda: Book.objects.create(title=None, price=1, author=author)) == Violation(
        Refusal.NOT_NULL, ("title",), "This field cannot be null.", Book
    )


@pytest.mark.postgres
def test_a_key_that_leads_nowhere() -> None:
    assert refused(lambda: Book.objects.create(**BOOK, author_id=0)) == Violation(
        Refusal.FOREIGN_KEY, ("author",), "There is no object with this key.", Book
    )


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_row_to_which_others_refer_is_nobody_s_field(book: Book) -> None:
    assert refused(lambda: Author.objects.all()._raw_delete("default")) is None  # type: ignore[attr-defined]


@pytest.mark.postgres
def test_an_exclusion_constraint(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    width = Func(F("width"), F("width") + 1, function="int4range", output_field=IntegerRangeField())
    constraint = ExclusionConstraint(name="cover_width", expressions=[(width, "&&")])
    monkeypatch.setattr(Cover._meta, "constraints", [constraint])
    other = Book.objects.create(**BOOK | {"title": "Odyssey"}, author=book.author)
    with connection.schema_editor() as editor:
        editor.add_constraint(Cover, constraint)
    Cover.objects.create(book=book, width=3)

    violation = refused(lambda: Cover.objects.create(book=other, width=3))

    assert violation is not None
    assert (violation.refusal, violation.fields) == (Refusal.UNIQUE, ("width",))


@pytest.mark.postgres
def test_a_constraint_that_no_model_knows(book: Book) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE library_cover ADD CONSTRAINT odd CHECK (width < 5)")

    assert refused(lambda: Cover.objects.create(book=book, width=9)) is None


@pytest.mark.postgres
def test_a_refusal_of_another_kind() -> None:
    def complain() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "DO $$ BEGIN RAISE 'no' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            )

    assert refused(complain) is None


@pytest.mark.parametrize(
    ("condition", "fields"),
    [
        (~Q(Q(price=1) & Q(title="x")), ("price", "title")),
        (Q(GreaterThan(F("price"), Value(1))), ("price",)),
        (Q(title__in=["a", "b"], price__gt=F("width") + 1), ("price", "width", "title")),
    ],
)
def test_the_fields_of_a_condition(
    author: Author, monkeypatch: pytest.MonkeyPatch, condition: Q, fields: tuple[str, ...]
) -> None:
    constraint = CheckConstraint(condition=condition, name="book_price")
    monkeypatch.setattr(Book._meta, "constraints", [constraint])
    values = BOOK | {"price": 700}

    violation = refused(lambda: Book.objects.create(**values, author=author))

    assert violation is not None
    assert violation.fields == fields


def test_an_error_that_no_constraint_has_caused() -> None:
    error = IntegrityError("?")
    error.__cause__ = ValueError("?")

    assert violation_of(error) is None


def test_a_table_that_no_model_has() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE stray (n INTEGER UNIQUE, CONSTRAINT odd CHECK (n < 5))")

    def insert(n: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO stray VALUES (%s)", [n])

    insert(1)
    assert refused(lambda: insert(1)) is None
    assert refused(lambda: insert(9)) is None
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE stray")
